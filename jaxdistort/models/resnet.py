"""ResNet50 as the first Keras had it, which SGDNet stands on."""

import jax
from flax import nnx
from flax.typing import Dtype

from jaxdistort.models.layers import convolution

EPSILON = 1e-3  # of the batch normalisation, Keras' default
BLOCKS = tuple(
  (f"{stage}{'abcdef'[i]}", width, 2 if i == 0 and stage > 2 else 1)
  for stage, (width, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 2)
  for i in range(count)
)
"""Blocks: Keras' name (2a to 5c), channels of the 3 x 3 convolution, and stride."""


class ConvNorm(nnx.Module):
  """A convolution with bias, then batch normalisation."""

  def __init__(
    self,
    inputs: int,
    outputs: int,
    size: int,
    *,
    stride: int = 1,
    dtype: Dtype,
    rngs: nnx.Rngs,
    last: bool = False,
  ):
    self.conv = convolution(inputs, outputs, size=size, stride=stride, dtype=dtype, rngs=rngs)
    # A block that adds nothing at first keeps signals and gradients of 16 blocks in bounds (Goyal et al. 2017).
    first_scale = nnx.initializers.zeros_init() if last else nnx.initializers.ones_init()
    self.norm = nnx.BatchNorm(outputs, momentum=0.99, epsilon=EPSILON, scale_init=first_scale, dtype=dtype, rngs=rngs)

  def __call__(self, x: jax.Array) -> jax.Array:
    return self.norm(self.conv(x))


class Bottleneck(nnx.Module):
  """1 x 1, 3 x 3 and 1 x 1 convolutions beside a shortcut; the stride is on the first of them (He et al. 2016)."""

  def __init__(self, inputs: int, width: int, *, stride: int, project: bool, dtype: Dtype, rngs: nnx.Rngs):
    self.branch2a = ConvNorm(inputs, width, 1, stride=stride, dtype=dtype, rngs=rngs)
    self.branch2b = ConvNorm(width, width, 3, dtype=dtype, rngs=rngs)
    self.branch2c = ConvNorm(width, 4 * width, 1, dtype=dtype, rngs=rngs, last=True)
    self.branch1 = ConvNorm(inputs, 4 * width, 1, stride=stride, dtype=dtype, rngs=rngs) if project else None

  def __call__(self, x: jax.Array) -> jax.Array:
    shortcut = x if self.branch1 is None else self.branch1(x)
    x = nnx.relu(self.branch2a(x))
    x = nnx.relu(self.branch2b(x))
    return nnx.relu(self.branch2c(x) + shortcut)


class ResNet50(nnx.Module):
  """Scaled pictures [B, H, W, 3] of any size to a map [B, ceil(H/32), ceil(W/32), 2048]."""

  channels = 2048
  stride = 32

  def __init__(self, *, dtype: Dtype, rngs: nnx.Rngs):
    self.stem = ConvNorm(3, 64, 7, stride=2, dtype=dtype, rngs=rngs)
    channels, blocks = 64, {}
    for name, width, stride in BLOCKS:
      project = name.endswith("a")
      blocks[name] = Bottleneck(channels, width, stride=stride, project=project, dtype=dtype, rngs=rngs)
      channels = 4 * width
    self.blocks = nnx.Dict(blocks)

  def __call__(self, x: jax.Array) -> jax.Array:
    x = nnx.relu(self.stem(x))
    # Keras pads with zeros, this with minus infinity: the same behind a ReLU.
    x = nnx.max_pool(x, (3, 3), (2, 2), padding=((1, 1), (1, 1)))
    for name, _, _ in BLOCKS:
      x = self.blocks[name](x)
    return x

  def features(self, x: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """The same map, for which it is of no matter where there is padding."""
    del mask
    return self(x)
