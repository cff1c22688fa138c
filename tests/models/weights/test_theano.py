"""Keras under Theano: kernels turned by half a turn, in Keras 1 in another order, give the features that they gave."""

import h5py
import jax
import numpy as np
import pytest
from flax import nnx
from scipy.signal import convolve2d, correlate2d

from jaxdistort.errors import InputError
from jaxdistort.models import run_network, split_network
from jaxdistort.models.layers import convolution
from jaxdistort.models.probe import Features
from jaxdistort.models.weights import KINDS, Kind, Pretrained, Published, convert, load_pretrained
from jaxdistort.models.weights.keras import THEANO_AXES, open_keras
from tests.models.weights.test_broken_files import write_keras_vgg16

KERNELS = {  # as a network computes with them: [H, W, in, out]
  "first": np.random.default_rng(0).normal(0, 0.2, (3, 3, 3, 4)).astype(np.float32),
  "second": np.random.default_rng(1).normal(0, 0.2, (3, 3, 4, 5)).astype(np.float32),
}
PICTURE = np.random.default_rng(2).integers(0, 256, (1, 9, 12, 3), np.uint8)


class Pair(nnx.Module):
  """Two convolutions."""

  def __init__(self, *, dtype, rngs):
    self.first = convolution(3, 4, dtype=dtype, rngs=rngs)
    self.second = convolution(4, 5, dtype=dtype, rngs=rngs)

  def __call__(self, x):
    return self.second(self.first(x))


@pytest.fixture(autouse=True)
def pair():
  build = lambda *, dtype, rngs, **options: Features(Pair(dtype=dtype, rngs=rngs), dtype=dtype, **options)
  names = lambda tensors: lambda name: name.replace(".", "/")
  kind = Kind(
    Pretrained("pair", build), "raw", open_keras, names, "first/", Published("", ""), other_axes=(THEANO_AXES,)
  )
  KINDS.register("keras-pair", kind)
  yield
  KINDS.unregister("keras-pair")


def _write(path, *, turned=False, ordered=False, ending="", first_keras=False, **attributes):
  """`turned` by half a turn; `ordered` [out, in, H, W]; names of the `first_keras`, with an `ending`."""
  with h5py.File(path, "w") as file:
    file.attrs["layer_names"] = [name.encode() for name in KERNELS]
    for layer, kernel in KERNELS.items():
      stored = kernel[::-1, ::-1] if turned else kernel
      roles = ("W", "b") if first_keras else ("kernel", "bias")
      names = [f"{layer}{'_' if first_keras else '/'}{role}{ending}" for role in roles]
      group = file.create_group(layer)
      group.attrs["weight_names"] = [name.encode() for name in names]
      group[names[0]] = stored.transpose(3, 2, 0, 1) if ordered else stored
      group[names[1]] = np.arange(kernel.shape[3], dtype=np.float32)
    file.attrs.update(attributes)
  return path


def _features(multiply, turned):
  """What the network gave: Theano convolves with its kernels, others correlate; the same numbers in the end."""
  x = PICTURE[0].astype(np.float64)
  for kernel in KERNELS.values():
    stored = kernel[::-1, ::-1] if turned else kernel
    maps = [
      sum(multiply(x[..., i], stored[..., i, o], "same") for i in range(kernel.shape[2])) + o
      for o in range(kernel.shape[3])
    ]
    x = np.stack(maps, axis=-1)
  return x


def _ours(source):
  network = load_pretrained(convert("keras-pair", source, source.with_suffix(".safetensors")).path)
  return np.asarray(jax.jit(run_network, static_argnums=0)(*split_network(network), PICTURE)[0])[0]


