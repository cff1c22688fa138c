"""Weights that Keras wrote: the converted network computes what Keras computes."""

import h5py
import jax
import numpy as np
import pytest

from jaxdistort.weights import convert, load_pretrained
from tests.weights import keras_networks

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras under NumPy 2

SIZES = ((224, 224), (384, 512))


def _picture(height, width):
  return np.random.default_rng(height).integers(0, 256, (1, height, width, 3), dtype=np.uint8)


def _assert_close(ours, theirs):
  """To 1e-4 of the largest value."""
  assert ours.shape == theirs.shape
  np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4 * np.abs(theirs).max())
  assert np.abs(theirs).max() > 1e-3  # the test would not see a network that says nothing


def _converted(kind, source):
  return load_pretrained(convert(kind, source, source.with_suffix(".safetensors")).path)


def test_vgg16_agrees_with_keras(tmp_path):
  theirs = keras_networks.vgg16()
  ours = _converted("keras-vgg16", keras_networks.save(theirs, tmp_path / "vgg.h5"))
  for size in SIZES:
    picture = _picture(*size)
    _assert_close(np.asarray(jax.jit(ours)(picture)), keras_networks.predict(theirs, picture))


@pytest.mark.slow
def test_resnet50_with_newer_names_and_epsilon_agrees_with_keras(tmp_path):
  theirs = keras_networks.newer_resnet50()
  ours = _converted("keras-resnet50", keras_networks.save(theirs, tmp_path / "resnet.h5"))
  for size in SIZES:
    picture = _picture(*size)
    _assert_close(np.asarray(jax.jit(ours)(picture)), keras_networks.predict(theirs, picture))


@pytest.mark.slow
@pytest.mark.parametrize("width", [512, 1024])
def test_sgdnet_and_its_resnet50_agree_with_keras(width, tmp_path):
  theirs, their_resnet = keras_networks.sgdnet(width)
  source = keras_networks.save(theirs, tmp_path / "saliencyoutput.pkl", generation=2, whole=True)
  ours = jax.jit(_converted("sgdnet", source))
  our_resnet = jax.jit(_converted("keras-resnet50", keras_networks.save(their_resnet, tmp_path / "resnet.h5")))
  for size in SIZES if width == 1024 else [(96, 65)]:
    picture = _picture(*size)
    score, saliency, pooled, features = keras_networks.predict(theirs, picture)
    judged = ours(picture)
    _assert_close(np.asarray(judged.score), score[:, 0])
    _assert_close(np.asarray(judged.saliency), saliency[..., 0])
    _assert_close(np.asarray(judged.pooled), pooled)
    _assert_close(np.asarray(our_resnet(picture)), features)


def test_every_generation_of_names_gives_the_same_file(tmp_path):
  theirs = keras_networks.vgg16()
  digests = set()
  for generation in (1, 2, 3):
    for whole in (False, True):
      source = keras_networks.save(theirs, tmp_path / f"{generation}{whole}.h5", generation=generation, whole=whole)
      ours = convert("keras-vgg16", source, tmp_path / "out.safetensors")
      digests.add(_content(ours.path))
  assert len(digests) == 1


def _content(path):
  """The arrays, without the header, which names the source."""
  data = path.read_bytes()
  return data[8 + int.from_bytes(data[:8], "little") :]


def test_a_top_and_layers_within_a_layer_do_not_disturb(tmp_path):
  with_top = keras_networks.vgg16(top=True)
  plain = convert("keras-vgg16", keras_networks.save(with_top, tmp_path / "top.h5"), tmp_path / "a.safetensors")
  nested = tmp_path / "nested.h5"
  keras_networks.save(with_top, nested)
  with h5py.File(nested, "a") as file:  # as a model within a model is saved: its layers' weights in one group
    layers = [name for name in file.attrs["layer_names"] if name.startswith("block")]
    names = [f"{layer}/{role}:0" for layer in layers if len(file[layer]) for role in ("kernel", "bias")]
    for name in names:
      layer, role = name.removesuffix(":0").split("/")
      file.move(f"{layer}/{layer}/{role}", f"vgg16/{name}")
    file["vgg16"].attrs["weight_names"] = names
    del file.attrs["layer_names"]
    file.attrs["layer_names0"], file.attrs["layer_names1"] = ["input_1"], ["vgg16", "fc1"]  # cut, as long lists are
  assert _content(convert("keras-vgg16", nested, tmp_path / "b.safetensors").path) == _content(plain.path)


def test_unnamed_layers_of_sgdnet_are_found_under_any_number(tmp_path):
  theirs, _ = keras_networks.sgdnet(512)
  source = keras_networks.save(theirs, tmp_path / "first.pkl")
  first = convert("sgdnet", source, tmp_path / "a.safetensors")
  with h5py.File(source, "a") as file:
    renamed = {"conv2d_1": "conv2d_12", "dense_1": "dense_9", "dense_2": "dense_10"}
    for old, new in renamed.items():
      file.move(old, new)
    file.attrs["layer_names"] = [renamed.get(name, name) for name in file.attrs["layer_names"]]
  assert _content(convert("sgdnet", source, tmp_path / "b.safetensors").path) == _content(first.path)
