"""The recogniser's network: what fine and coarse maps of a picture have in common all over it."""

import jax
import jax.numpy as jnp
from flax import nnx
from flax.typing import Dtype

from jaxdistort.models.create import MODELS, Architecture
from jaxdistort.models.layers import convolution, dense, output_layer, scale_levels
from jaxdistort.models.padding import mean_of_map, without_padding

_STAGES = ((64, 1), (72, 2), (128, 2), (128, 1))  # channels and stride of the convolutions
_BLOCK = 4  # sides of the squares of pixels that the first layer takes for one place
_TONES = 24  # numbers by which the levels alone are described, fine and shrunk
_HIDDEN = 256
_SHRUNK = 8  # pixels that one of the shrunk view stands for
_LEAST_VARIANCE = 1e-4  # of normalised maps: keeps the gradient of the deviation finite


class MultiScale(nnx.Module):
  """uint8 [B, H, W, 3] of any size from 32 px to float32 [B, outputs].

  The first layer sees every 4 x 4 square of pixels as 48 channels: a quarter of the resolution, nothing lost of the
  finest detail. Of each map behind it, mean and standard deviation over the picture are kept (statistics that say noise
  and sharpness whatever is shown; compare Portilla and Simoncelli 2000), and of the levels themselves, fine and shrunk
  eight times, learned soft histograms, which say light, colour and banding. Two dense layers answer.
  """

  any_size = True

  def __init__(self, image_size: int, num_outputs: int, *, input_scaling: str, dtype: Dtype, rngs: nnx.Rngs):
    del image_size
    self.input_scaling, self.dtype = input_scaling, dtype
    channels, layers, norms, strides = 3 * _BLOCK**2, [], [], []
    self.fine = convolution(channels, _TONES, size=1, dtype=dtype, rngs=rngs)
    self.shrunk = convolution(3, _TONES, size=1, dtype=dtype, rngs=rngs)
    for width, stride in _STAGES:
      layers.append(convolution(channels, width, stride=stride, bias=False, dtype=dtype, rngs=rngs))
      norms.append(nnx.BatchNorm(width, momentum=0.95, dtype=dtype, rngs=rngs))
      strides.append(stride)
      channels = width
    self.layers, self.norms, self.strides = nnx.List(layers), nnx.List(norms), tuple(strides)
    statistics = 2 * (sum(width for width, _ in _STAGES) + 2 * _TONES)
    self.statistics_norm = nnx.BatchNorm(statistics, momentum=0.95, dtype=jnp.float32, rngs=rngs)
    self.hidden = dense(statistics, _HIDDEN, dtype=dtype, rngs=rngs)
    self.out = output_layer(_HIDDEN, num_outputs, rngs=rngs)

  def _maps(self, images: jax.Array, mask: jax.Array | None) -> list[tuple[jax.Array, int]]:
    """Every map whose statistics are taken, with the pixels from one of its places to the next; the coarsest last."""
    count, height, width = images.shape[0], images.shape[1] // _BLOCK, images.shape[2] // _BLOCK
    scaled = without_padding(scale_levels(images, self.input_scaling, self.dtype), mask)
    squares = scaled[:, : _BLOCK * height, : _BLOCK * width].reshape(count, height, _BLOCK, width, _BLOCK, 3)
    x = squares.swapaxes(2, 3).reshape(count, height, width, -1)
    small = nnx.avg_pool(scaled, (_SHRUNK, _SHRUNK), (_SHRUNK, _SHRUNK))
    maps = [(nnx.relu(self.fine(x)), _BLOCK), (nnx.relu(self.shrunk(small)), _SHRUNK)]
    places = _BLOCK
    for layer, norm, stride in zip(self.layers, self.norms, self.strides, strict=True):
      x, places = nnx.relu(norm(layer(x))), places * stride
      maps.append((x, places))
    return maps

  def features(self, images: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """The coarsest map [B, ceil(H/16), ceil(W/16), 128]."""
    return self._maps(images, mask)[-1][0]

  def __call__(self, images: jax.Array, key: jax.Array | None = None, mask: jax.Array | None = None) -> jax.Array:
    del key
    statistics = [_statistics(x, mask, places) for x, places in self._maps(images, mask)]
    x = self.statistics_norm(jnp.concatenate(statistics, axis=1))
    return self.out(nnx.relu(self.hidden(x.astype(self.dtype))))


def _statistics(x: jax.Array, mask: jax.Array | None, places: int) -> jax.Array:
  """Mean and standard deviation over the places of a map [B, h, w, C], float32 [B, 2 C]."""
  x = x.astype(jnp.float32)
  mean = mean_of_map(x, mask, stride=places)
  square = mean_of_map(jnp.square(x), mask, stride=places)
  return jnp.concatenate([mean, jnp.sqrt(jnp.maximum(square - jnp.square(mean), 0) + _LEAST_VARIANCE)], axis=1)


MODELS.register("multiscale", Architecture(MultiScale))
