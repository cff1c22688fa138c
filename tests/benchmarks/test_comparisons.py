"""What other libraries are handed: its shapes and names, tested without them."""

import dataclasses
import importlib.util
import inspect
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import benchmarks.training
from benchmarks.arithmetic import step_flops
from benchmarks.distortions import list_work
from benchmarks.peers import Albumentations, Kornia, OpenCV
from benchmarks.peers.jhlabs import _OPS as JHLABS_OPS
from benchmarks.runs import without_weights
from benchmarks.timing import Stopwatch, photographs
from jaxdistort.cli.config_file import load_config
from jaxdistort.distortions import DISTORTIONS
from jaxdistort.models import MODELS, split_network
from jaxdistort.runtime.mesh import create_mesh
from jaxdistort.training import make_sampler
from tests.training.tiny import get_config

_ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_pytorch_gets_the_pictures_of_the_step(monkeypatch):
  """With augmentation on, clean pictures are larger than those that the network sees."""
  config, handed = get_config(), []
  assert config.data.training_side(config.create_protocol()) > config.data.image_size

  def turn(config, images):
    handed.append(images)
    return lambda seconds: [1.0], "a device"

  monkeypatch.setattr(benchmarks.training, "training_turn", turn)
  monkeypatch.setattr(benchmarks.training, "_why_no_pytorch", lambda config: [])
  monkeypatch.setattr(benchmarks.training, "measure_matmul_ceiling", lambda watch: 1e12)
  rows, missing = benchmarks.training.time_training(config, Stopwatch(0, 1), data="samples")
  (images,) = handed
  assert (images.shape, images.dtype) == ((config.batch_size, 32, 32, 3), jnp.uint8)
  assert not missing
  assert [row["library"] for row in rows] == ["jaxdistort", "PyTorch"]
  assert rows[0]["of_pytorch"] > 0


@pytest.mark.long
def test_the_pictures_of_a_step_of_vgg_are_of_the_size_of_its_dense_layer():
  config = load_config(_ROOT / "configs/vgg_scratch.py")
  protocol, size, side = (
    config.create_protocol(),
    config.data.image_size,
    config.data.training_side(config.create_protocol()),
  )
  assert (size, side) == (224, 256)
  sample = make_sampler(protocol, config.create_task(protocol), create_mesh(), seed=0, size=size, augment=True)
  images, _ = jax.eval_shape(sample, jnp.int32(0), jax.ShapeDtypeStruct((8, side, side, 3), jnp.uint8))
  assert images.shape == (8, size, size, 3)
  network = config.resolved(None).network_spec(7)
  _, variables = split_network(nnx.eval_shape(lambda: network.draw(0)))
  assert variables.parameters["hidden"]["kernel"].shape == ((size // 32) ** 2 * 512, 4096)  # as torch_vgg has it


@pytest.mark.parametrize(
  ("change", "why"),
  [
    (lambda c: setattr(c.model, "name", "compact"), "there for vgg_scratch, not for compact"),
    (lambda c: setattr(c.optimizer, "name", "adam"), "RMSProp"),
    (lambda c: setattr(c.task, "name", "recognition"), "classification"),
    (lambda c: None, "not installed"),
  ],
)
def test_why_pytorch_is_left_out(change, why, monkeypatch):
  monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None)
  config = load_config(_ROOT / "configs/vgg_scratch.py")
  change(config)
  (line,) = benchmarks.training._why_no_pytorch(config)
  assert why in line


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_operations_of_a_step_are_those_of_the_network(dtype):
  """VGG16's are those of its convolutions and dense layers, three times for a step, whatever form they take on CPU."""
  config = load_config(_ROOT / "configs/vgg_scratch.py").resolved(None)
  network = dataclasses.replace(config.network_spec(7), image_size=64, dtype=dtype)
  counted = step_flops(network, 32) / 32
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


def test_libraries_take_the_parameters_that_they_are_handed():
  for work in list_work(1):
    if op := getattr(OpenCV, f"_{work.distortion}", None):
      inspect.signature(op).bind(None, None, None, **work.parameters)
    if build := getattr(Albumentations, f"_{work.distortion}", None):
      inspect.signature(build).bind(None, **work.parameters)


@pytest.mark.parametrize("library", [Albumentations, Kornia, OpenCV])
def test_notes_are_about_ops_that_a_library_has(library):
  assert not [name for name in library._NOTES if not hasattr(library, f"_{name}")]


def test_kornia_asks_for_parameters_that_it_is_handed():
  for work in list_work(1):
    if build := getattr(Kornia, f"_{work.distortion}", None):
      names = re.findall(r'\b(?:values|v)\["(\w+)"\]', inspect.getsource(build))
      assert set(names) <= set(work.parameters), work.name


def test_jh_labs_knows_the_ops_and_parameters_that_it_is_handed():
  program = (_ROOT / "benchmarks/peers/JHLabs.java").read_text()
  for work in list_work(1):
    if work.distortion in JHLABS_OPS:
      assert f'case "{work.distortion}":' in program
      for name in work.parameters:
        assert f'given.get("{name}")' in program


def test_the_pictures_are_as_many_and_as_large_as_asked_for():
  assert photographs(3, 40).shape == (3, 40, 40, 3)


def test_operations_are_counted_of_networks_with_batch_normalisation():
  config = load_config(_ROOT / "configs/compact.py").resolved(None)
  assert step_flops(config.network_spec(7), 8) / 8 == pytest.approx(0.3746e9, rel=0.01)


@pytest.mark.parametrize("name", ["vgg_transfer", "sgdnet_transfer"])
def test_transfer_networks_are_measured_without_their_weights(name):
  config = without_weights(load_config(_ROOT / f"configs/{name}.py"))
  assert MODELS[config.model.name].pretrained
  assert config.open_backbone() is None
