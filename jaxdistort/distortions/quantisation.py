"""Too few levels and too few colours: banding, thresholds by variance, palettes."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import compiled, lookup
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.colour_spaces import rounded
from jaxdistort.distortions.registry import Distortion, Parameter, register
from jaxdistort.distortions.tables import through_table

_TWO = np.array([[0, 2], [3, 1]])
_FOUR = np.block([[4 * _TWO + offset for offset in row] for row in _TWO])
_BAYER = np.block([[4 * _FOUR + offset for offset in row] for row in _TWO])  # 0..63, [8, 8]


def banding(image: jax.Array, levels: Any, *, dithered: bool = False) -> jax.Array:
  """Rounds every channel to levels that lie evenly from 0 to 255.

  Args:
    image: uint8 [H, W, 3].
    levels: number of levels left, 2..256, whole; traced. At 256 the picture stays as it is.
    dithered: rounds up or down by Bayer's 8 x 8 thresholds, the same for the channels, not to the nearest; static.

  Returns:
    uint8 [H, W, 3]. Where `levels` is traced, one outside its bounds gives the picture of the nearest bound, a fraction
    that of the whole number below, and NaN a black picture.

  Raises:
    ValueError: `levels` is concrete and outside its bounds, or not whole.

  Source: formula; Bayer, An optimum method for two-level rendition of continuous-tone pictures (ICC 1973).
  """
  check_image("banding", image)
  return _banding(image, bounded("banding", "levels", levels, 2, 256, whole=True), dithered=dithered)


_LEVELS = (Parameter("levels", "", 2, 256, 8, weakest=256, whole=True),)
register(Distortion("banding", banding, _LEVELS, group="coding"))
register(Distortion("dithered_banding", banding, _LEVELS, options=(("dithered", True),), group="coding"))


@compiled(group_on_cpu=1)
def _banding(image: jax.Array, levels: jax.Array, *, dithered: bool) -> jax.Array:
  levels, brightest = known(levels)
  steps = jnp.maximum(jnp.floor(levels), 2) - 1

  def restored(step: jax.Array) -> jax.Array:
    return jnp.minimum(step * (255 / steps), brightest)

  if not dithered:
    return through_table(image, lambda level: restored(jnp.floor(_scaled(level, steps) + 0.5)))
  height, width, _ = image.shape
  thresholds = np.tile((_BAYER + 0.5) / 64, (-(-height // 8), -(-width // 8)))[:height, :width]
  thresholds = jnp.asarray(np.repeat(thresholds, 3, axis=1), jnp.float32)
  step = jnp.floor(_scaled(image.reshape(height, width * 3), steps) + thresholds)
  return rounded(restored(step)).reshape(image.shape)


def _scaled(level: jax.Array, steps: jax.Array) -> jax.Array:
  return level.astype(jnp.float32) * (steps * np.float32(1 / 255))


def quantisation(image: jax.Array, levels: Any) -> jax.Array:
  """Reduces the levels to classes of least variance, the same for all channels (Otsu's thresholds).

  The lowest class becomes 0, the highest 255, and every other its own upper threshold.

  Args:
    image: uint8 [H, W, 3].
    levels: number of classes, 2..256, whole; traced. At 256 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `levels` is traced, one outside its bounds gives the picture of the nearest bound, a fraction
    that of the whole number below, and NaN a black picture.

  Raises:
    ValueError: `levels` is concrete and outside its bounds, or not whole.

  Source: imnoisequantize of KADIS-700k (Lin, Hosu and Saupe, 2020), whose n thresholds make n + 1 classes: multithresh
  over the levels of all channels. It searches for the thresholds; here they are the best, by dynamic programming.
  """
  check_image("quantisation", image)
  return _quantisation(image, bounded("quantisation", "levels", levels, 2, 256, whole=True))


register(
  Distortion(
    "quantisation", quantisation, (Parameter("levels", "", 2, 256, 11, weakest=256, whole=True),), group="coding"
  )
)


@compiled(group_on_cpu=1)
def _quantisation(image: jax.Array, levels: jax.Array) -> jax.Array:
  levels, brightest = known(levels)
  values = image.reshape(-1).astype(jnp.int32)
  histogram = jnp.zeros(256, jnp.int32).at[values].add(1, mode="promise_in_bounds")
  ends = _upper_ends(histogram, jnp.maximum(levels.astype(jnp.int32), 2))
  places = jnp.arange(256)
  upper = lax.cummin(jnp.where(ends, places, 255), reverse=True)
  first = jnp.min(upper)
  table = jnp.where(places <= first, 0, upper).astype(jnp.float32)
  return through_table(image, lambda level: jnp.minimum(lookup(table, level), brightest))


def _upper_ends(histogram: jax.Array, classes: jax.Array) -> jax.Array:
  """Which levels bool [256] end one of the classes between which the variance is greatest."""
  places = jnp.arange(256)
  share = histogram.astype(jnp.float32) / jnp.sum(histogram.astype(jnp.float32))
  # Up to and with each level: the share, and the sum about the middle.
  below = (places[None] <= places[:, None]).astype(jnp.float32)
  weights, sums = (
    jnp.sum(below * column[None], axis=1) for column in (share, share * ((places - 128) / 128).astype(jnp.float32))
  )
  weight = weights[None] - weights[:, None]  # of the levels above the first index, up to and with the second
  moment = sums[None] - sums[:, None]
  gain = jnp.where(places[None] > places[:, None], moment * moment / jnp.maximum(weight, 1e-9), -jnp.inf)

  # best[k, j]: of the levels up to and with j in k + 1 classes.
  best = jnp.full((256, 256), -jnp.inf).at[0].set(sums * sums / jnp.maximum(weights, 1e-9))

  def add(k: jax.Array, best: jax.Array) -> jax.Array:
    return best.at[k].set(jnp.max(best[k - 1][:, None] + gain, axis=0))

  best = lax.fori_loop(1, classes, add, best)

  def trace(step: jax.Array, state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
    end, ends = state
    end = jnp.argmax(best[classes - 1 - step] + gain[:, end]).astype(jnp.int32)
    return end, ends | (places == end)

  return lax.fori_loop(1, classes, trace, (jnp.int32(255), places == 255))[1]
