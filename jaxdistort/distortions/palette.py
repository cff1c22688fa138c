"""Colour quantisation: a palette made from the picture."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import compiled
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.registry import Distortion, Parameter, register

_LARGEST = 64  # palette
_SAMPLE = 2048  # pixels that the palette is made from
_NOWHERE = 1000.0  # a level that no pixel is near to
_UNROLLED = 8  # colours compared in one turn


def colour_quantisation(image: jax.Array, levels: Any) -> jax.Array:
  """Replaces every pixel by the nearest colour of a palette made from the picture, without dither.

  The palette is made from some 2,000 pixels on a grid: the group with the greatest sum of squared deviations along R, G
  or B is split at its mean, again and again; two steps of k-means then move the colours.

  Args:
    image: uint8 [H, W, 3].
    levels: colours of the palette, 2..65, whole; traced. 65 stands for no palette: the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `levels` is traced, one outside its bounds gives the picture of the nearest bound, a fraction
    that of the whole number below, and NaN a black picture.

  Raises:
    ValueError: `levels` is concrete and outside its bounds, or not whole.

  Source: imcolorquantize of KADIS-700k (Lin, Hosu and Saupe, 2020), which is rgb2ind with its minimum variance palette
  (and with its dither, which is left out here); Wu, Efficient statistical computations for optimal color quantization
  (Graphics Gems II, 1991).
  """
  check_image("colour_quantisation", image)
  return _colour_quantisation(image, bounded("colour_quantisation", "levels", levels, 2, _LARGEST + 1, whole=True))


register(
  Distortion(
    "colour_quantisation",
    colour_quantisation,
    (Parameter("levels", "", 2, _LARGEST + 1, 16, weakest=_LARGEST + 1, whole=True),),
    group="coding",
  )
)


@compiled(group_on_cpu=1)
def _colour_quantisation(image: jax.Array, levels: jax.Array) -> jax.Array:
  levels, brightest = known(levels)
  count = jnp.maximum(levels.astype(jnp.int32), 2)
  planes = jnp.moveaxis(image, -1, 0).reshape(3, -1).astype(jnp.float32)
  sample = _on_a_grid(planes.reshape(3, *image.shape[:2]))
  palette = _moved(sample, _split(sample, jnp.minimum(count, _LARGEST)))
  nearest = jnp.where(count > _LARGEST, planes, _nearest(planes, palette, jnp.minimum(count, _LARGEST)))
  nearest = jnp.minimum(nearest, brightest).astype(jnp.uint8)
  return jnp.moveaxis(nearest.reshape(3, *image.shape[:2]), 0, -1)


def _on_a_grid(planes: jax.Array) -> jax.Array:
  """Some 2,000 pixels float32 [3, n] of planes [3, H, W]: of rows and columns that are evenly apart."""
  height, width = planes.shape[1:]
  rows = min(height, math.ceil((height * width / _SAMPLE) ** 0.5))
  columns = min(width, math.ceil(height * width / (_SAMPLE * rows)))
  return planes[:, rows // 2 :: rows, columns // 2 :: columns].reshape(3, -1)


def _split(sample: jax.Array, count: jax.Array) -> jax.Array:
  """Splits pixels float32 [3, n] into `count` groups: their means float32 [64, 3], 1,000 of those that are empty."""
  features = jnp.concatenate([jnp.ones_like(sample[:1]), sample, sample * sample])

  def statistics(inside: jax.Array) -> tuple[jax.Array, jax.Array]:
    sums = jnp.sum(jnp.where(inside[None], features, 0), axis=1)
    means = jnp.where(sums[0] > 0, sums[1:4] / jnp.maximum(sums[0], 1), _NOWHERE)
    return means, jnp.where(sums[0] > 0, sums[4:] - sums[1:4] * means, 0)

  def split(turn: jax.Array, state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
    group, means, spreads = state
    place = jnp.argmax(spreads)
    chosen, axis = place // 3, place % 3
    apart = (group == chosen) & (sample[axis] > means[chosen, axis])
    group = jnp.where(apart, turn, group)
    for number in (chosen, turn):
      mean, spread = statistics(group == number)
      means, spreads = means.at[number].set(mean), spreads.at[number].set(spread)
    return group, means, spreads

  mean, spread = statistics(jnp.ones(sample.shape[1], bool))
  means = jnp.full((_LARGEST, 3), _NOWHERE).at[0].set(mean)
  spreads = jnp.zeros((_LARGEST, 3)).at[0].set(spread)
  return lax.fori_loop(1, count, split, (jnp.zeros(sample.shape[1], jnp.int32), means, spreads))[1]


def _moved(sample: jax.Array, palette: jax.Array) -> jax.Array:
  """Each colour at the mean of the pixels that are nearest to it, twice; whole levels."""

  def step(_: int, palette: jax.Array) -> jax.Array:
    distances = jnp.sum(jnp.square(palette[:, :, None] - sample[None]), axis=1)
    own = jnp.where(distances == jnp.min(distances, axis=0, keepdims=True), 1.0, 0.0)
    sums = jnp.matmul(own, sample.T, precision=lax.Precision.HIGHEST)
    counts = jnp.sum(own, axis=1)[:, None]
    return jnp.where(counts > 0, sums / jnp.maximum(counts, 1), palette)

  return jnp.floor(lax.fori_loop(0, 2, step, palette) + 0.5)


def _nearest(planes: jax.Array, palette: jax.Array, count: jax.Array) -> jax.Array:
  """Of pixels float32 [3, n] the nearest among the first colours of the palette: float32 [3, n]."""
  packed = (palette[:, 0] * 256 + palette[:, 1]) * 256 + palette[:, 2]  # below 2^24: exact, but of those beyond `count`

  def compare(turn: jax.Array, state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
    best, colour = state
    for i in range(_UNROLLED):
      place = turn * _UNROLLED + i
      red, green, blue = (planes[c] - palette[place, c] for c in range(3))
      distance = red * red + green * green + blue * blue
      colour = jnp.where(distance < best, packed[place], colour)
      best = jnp.minimum(best, distance)
    return best, colour

  start = jnp.full(planes.shape[1], jnp.inf), jnp.zeros(planes.shape[1])
  colour = lax.fori_loop(0, (count + _UNROLLED - 1) // _UNROLLED, compare, start)[1].astype(jnp.int32)
  return jnp.stack([colour >> np.int32(16), (colour >> np.int32(8)) & 255, colour & 255]).astype(jnp.float32)
