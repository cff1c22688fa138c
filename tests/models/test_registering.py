"""A new network, and a new kind of foreign files: a call each, and everything knows them."""

from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxdistort.errors import InputError
from jaxdistort.models import MODELS, Architecture, create_model, run_network, split_network, trainable_parameters
from jaxdistort.models.layers import convolution, output_layer, scale_levels
from jaxdistort.models.probe import Features
from jaxdistort.models.weights import (
  KINDS,
  Kind,
  Pretrained,
  Published,
  convert,
  load_backbone,
  load_pretrained,
  open_backbone,
)
from jaxdistort.models.weights.tensors import Tensor


class Edges(nnx.Module):
  """The backbone: one convolution."""

  def __init__(self, *, dtype: Any, rngs: nnx.Rngs):
    self.conv = convolution(3, 4, dtype=dtype, rngs=rngs)

  def __call__(self, x: jax.Array) -> jax.Array:
    return self.conv(x)


class EdgesTransfer(nnx.Module):
  """The network: a dense layer on the mean of its map."""

  any_size = False

  def __init__(self, image_size: int, num_outputs: int, *, input_scaling: str, dtype: Any, rngs: nnx.Rngs):
    self.input_scaling, self.dtype = input_scaling, dtype
    self.backbone = Edges(dtype=dtype, rngs=rngs)
    self.out = output_layer(4, num_outputs, rngs=rngs)

  def __call__(self, images: jax.Array, key: jax.Array | None = None) -> jax.Array:
    return self.out(self.backbone(scale_levels(images, self.input_scaling, self.dtype)).mean((1, 2)))


def build(*, dtype, rngs, **options):
  return Features(Edges(dtype=dtype, rngs=rngs), dtype=dtype, **options)


@contextmanager
def open_npz(path):
  with np.load(path) as arrays:
    yield {name: Tensor(arrays[name].shape, lambda name=name: arrays[name]) for name in arrays}


@pytest.fixture
def registered():
  MODELS.register("edges_transfer", Architecture(EdgesTransfer, "edges"))
  KINDS.register(
    "npz-edges",
    Kind(
      Pretrained("edges", build),
      preprocessing="raw",
      open=open_npz,
      names=lambda tensors: lambda name: name.replace("conv.", "first_"),
      own="first_",
      published=Published("edges.npz", "https://example.org/edges"),
      axes=(2, 3, 1, 0),
    ),
  )
  yield
  MODELS.unregister("edges_transfer")
  KINDS.unregister("npz-edges")


@pytest.mark.slow
@pytest.mark.usefixtures("registered")
def test_one_call_each_is_enough(tmp_path):
  kernel = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32)
  np.savez(tmp_path / "edges.npz", first_kernel=kernel, first_bias=np.arange(4, dtype=np.float32))

  with pytest.raises(InputError, match=r"a file of edges, which `convert` makes of npz-edges \(https://example.org/"):
    open_backbone("edges_transfer", "")
  convert("npz-edges", tmp_path / "edges.npz", tmp_path / "edges.safetensors")
  file = open_backbone("edges_transfer", str(tmp_path / "edges.safetensors"))
  assert file is not None
  assert (file.architecture, file.preprocessing) == ("edges", "raw")

  structure, variables = split_network(
    create_model("edges_transfer", 7, image_size=32, input_scaling=file.preprocessing, rngs=nnx.Rngs(0))
  )
  loaded = load_backbone(file, variables, jax.sharding.SingleDeviceSharding(jax.devices()[0]))
  np.testing.assert_array_equal(loaded.frozen["backbone"]["conv"]["kernel"], kernel.transpose(2, 3, 1, 0))
  images = jnp.ones((2, 32, 32, 3), jnp.uint8)
  outputs, _ = run_network(structure, variables._replace(frozen=loaded.frozen), images)
  assert outputs.shape == (2, 7)
  alone = load_pretrained(file.path)(images)
  np.testing.assert_allclose(alone[0, 16, 16], kernel.sum((1, 2, 3)) + np.arange(4), rtol=1e-5, atol=1e-5)

  damaged = tmp_path / "damaged.safetensors"
  damaged.write_bytes(file.path.read_bytes().replace(b'"F32"', b'"I32"', 1))
  with pytest.raises(InputError, match=r"tensor conv\.bias: expected float32, found int32$"):
    load_pretrained(damaged)

  assert trainable_parameters("edges_transfer", 7) == 4 * 7 + 7
  with pytest.raises(ValueError, match="'edges_transfer' is registered already"):
    MODELS.register("edges_transfer", Architecture(EdgesTransfer))


def test_they_are_gone_when_they_are_taken_out(registered):
  pass


def test_and_unknown_again(tmp_path):
  with pytest.raises(InputError, match="model: 'edges_transfer' is not one of softmax, "):
    create_model("edges_transfer", 3, rngs=nnx.Rngs(0))
  with pytest.raises(InputError, match="kind of weights: 'npz-edges' is not one of keras-vgg16, "):
    convert("npz-edges", tmp_path / "edges.npz", tmp_path / "edges.safetensors")
