"""The table of networks, and how one is built."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from flax import nnx
from flax.typing import Dtype

from jaxdistort.errors import InputError, choose
from jaxdistort.models.layers import INPUT_SCALINGS, freeze
from jaxdistort.models.network import count_parameters, split_network
from jaxdistort.registry import Registry


class Architecture(NamedTuple):
  """A kind of network.

  Attributes:
    build: `(image_size, num_outputs, *, input_scaling, dtype, rngs, **options)`. The network has an attribute
      `any_size`: whether it takes pictures of any size, and then a mask of their padding (see `run_network`).
    pretrained: the network whose weights its `backbone` takes from elsewhere; None if it starts from scratch.
    options: names of further arguments of `build`.
  """

  build: Callable[..., nnx.Module]
  pretrained: str | None = None
  options: tuple[str, ...] = ()


MODELS: Registry[Architecture] = Registry("model")
"""Networks by name; the module of each registers it."""


def create_model(
  name: str,
  num_outputs: int,
  *,
  image_size: int = 224,
  input_scaling: str = "centered",
  fine_tune: bool = False,
  dtype: Dtype = jnp.float32,
  rngs: nnx.Rngs,
  **options: Any,
) -> nnx.Module:
  """Builds a network with fresh weights.

  Args:
    name: one of `MODELS`.
    num_outputs: a picture, what a task calls its width.
    image_size: side of the square pictures in pixels, at least 32.
    input_scaling: one of `INPUT_SCALINGS`.
    fine_tune: whether the backbone of a transfer network is trained too, not frozen.
    dtype: of the computation and of frozen kernels; parameters and outputs are float32.
    rngs: draws the weights.
    **options: of this network, see `MODELS`.

  Raises:
    InputError: an unknown name, scaling or option, or a size that is too small.
  """
  architecture = MODELS.find(name)
  choose("input scaling", input_scaling, INPUT_SCALINGS)
  if image_size < 32:
    raise InputError(f"image size: {image_size} is below 32 pixels, the least that {name} can halve five times")
  for option in options:
    if option not in architecture.options:
      owners = ", ".join(name for name, other in MODELS.items() if option in other.options)
      raise InputError(f"model {name}: has no {option}; {owners or 'no network'} has")
  network: Any = architecture.build(
    image_size, num_outputs, input_scaling=input_scaling, dtype=dtype, rngs=rngs, **options
  )
  if architecture.pretrained and not fine_tune:
    freeze(network.backbone, dtype)
  return network


def trainable_parameters(name: str, num_classes: int = 3, *, image_size: int = 224, **options: Any) -> int:
  """Counts the trainable parameters of a network without allocating them; `num_classes` outputs, else `create_model`.

  Raises:
    InputError: an unknown name.
  """
  build = lambda: create_model(name, num_classes, image_size=image_size, rngs=nnx.Rngs(0), **options)  # noqa: E731
  return count_parameters(split_network(nnx.eval_shape(build))[1])[0]
