"""A small network that keeps high frequencies: it trains in minutes on two CPU cores."""

import jax
import jax.numpy as jnp
from flax import nnx
from flax.typing import Dtype

from jaxdistort.models.create import MODELS, Architecture
from jaxdistort.models.layers import convolution, output_layer, scale_levels
from jaxdistort.models.padding import mean_of_map, without_padding

_STAGES = ((16, 1), (32, 2), (64, 2), (96, 2))  # channels and stride of the convolutions
_STRIDE = 16  # pixels from one place of the last map to the next


class Compact(nnx.Module):
  """uint8 [B, S, S, 3] to float32 [B, outputs].

  The first layer sees every 2 x 2 block of pixels as 12 channels: half the resolution, and nothing lost of
  the finest detail, where noise and slight blur live (a pool or a stride would alias it away).

  Args:
    pool: whether the last map is averaged, so that pictures may have any size. Unless it is, where in the picture
      a trace lies matters (a twirl shows at the border).
  """

  def __init__(
    self,
    image_size: int,
    num_outputs: int,
    *,
    input_scaling: str,
    dtype: Dtype,
    rngs: nnx.Rngs,
    pool: bool = False,
  ):
    self.input_scaling, self.dtype, self.any_size = input_scaling, dtype, pool
    channels, size, layers, norms = 12, image_size // 2, [], []
    for width, stride in _STAGES:
      layers.append(convolution(channels, width, stride=stride, bias=False, dtype=dtype, rngs=rngs))
      norms.append(nnx.BatchNorm(width, momentum=0.95, dtype=dtype, rngs=rngs))
      channels, size = width, -(-size // stride)
    self.layers, self.norms = nnx.List(layers), nnx.List(norms)
    self.out = output_layer(channels if pool else size * size * channels, num_outputs, rngs=rngs)

  def features(self, images: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """The last map [B, ceil(S/16), ceil(S/16), 96]; of an odd S the last row and column are left out."""
    count, height, width = images.shape[0], images.shape[1] // 2, images.shape[2] // 2
    x = without_padding(scale_levels(images, self.input_scaling, self.dtype), mask)[:, : 2 * height, : 2 * width]
    x = x.reshape(count, height, 2, width, 2, 3).swapaxes(2, 3).reshape(count, height, width, 12)
    for layer, norm in zip(self.layers, self.norms, strict=True):
      x = nnx.relu(norm(layer(x)))
    return x

  def classify(self, x: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """Outputs of a map."""
    if self.any_size:
      return self.out(mean_of_map(x, mask, stride=_STRIDE, dtype=jnp.float32))
    return self.out(x.reshape(x.shape[0], -1))

  def __call__(self, images: jax.Array, key: jax.Array | None = None, mask: jax.Array | None = None) -> jax.Array:
    del key
    return self.classify(self.features(images, mask), mask)


MODELS.register("compact", Architecture(Compact, options=("pool",)))
