"""The networks, by name: uint8 pictures [B, S, S, 3] in, logits float32 [B, K] out (flax.nnx)."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from flax.typing import Dtype

from jaxdistort.errors import InputError, choose
from jaxdistort.models.compact import Compact
from jaxdistort.models.layers import INPUT_SCALINGS
from jaxdistort.models.softmax import Softmax
from jaxdistort.models.vgg import VGG

MODELS: Mapping[str, Callable[..., nnx.Module]] = MappingProxyType(
  {"softmax": Softmax, "vgg_scratch": VGG, "compact": Compact}
)
"""Networks by name: `(image_size, num_classes, *, input_scaling, dtype, rngs)`."""


def create_model(
  name: str,
  num_classes: int,
  *,
  image_size: int = 224,
  input_scaling: str = "centered",
  dtype: Dtype = jnp.float32,
  rngs: nnx.Rngs,
) -> nnx.Module:
  """Builds a network with fresh weights.

  Args:
    name: one of `MODELS`.
    num_classes: number of logits.
    image_size: side of the square pictures in pixels, at least 32.
    input_scaling: one of `INPUT_SCALINGS`.
    dtype: of the computation; parameters and logits are float32.
    rngs: draws the weights.

  Raises:
    InputError: an unknown name, or a size that is too small.
  """
  build = MODELS[choose("model", name, MODELS)]
  choose("input scaling", input_scaling, INPUT_SCALINGS)
  if image_size < 32:
    raise InputError(f"image size: {image_size} is below 32 pixels, the least that {name} can halve five times")
  return build(image_size, num_classes, input_scaling=input_scaling, dtype=dtype, rngs=rngs)


def trainable_parameters(name: str, num_classes: int = 3, *, image_size: int = 224) -> int:
  """Counts the trainable parameters of a network without allocating them.

  Raises:
    InputError: an unknown name.
  """
  build = lambda: create_model(name, num_classes, image_size=image_size, rngs=nnx.Rngs(0))  # noqa: E731
  return sum(math.prod(p.shape) for p in jax.tree.leaves(nnx.state(nnx.eval_shape(build), nnx.Param)))


def run_network(
  structure: nnx.GraphDef, parameters: Any, statistics: Any, images: jax.Array, *, train: bool
) -> tuple[jax.Array, Any]:
  """Applies a network as a pure function.

  Args:
    structure: of the network, from `nnx.split`.
    parameters, statistics: its trainable and its other variables, as pure dicts.
    images: uint8 [B, S, S, 3].
    train: whether batch normalisation uses (and updates) the statistics of this batch.

  Returns:
    Logits float32 [B, K], and the statistics after the pass.
  """
  network = nnx.merge(structure, nnx.State(parameters), nnx.State(statistics), copy=True)
  if train:
    network.train()
  else:
    network.eval()
  logits = network(images)
  return logits, nnx.to_pure_dict(nnx.state(network, nnx.Not(nnx.Param)))


__all__ = ["INPUT_SCALINGS", "MODELS", "create_model", "run_network", "trainable_parameters"]
