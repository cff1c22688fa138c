"""The recogniser's network: what fine and coarse maps of a picture have in common all over it."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from flax.typing import Dtype
from jax import lax

from jaxdistort.models.create import MODELS, Architecture
from jaxdistort.models.layers import convolution, dense, output_layer, scale_levels
from jaxdistort.models.padding import mean_of_map, without_padding

_STAGES = ((64, 1), (72, 2), (128, 2), (128, 1))  # channels and stride of the convolutions
_BLOCK = 4  # sides of the squares of pixels that the first layer takes for one place
_TONES = 24  # numbers by which the levels alone are described, fine and shrunk
_HIDDEN = 768
_COEFFICIENTS = 2  # the place of the coefficients' sizes among the maps
_SHRUNK = 8  # pixels that one of the shrunk view stands for
_FAINT = 0.02  # of a compressed coefficient: what is below is as good as nothing
_LEAST_VARIANCE = 1e-4  # of normalised maps: keeps the gradient of the deviation finite


class MultiScale(nnx.Module):
  """uint8 [B, H, W, 3] of any size from 32 px to float32 [B, outputs].

  Every 4 x 4 square of pixels enters as 48 channels: a quarter of the resolution, nothing lost of the finest detail.
  They are the coefficients of a cosine transform of the square's lightness and two differences of its colours, each
  brought to unit variance and then compressed as x / sqrt(1 + |x|): in pictures fine detail is a hundred times weaker
  than coarse, and would wait long to be learned from. Of their sizes, and of each map behind them, mean and standard
  deviation over the picture are kept (statistics that say noise and sharpness whatever is shown; compare Portilla and
  Simoncelli 2000), and of the levels themselves, fine and shrunk eight times, learned soft histograms, which say light,
  colour and banding. What is left where least is to be seen tells noise from texture (the flattest places of a noisy
  picture are not flat; compare Immerkaer 1996) and what was smoothed or coded from what was not: so of each band of
  coefficients means are kept to which the smallest count most. Two dense layers answer.
  """

  any_size = True
  least_part = 2
  """Pictures of a batch that go through it together while it is trained: their statistics are normalised."""

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
    self.whitening = nnx.BatchNorm(
      3 * _BLOCK**2, momentum=0.95, use_bias=False, use_scale=False, dtype=dtype, rngs=rngs
    )
    self.layers, self.norms, self.strides = nnx.List(layers), nnx.List(norms), tuple(strides)
    statistics = 2 * (sum(width for width, _ in _STAGES) + 3 * _BLOCK**2 + 2 * _TONES)
    statistics += 2 * _bands().shape[1]
    self.statistics_norm = nnx.BatchNorm(statistics, momentum=0.95, dtype=jnp.float32, rngs=rngs)
    self.hidden = dense(statistics, _HIDDEN, dtype=dtype, rngs=rngs)
    self.out = output_layer(_HIDDEN, num_outputs, rngs=rngs)

  def _maps(self, images: jax.Array, mask: jax.Array | None) -> list[tuple[jax.Array, int]]:
    """Every map whose statistics are taken, with the pixels from one of its places to the next; the coarsest last."""
    count, height, width = images.shape[0], images.shape[1] // _BLOCK, images.shape[2] // _BLOCK
    scaled = without_padding(scale_levels(images, self.input_scaling, self.dtype), mask)
    squares = scaled[:, : _BLOCK * height, : _BLOCK * width].reshape(count, height, _BLOCK, width, _BLOCK, 3)
    x = squares.swapaxes(2, 3).reshape(count, height, width, -1)
    small = _shrink(scaled)
    maps = [(nnx.relu(self.fine(x)), _BLOCK), (nnx.relu(self.shrunk(small)), _SHRUNK)]
    places, x = _BLOCK, self.whitening(x @ jnp.asarray(_cosines(), self.dtype))
    x = x * lax.rsqrt(1 + jnp.abs(x))
    maps.append((jnp.abs(x), places))
    for layer, norm, stride in zip(self.layers, self.norms, self.strides, strict=True):
      x, places = nnx.relu(norm(layer(x))), places * stride
      maps.append((x, places))
    return maps

  def features(self, images: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """The coarsest map [B, ceil(H/16), ceil(W/16), 128]."""
    return self._maps(images, mask)[-1][0]

  def __call__(self, images: jax.Array, key: jax.Array | None = None, mask: jax.Array | None = None) -> jax.Array:
    del key
    maps = self._maps(images, mask)
    statistics = [_statistics(x, mask, places) for x, places in maps]
    statistics.append(_floors(maps[_COEFFICIENTS][0], mask))
    x = self.statistics_norm(jnp.concatenate(statistics, axis=1))
    return self.out(nnx.relu(self.hidden(x.astype(self.dtype))))


@functools.cache
def _cosines() -> np.ndarray:
  """Levels of a square, float [48] by row, column and colour, to coefficients: a matrix [48, 48], orthogonal."""
  rows, places = np.mgrid[:_BLOCK, :_BLOCK]
  transform = np.cos(np.pi * rows * (2 * places + 1) / (2 * _BLOCK)) * np.where(rows > 0, 2, np.sqrt(2)) / 2
  colours = np.array([[1, 1, 1], [1, 0, -1], [-1, 2, -1]]) / np.sqrt([[3], [2], [6]])
  return np.kron(np.kron(transform, transform), colours).T / (_BLOCK / 2)


@functools.cache
def _bands() -> np.ndarray:
  """The shares of coefficients in bands of like frequency and colour, float [48, 18], without the means of squares."""
  rows, columns, colours = (own.ravel() for own in np.mgrid[:_BLOCK, :_BLOCK, :3])
  frequencies = rows + columns
  own = [(frequencies == f) & (colours == c) for f in range(1, 2 * _BLOCK - 1) for c in range(3)]
  members = np.stack(own, axis=1).astype(np.float32)
  return members / members.sum(axis=0)


def _floors(sizes: jax.Array, mask: jax.Array | None) -> jax.Array:
  """Of the sizes of coefficients [B, h, w, 48]: logarithms of each band's power means, of exponents -1 and -2."""
  inverse = 1 / (sizes.astype(jnp.float32) @ jnp.asarray(_bands()) + _FAINT)
  means = [mean_of_map(own, mask, stride=_BLOCK) for own in (inverse, inverse * inverse)]
  once, squared = (jnp.log(jnp.maximum(mean, _FAINT)) for mean in means)  # not that of 0, where all is padding
  return jnp.concatenate([-once, -squared / 2], axis=1)


def _shrink(x: jax.Array) -> jax.Array:
  """Means of squares of pixels, [B, H, W, C] to [B, H / 8, W / 8, C]; a rest of rows and columns is left out."""
  height, width = x.shape[1] // _SHRUNK, x.shape[2] // _SHRUNK
  squares = x[:, : height * _SHRUNK, : width * _SHRUNK].reshape(-1, height, _SHRUNK, width, _SHRUNK, x.shape[3])
  return squares.mean((2, 4))


def _statistics(x: jax.Array, mask: jax.Array | None, places: int) -> jax.Array:
  """Mean and standard deviation over the places of a map [B, h, w, C], float32 [B, 2 C]."""
  x = x.astype(jnp.float32)
  mean = mean_of_map(x, mask, stride=places)
  square = mean_of_map(jnp.square(x), mask, stride=places)
  return jnp.concatenate([mean, jnp.sqrt(jnp.maximum(square - jnp.square(mean), 0) + _LEAST_VARIANCE)], axis=1)


MODELS.register("multiscale", Architecture(MultiScale))
