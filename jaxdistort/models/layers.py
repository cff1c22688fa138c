"""What the networks share: scaling of the levels, He initialisation, convolution with ReLU."""

import jax
import jax.numpy as jnp
from flax import nnx
from flax.typing import Dtype

INPUT_SCALINGS = ("centered", "raw")
"""How 8-bit levels enter a network: centered maps 0..255 to -1..1; raw leaves them (as the paper did)."""

he_normal = nnx.initializers.he_normal()


def scale_levels(images: jax.Array, scaling: str, dtype: Dtype) -> jax.Array:
  """Levels uint8 [...] to numbers of `dtype`; exact in float32."""
  levels = images.astype(jnp.float32)
  return ((levels - 127.5) / 127.5 if scaling == "centered" else levels).astype(dtype)


def convolution(
  inputs: int, outputs: int, *, dtype: Dtype, rngs: nnx.Rngs, stride: int = 1, bias: bool = True
) -> nnx.Conv:
  """A 3 x 3 convolution with zero padding, He-initialised for a ReLU behind it."""
  return nnx.Conv(
    inputs, outputs, (3, 3), strides=stride, padding=1, use_bias=bias, kernel_init=he_normal, dtype=dtype, rngs=rngs
  )


def dense(inputs: int, outputs: int, *, dtype: Dtype, rngs: nnx.Rngs) -> nnx.Linear:
  """A dense layer, He-initialised for a ReLU behind it."""
  return nnx.Linear(inputs, outputs, kernel_init=he_normal, dtype=dtype, rngs=rngs)


def classifier(inputs: int, num_classes: int, *, rngs: nnx.Rngs) -> nnx.Linear:
  """The last dense layer: float32 logits, small at first, so that the first loss is near log(num_classes)."""
  small = nnx.initializers.variance_scaling(0.01, "fan_in", "truncated_normal")
  return nnx.Linear(inputs, num_classes, kernel_init=small, dtype=jnp.float32, rngs=rngs)


def max_pool(x: jax.Array) -> jax.Array:
  """The greatest of 2 x 2; an odd last row or column is left out."""
  return nnx.max_pool(x, (2, 2), (2, 2))
