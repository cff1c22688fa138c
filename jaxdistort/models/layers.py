"""What the networks share: scaling of the levels, He initialisation, convolution, and layers that are not trained."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from flax.typing import Dtype

from jaxdistort.models.convolving import convolve


class Scaling(NamedTuple):
  """Levels become (level - offset) / divisor, channel by channel; `reverse` puts blue first."""

  offset: tuple[float, float, float]
  divisor: tuple[float, float, float] = (1.0, 1.0, 1.0)
  reverse: bool = False


INPUT_SCALINGS: Mapping[str, Scaling] = MappingProxyType({
  "centered": Scaling((127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
  "raw": Scaling((0.0, 0.0, 0.0)),
  "keras": Scaling((103.939, 116.779, 123.68), reverse=True),
  "torchvision": Scaling((0.485 * 255, 0.456 * 255, 0.406 * 255), (0.229 * 255, 0.224 * 255, 0.225 * 255)),
})  # fmt: skip
"""How 8-bit levels enter a network: centered maps 0..255 to -1..1; raw leaves them (as the study did); keras
(BGR, means of ImageNet subtracted) and torchvision (means and deviations of ImageNet) are what weights from there
were trained on."""

he_normal = nnx.initializers.he_normal()


def scale_levels(images: jax.Array, scaling: str, dtype: Dtype) -> jax.Array:
  """Levels uint8 [..., 3] in RGB order to numbers of `dtype`, computed in float32."""
  kind = INPUT_SCALINGS[scaling]
  levels = (images[..., ::-1] if kind.reverse else images).astype(jnp.float32)
  per_channel = (1,) * (images.ndim - 1) + (3,)
  offset, divisor = (jnp.array(values, jnp.float32).reshape(per_channel) for values in (kind.offset, kind.divisor))
  return ((levels - offset) / divisor).astype(dtype)


def convolution(
  inputs: int, outputs: int, *, dtype: Dtype, rngs: nnx.Rngs, size: int = 3, stride: int = 1, bias: bool = True
) -> nnx.Conv:
  """A convolution of odd size, zeros around its input, He-initialised for a ReLU behind it."""
  margin = ((size // 2, size // 2),) * 2
  return nnx.Conv(
    inputs,
    outputs,
    (size, size),
    strides=stride,
    padding=margin,
    use_bias=bias,
    kernel_init=he_normal,
    dtype=dtype,
    conv_general_dilated=convolve,
    rngs=rngs,
  )


def dense(inputs: int, outputs: int, *, dtype: Dtype, rngs: nnx.Rngs) -> nnx.Linear:
  """A dense layer, He-initialised for a ReLU behind it."""
  return nnx.Linear(inputs, outputs, kernel_init=he_normal, dtype=dtype, rngs=rngs)


def output_layer(inputs: int, num_outputs: int, *, rngs: nnx.Rngs) -> nnx.Linear:
  """The last dense layer: float32 outputs, small at first, so that the first loss is that of guessing."""
  small = nnx.initializers.variance_scaling(0.01, "fan_in", "truncated_normal")
  return nnx.Linear(inputs, num_outputs, kernel_init=small, dtype=jnp.float32, rngs=rngs)


def max_pool(x: jax.Array) -> jax.Array:
  """The greatest of 2 x 2; an odd last row or column is left out."""
  return nnx.max_pool(x, (2, 2), (2, 2))


class Frozen(nnx.Variable):
  """A weight that is not trained: it has no gradient and no optimiser state, and no checkpoint holds it."""


def freeze(module: nnx.Module, dtype: Dtype) -> None:
  """Turns every variable of a module, running means included, into `Frozen`.

  Kernels are kept in `dtype`, the one they are computed in, and in no other; vectors stay float32.
  """
  for _, node in nnx.iter_modules(module):
    for name, variable in list(vars(node).items()):
      if isinstance(variable, nnx.Variable):
        value = variable.get_value()
        setattr(node, name, Frozen(value.astype(dtype) if value.ndim > 1 else value))
