"""The networks, by name: uint8 pictures [B, S, S, 3] in, logits float32 [B, K] out (flax.nnx)."""

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax.numpy as jnp
from flax import nnx
from flax.typing import Dtype

from jaxdistort.errors import InputError, choose
from jaxdistort.models.compact import Compact
from jaxdistort.models.layers import INPUT_SCALINGS, freeze
from jaxdistort.models.network import Variables, count_parameters, merge_network, run_network, split_network
from jaxdistort.models.probe import Probe
from jaxdistort.models.resnet import ResNet50
from jaxdistort.models.sgdnet import SGDNetBase
from jaxdistort.models.softmax import Softmax
from jaxdistort.models.vgg import VGG


class Architecture(NamedTuple):
  """A kind of network.

  Attributes:
    build: `(image_size, num_classes, *, input_scaling, dtype, rngs, **options)`.
    pretrained: the architecture whose weights its `base` takes from elsewhere; None if it starts from scratch.
    options: names of further arguments of `build`.
  """

  build: Callable[..., nnx.Module]
  pretrained: str | None = None
  options: tuple[str, ...] = ()


_VGG_OPTIONS = ("head_convolutions", "dropout")

MODELS: Mapping[str, Architecture] = MappingProxyType({
  "softmax": Architecture(Softmax),
  "vgg_scratch": Architecture(VGG, options=_VGG_OPTIONS),
  "vgg_transfer": Architecture(VGG, "vgg16", _VGG_OPTIONS),
  "sgdnet_transfer": Architecture(functools.partial(Probe, SGDNetBase), "sgdnet"),
  "resnet_transfer": Architecture(functools.partial(Probe, ResNet50), "resnet50"),
  "compact": Architecture(Compact),
})  # fmt: skip


def create_model(
  name: str,
  num_classes: int,
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
    num_classes: number of logits.
    image_size: side of the square pictures in pixels, at least 32.
    input_scaling: one of `INPUT_SCALINGS`.
    fine_tune: whether the base of a transfer network is trained too, not frozen.
    dtype: of the computation and of frozen kernels; parameters and logits are float32.
    rngs: draws the weights.
    **options: of this network, see `MODELS`.

  Raises:
    InputError: an unknown name, or a size that is too small.
  """
  kind = MODELS[choose("model", name, MODELS)]
  choose("input scaling", input_scaling, INPUT_SCALINGS)
  if image_size < 32:
    raise InputError(f"image size: {image_size} is below 32 pixels, the least that {name} can halve five times")
  for option in options:
    if option not in kind.options:
      owners = ", ".join(name for name, other in MODELS.items() if option in other.options)
      raise InputError(f"model {name}: has no {option}; {owners or 'no network'} has")
  network: Any = kind.build(image_size, num_classes, input_scaling=input_scaling, dtype=dtype, rngs=rngs, **options)
  if kind.pretrained and not fine_tune:
    freeze(network.base, dtype)
  return network


def trainable_parameters(name: str, num_classes: int = 3, *, image_size: int = 224, **options: Any) -> int:
  """Counts the trainable parameters of a network without allocating them; arguments as `create_model`.

  Raises:
    InputError: an unknown name.
  """
  build = lambda: create_model(name, num_classes, image_size=image_size, rngs=nnx.Rngs(0), **options)  # noqa: E731
  return count_parameters(split_network(nnx.eval_shape(build))[1])[0]


__all__ = [
  "INPUT_SCALINGS",
  "MODELS",
  "Variables",
  "count_parameters",
  "create_model",
  "merge_network",
  "run_network",
  "split_network",
  "trainable_parameters",
]
