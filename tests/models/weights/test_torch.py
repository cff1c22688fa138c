"""Weights that PyTorch wrote: read without torch, named as torchvision and timm name them."""

import functools
import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.flax import save_file

from jaxdistort.errors import InputError
from jaxdistort.models.vgg import BLOCKS
from jaxdistort.models.weights import convert
from jaxdistort.models.weights.tensors import Damaged
from jaxdistort.models.weights.torch import open_torch

HERE = Path(__file__).parent  # tiny_*.pth and whole_model.pth were written by torch 2.13
PLACES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)


@pytest.mark.parametrize("name", ["tiny_zip.pth", "tiny_legacy.pth"])
def test_arrays_of_every_kind_are_read(name):
  expected = np.load(HERE / "tiny_expected.npz")
  with open_torch(HERE / name) as tensors:
    assert set(tensors) == set(expected)
    for key in expected:
      assert tensors[key].shape == expected[key].shape
      np.testing.assert_array_equal(np.asarray(tensors[key].read(), np.float32), expected[key])


def vgg16_state_dict():
  """Random weights with torchvision's names and layout; a small classifier stands for the real one."""
  return dict(_vgg16_state_dict())


@functools.cache
def _vgg16_state_dict():
  rng = np.random.default_rng(0)
  state, channels = {}, 3
  for place, width in zip(PLACES, [width for block in BLOCKS for width in block], strict=True):
    state[f"features.{place}.weight"] = rng.standard_normal((width, channels, 3, 3), np.float32) * np.float32(0.05)
    state[f"features.{place}.bias"] = rng.standard_normal(width, np.float32)
    channels = width
  return state | {"classifier.6.weight": np.ones((10, 16), np.float32), "classifier.6.bias": np.ones(10, np.float32)}


def save_torch(state, path):
  save_file({name: jnp.asarray(array) for name, array in state.items()}, path)
  return path


@pytest.mark.slow
def test_kernels_are_turned_into_our_layout(tmp_path):
  state = vgg16_state_dict()
  file = convert("torchvision-vgg16", save_torch(state, tmp_path / "vgg.safetensors"), tmp_path / "out.safetensors")
  assert (file.architecture, file.preprocessing) == ("vgg16", "torchvision")
  with open_torch(file.path) as ours:
    assert len(ours) == 26
    kernel = ours["layers.block3_conv2.kernel"].read()
    np.testing.assert_array_equal(ours["layers.block5_conv3.bias"].read(), state["features.28.bias"])
  theirs = state["features.12.weight"]
  for i, j, row, column in np.random.default_rng(1).integers(0, (256, 256, 3, 3), (50, 4)):
    assert kernel[row, column, i, j] == theirs[j, i, row, column]


@pytest.mark.slow
def test_half_precision_and_a_prefix(tmp_path):
  state = {f"module.{name}": jnp.asarray(array, jnp.bfloat16) for name, array in vgg16_state_dict().items()}
  state["module.head.fc.weight"] = state.pop("module.classifier.6.weight")  # timm's name
  file = convert("torchvision-vgg16", save_torch(state, tmp_path / "vgg.safetensors"), tmp_path / "out.safetensors")
  with open_torch(file.path) as ours:
    bias = ours["layers.block1_conv1.bias"].read()
  assert bias.dtype == np.float32
  np.testing.assert_array_equal(bias, np.asarray(state["module.features.0.bias"], np.float32))


@pytest.mark.parametrize("name", ["tiny_zip.pth", "tiny_legacy.pth"])
def test_damage_anywhere_is_reported(name, tmp_path):
  """Cut at every length, or with bytes changed: read, or refused in one line; nothing else is ever raised."""
  content, rng, path = (HERE / name).read_bytes(), np.random.default_rng(0), tmp_path / "damaged.pth"
  changed, reported = [], []
  for _ in range(300):
    damaged = bytearray(content)
    for place in rng.integers(0, len(content), 3):
      damaged[place] = rng.integers(256)
    changed.append(bytes(damaged))
  for damaged in [*changed, *(content[:length] for length in range(0, len(content), 7))]:
    path.write_bytes(damaged)
    try:
      with open_torch(path) as tensors:
        for tensor in tensors.values():
          if np.prod(tensor.shape, dtype=float) < 1e6:  # `convert` reads those of the right shape alone
            tensor.read()
    except (InputError, Damaged) as error:
      reported.append(str(error))
  assert len(reported) > 100
  assert not [message for message in reported if "\n" in message]


class _Evil:
  def __reduce__(self):
    return os.system, ("touch /tmp/jaxdistort_was_here",)


@pytest.mark.parametrize("content", [_Evil(), OrderedDict(weight=_Evil()), {"state_dict": [_Evil()]}])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_pickle_that_asks_for_more_is_refused(content, zipped, tmp_path):
  path = tmp_path / "evil.pth"
  if zipped:
    with zipfile.ZipFile(path, "w") as archive:
      archive.writestr("evil/data.pkl", pickle.dumps(content, 2))
  else:
    file = io.BytesIO()
    for part in (0x1950A86A20F9469CFC6C, 1001, {}, content, []):
      pickle.dump(part, file, 2)
    path.write_bytes(file.getvalue())
  with pytest.raises(InputError, match=r"holds Python objects \(posix\.system\)"), open_torch(path):
    pass
  assert not Path("/tmp/jaxdistort_was_here").exists()


@pytest.mark.long
def test_a_pickle_nested_too_deep_is_refused(tmp_path):
  path = tmp_path / "deep.pth"
  with zipfile.ZipFile(path, "w") as archive:
    archive.writestr("deep/data.pkl", b"\x80\x02})" + b"\x85" * 200_000 + b"K\x01s.")
  with pytest.raises(InputError, match="a pickle of 20,000 steps or more"), open_torch(path):
    pass


def test_a_whole_model_is_refused_with_advice():
  expected = r"torch\.nn\.modules\.conv\.Conv2d.*save the state_dict\(\)"
  with pytest.raises(InputError, match=expected), open_torch(HERE / "whole_model.pth"):
    pass


@pytest.mark.parametrize("place", [b"r\xff\xff\xff\x3f", b"p1073741823\n"])
def test_a_pickle_that_sets_gigabytes_aside_is_refused(tmp_path, place):
  """Its memo would have a billion places."""
  content = b"\x80\x02}" + place + b"."
  with zipfile.ZipFile(tmp_path / "model.pth", "w") as archive:
    archive.writestr("model/data.pkl", content)
  with pytest.raises(InputError, match="it remembers more than it has steps"), open_torch(tmp_path / "model.pth"):
    pass


def test_a_member_that_unpacks_to_gigabytes_is_refused(tmp_path):
  with zipfile.ZipFile(HERE / "tiny_zip.pth") as whole, zipfile.ZipFile(tmp_path / "model.pth", "w", 8) as packed:
    for name in whole.namelist():
      packed.writestr(name, whole.read(name) if "/data/" not in name else bytes(10_000_000))
  with open_torch(tmp_path / "model.pth") as tensors:
    for tensor in tensors.values():
      with pytest.raises(Damaged, match="would unpack to 10,000,000 bytes"):
        tensor.read()
