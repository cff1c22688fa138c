"""Contrast: stretched or squeezed about the mean, or by a curve."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxdistort.distortions.backend import compiled, lookup
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.registry import Distortion, Parameter, register
from jaxdistort.distortions.tables import through_table, through_tables


def contrast(image: jax.Array, factor: Any) -> jax.Array:
  """Multiplies the distance of every level from the mean of its channel, and clips.

  Args:
    image: uint8 [H, W, 3].
    factor: 0..20; traced. At 1 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `factor` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `factor` is concrete and outside its bounds.

  Source: contrast of ImageNet-C (Hendrycks and Dietterich, ICLR 2019; imagecorruptions).
  """
  check_image("contrast", image)
  return _contrast(image, bounded("contrast", "factor", factor, 0, 20))


register(Distortion("low_contrast", contrast, (Parameter("factor", "", 0, 1, 0.3, weakest=1),), group="light"))
register(Distortion("high_contrast", contrast, (Parameter("factor", "", 1, 8, 2, weakest=1),), group="light"))


@compiled(group_on_cpu=1)
def _contrast(image: jax.Array, factor: jax.Array) -> jax.Array:
  factor, brightest = known(factor)
  height, width, _ = image.shape
  rows = image.reshape(height, width * 3)
  # Sums of columns are whole numbers, which add up alike in every order.
  columns = jnp.sum(rows, axis=0, dtype=jnp.int32).astype(jnp.float32) * np.float32(1 / height)
  means = jnp.mean(columns.reshape(width, 3), axis=0)

  def stretched(level: jax.Array, channel: jax.Array) -> jax.Array:
    mean = lookup(means, channel)
    return jnp.minimum((level.astype(jnp.float32) - mean) * factor + mean, brightest)

  return through_tables(image, stretched)


def contrast_curve(image: jax.Array, amount: Any) -> jax.Array:
  """Steepens the middle tones and flattens the ends, or the other way, by a cubic curve about the middle grey.

  x + amount (x - 1/2) x (1 - x) / .168, clipped: .3 and .7 move by amount / 4, while 0, 1/2 and 1 stay.

  Args:
    image: uint8 [H, W, 3].
    amount: -1..2; traced: more contrast above 0, less below. At 0 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `amount` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `amount` is concrete and outside its bounds.

  Source: imcontrastc of KADIS-700k (Lin, Hosu and Saupe, 2020), the spline through (.3, .25 - a / 4), (.5, .5) and
  (.7, .75 + a / 4), which has this form. Its a is `amount` - .2: it changes the picture where a is 0, too.
  """
  check_image("contrast_curve", image)
  return _contrast_curve(image, bounded("contrast_curve", "amount", amount, -1, 2))


# More contrast with the severity; tables also have it less.
register(
  Distortion("contrast_curve", contrast_curve, (Parameter("amount", "", -0.6, 1, 0.5, weakest=0),), group="light"),
)


@compiled(group_on_cpu=1)
def _contrast_curve(image: jax.Array, amount: jax.Array) -> jax.Array:
  amount, brightest = known(amount)

  def curve(level: jax.Array) -> jax.Array:
    x = level.astype(jnp.float32) * np.float32(1 / 255)
    return jnp.minimum(255 * (x + amount * np.float32(1 / 0.168) * (x - 0.5) * x * (1 - x)), brightest)

  return through_table(image, curve)
