"""What other libraries are handed: its shapes and names, tested without them."""

import importlib.util
import inspect
import re
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import benchmarks.training
from benchmarks.arithmetic import step_flops
from benchmarks.distortions import list_work
from benchmarks.jhlabs import _OPS as JHLABS_OPS
from benchmarks.peers import Kornia, OpenCV
from benchmarks.runs import open_parts
from benchmarks.timing import Stopwatch, photographs
from jaxdistort.cli.config_file import load_config
from jaxdistort.distortions import DISTORTIONS
from jaxdistort.models import MODELS

_ROOT = Path(__file__).parents[2]


def _vgg(size):
  config = load_config(_ROOT / "configs/vgg_scratch.py")
  config.data.image_size, config.data.source, config.data.workers, config.batch_size = size, "synthetic", 0, 8
  return config


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Some donated buffers")
def test_pytorch_gets_pictures_as_its_network_takes_them(monkeypatch):
  """With augmentation on, clean pictures are larger than those that the network sees."""
  config, handed = _vgg(32), []
  assert config.data.augment
  assert config.data.training_side > config.data.image_size

  def turn(config, images):
    handed.append((config.data.image_size, images))
    return lambda seconds: [1.0], "a device"

  monkeypatch.setattr(benchmarks.training, "training_turn", turn)
  monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: object() if name == "torch" else None)
  monkeypatch.setattr(benchmarks.training, "measure_matmul_ceiling", lambda watch: 1e12)
  rows, missing = benchmarks.training.time_training(config, Stopwatch(0, 1))
  ((size, images),) = handed
  assert images.shape == (config.batch_size, size, size, 3)
  assert images.dtype == jnp.uint8
  assert not missing
  assert [row["library"] for row in rows] == ["jaxdistort", "PyTorch"]
  assert rows[0]["of_pytorch"] > 0


def test_operations_of_a_step_are_those_of_the_network():
  """VGG16's are those of its convolutions and dense layers, three times for a step, to a few percent."""
  config = _vgg(64)
  with open_parts(config) as parts:
    counted = step_flops(parts.structure, parts.variables, 2, 64) / 2
  side, channels, products = 64, 3, 0
  for widths in ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512)):
    for width in widths:
      products += side**2 * 9 * channels * width
      channels = width
    side //= 2
  products += side**2 * 9 * 512 * 512 + (side // 2) ** 2 * 512 * 4096 + 4096 * 7
  assert counted == pytest.approx(3 * 2 * products, rel=0.12)  # those on padding are left out, ReLU and pools are in


def test_every_library_gets_a_value_for_every_picture():
  for work in list_work(6):
    assert set(work.parameters) <= set(DISTORTIONS[work.distortion].defaults)
    for values in work.parameters.values():
      assert (values.shape, values.dtype) == ((6,), np.float32)
  assert {work.distortion for work in list_work(6)} == set(DISTORTIONS)
  assert [work.name for work in list_work(6, ["gaussian_blur"])] == ["gaussian_blur", "gaussian_blur, radius 1 to 11"]


def test_opencv_takes_the_parameters_that_it_is_handed():
  for work in list_work(1):
    if op := getattr(OpenCV, f"_{work.distortion}", None):
      inspect.signature(op).bind(None, None, None, **work.parameters)


def test_kornia_asks_for_parameters_that_it_is_handed():
  for work in list_work(1):
    if build := getattr(Kornia, f"_{work.distortion}", None):
      names = re.findall(r'\b(?:values|v)\["(\w+)"\]', inspect.getsource(build))
      assert set(names) <= set(work.parameters), work.name


def test_jh_labs_knows_the_ops_and_parameters_that_it_is_handed():
  program = (_ROOT / "benchmarks/JHLabs.java").read_text()
  for work in list_work(1):
    if work.distortion in JHLABS_OPS:
      assert f'case "{work.distortion}":' in program
      for name in work.parameters:
        assert f'given.get("{name}")' in program


def test_the_pictures_are_as_many_and_as_large_as_asked_for():
  assert photographs(3, 40).shape == (3, 40, 40, 3)


@pytest.mark.parametrize("name", ["vgg_transfer", "sgdnet_transfer"])
def test_transfer_networks_are_measured_without_their_weights(name):
  from benchmarks.runs import without_weights

  config = without_weights(load_config(_ROOT / f"configs/{name}.py"))
  assert MODELS[config.model.name].pretrained
  assert config.open_backbone() is None
