"""Weights that Keras wrote: the converted network computes what Keras computes."""

import h5py
import jax
import numpy as np
import pytest
from flax import nnx

from jaxdistort.models import run_network, split_network
from jaxdistort.models.weights import convert, load_pretrained

pytestmark = [
  pytest.mark.slow,
  pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras under NumPy 2
]

# One even side and one odd: they are padded, and the last row is left out, in different ways. Not square.
PICTURE = np.random.default_rng(0).integers(0, 256, (1, 96, 161, 3), dtype=np.uint8)

_run = jax.jit(run_network, static_argnums=0)


@pytest.fixture(scope="module")
def keras_networks():
  """The module, imported with Keras where its tests run: not wherever tests are collected."""
  from tests.models.weights import keras_networks

  return keras_networks


def _assert_close(ours, theirs):
  """To 1e-4 of the largest value."""
  ours = np.asarray(ours)
  assert ours.shape == theirs.shape
  np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4 * np.abs(theirs).max())
  assert np.abs(theirs).max() > 1e-3  # the test would not see a network that says nothing


def _converted(kind, source):
  return load_pretrained(convert(kind, source, source.with_suffix(".safetensors")).path)


def _predict(network):
  return _run(*split_network(network), PICTURE)[0]


@pytest.mark.long
def test_vgg16_agrees_with_keras(keras_networks, tmp_path):
  theirs = keras_networks.vgg16()
  ours = _converted("keras-vgg16", keras_networks.save(theirs, tmp_path / "vgg.h5"))
  _assert_close(_predict(ours), keras_networks.predict(theirs, PICTURE))


@pytest.mark.long
def test_resnet50_with_newer_names_and_epsilon_agrees_with_keras(keras_networks, tmp_path):
  theirs = keras_networks.newer_resnet50()
  ours = _converted("keras-resnet50", keras_networks.save(theirs, tmp_path / "resnet.h5"))
  _assert_close(_predict(ours), keras_networks.predict(theirs, PICTURE))


@pytest.mark.long
def test_sgdnet_of_both_widths_and_its_resnet50_agree_with_keras(keras_networks, tmp_path):
  whole, trunk, resnet = keras_networks.sgdnet()
  pooled, saliency, features = keras_networks.predict(trunk, PICTURE)
  ours = _converted("keras-resnet50", keras_networks.save(resnet, tmp_path / "resnet.h5"))
  _assert_close(_predict(ours), features)
  ours = {
    width: _converted("sgdnet", keras_networks.save(theirs, tmp_path / f"{width}.pkl", generation=2, whole=True))
    for width, theirs in whole.items()
  }
  judged = _predict(ours[1024])
  _assert_close(judged.saliency, saliency[..., 0])
  _assert_close(judged.pooled, pooled)
  for width, theirs in whole.items():  # which differ in their last layers alone
    _assert_close(ours[width].quality(pooled), keras_networks.score(theirs, pooled))
  _assert_close(judged.score, keras_networks.score(whole[1024], pooled))
  jax.tree.map(np.testing.assert_array_equal, *(nnx.to_pure_dict(nnx.state(ours[w].backbone)) for w in (512, 1024)))


@pytest.mark.long
def test_every_generation_of_names_gives_the_same_file(keras_networks, tmp_path):
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


@pytest.mark.long
def test_a_top_and_layers_within_a_layer_do_not_disturb(keras_networks, tmp_path):
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


@pytest.mark.long
def test_unnamed_layers_of_sgdnet_are_found_under_any_number(keras_networks, tmp_path):
  whole, _, _ = keras_networks.sgdnet()
  source = keras_networks.save(whole[512], tmp_path / "first.pkl")
  first = convert("sgdnet", source, tmp_path / "a.safetensors")
  with h5py.File(source, "a") as file:
    renamed = {"conv2d_1": "conv2d_12", "dense_1": "dense_9", "dense_2": "dense_10"}
    for old, new in renamed.items():
      file.move(old, new)
    file.attrs["layer_names"] = [renamed.get(name, name) for name in file.attrs["layer_names"]]
  assert _content(convert("sgdnet", source, tmp_path / "b.safetensors").path) == _content(first.path)