THEANO = {
  "Keras 2, by its backend": ("w.h5", {"turned": True, "backend": b"theano", "keras_version": b"2.0.8"}),
  "the same as text": ("w.h5", {"turned": True, "backend": "Theano"}),
  "Keras 1, by its names and order": ("w.h5", {"turned": True, "ordered": True, "first_keras": True}),
  "by the file's name": ("vgg_weights_th_dim_ordering_th_kernels.h5", {"turned": True, "ordered": True}),
  "by the file's name, TensorFlow's order": (
    "W_TF_DIM_ORDERING_TH_KERNELS.h5",
    {"turned": True, "ending": ":0", "first_keras": True},
  ),
}
OTHERS = {
  "Keras 2": ("w.h5", {"ending": ":0", "backend": b"tensorflow"}),
  "Keras 2 of CNTK": ("w.h5", {"backend": b"cntk"}),
  "Keras 3": ("w.h5", {"backend": "torch", "keras_version": "3.11.0"}),
  "Keras 1": ("w.h5", {"ending": "_1:0", "first_keras": True}),
  "Keras 1, Theano's order": ("w.h5", {"ending": ":0", "first_keras": True, "ordered": True}),
  "Theano's order, by the file's name": ("th_dim_ordering_tf_kernels.h5", {"ordered": True, "first_keras": True}),
}


@pytest.mark.parametrize("name", THEANO)
def test_kernels_of_theano_are_turned(name, tmp_path):
  file, options = THEANO[name]
  expected = _features(convolve2d, turned=True)
  np.testing.assert_allclose(_ours(_write(tmp_path / file, **options)), expected, atol=1e-3)
  assert np.abs(expected - _features(correlate2d, turned=True)).max() > 10  # unturned it would be another network


@pytest.mark.parametrize("name", OTHERS)
def test_kernels_of_others_are_left(name, tmp_path):
  file, options = OTHERS[name]
  np.testing.assert_allclose(_ours(_write(tmp_path / file, **options)), _features(correlate2d, turned=False), atol=1e-3)


@pytest.mark.parametrize(
  ("file", "options", "message"),
  [
    ("w.h5", {}, r"does not say which backend of Keras wrote it \(attribute backend\).* write th_kernels"),
    ("w.h5", {"first_keras": True}, "does not say which backend"),  # Theano with TensorFlow's order, or written anew
    (
      "th_kernels.h5",
      {"backend": "tensorflow"},
      "by its name it holds th_kernels, by its attribute backend those of t",
    ),
    (
      "tf_kernels.h5",
      {"backend": "theano"},
      "by its name it holds tf_kernels, by its attribute backend those of theano",
    ),
    ("tf_kernels_th_kernels.h5", {}, "by its name it holds tf_ and th_kernels"),
  ],
)
def test_what_cannot_be_known_is_refused(file, options, message, tmp_path):
  with pytest.raises(InputError, match=message):
    convert("keras-pair", _write(tmp_path / file, **options), tmp_path / "out.safetensors")
  assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.slow
def test_vgg16_of_theano(tmp_path):
  """A bias in each layer tells kernels apart that are all zeros but for one corner."""
  source = write_keras_vgg16(tmp_path / "vgg16_weights_th_dim_ordering_th_kernels_notop.h5")
  rng = np.random.default_rng(0)
  with h5py.File(source, "a") as file:
    kernel = rng.normal(size=(64, 3, 3, 3)).astype(np.float32)
    for layer in file:
      for name in file[layer][layer]:
        if name.startswith("kernel"):
          place, shape = f"{layer}/{layer}/{name}", file[layer][layer][name].shape
          del file[place]
          file.create_dataset(place, tuple(shape[i] for i in (3, 2, 0, 1)), "f4", fillvalue=0)
    del file["block1_conv1/block1_conv1/kernel:0"]
    file["block1_conv1/block1_conv1/kernel:0"] = kernel
  network = load_pretrained(convert("keras-vgg16", source, tmp_path / "out.safetensors").path)
  first = network.backbone.layers["block1_conv1"].kernel[...]
  np.testing.assert_array_equal(first, kernel[:, :, ::-1, ::-1].transpose(2, 3, 1, 0))
