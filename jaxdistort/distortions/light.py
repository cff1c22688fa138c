"""Light: exposure, brightness, contrast; what is one function of the level is one look-up in a table of 256 entries."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxdistort.distortions.backend import compiled, in_tiles, lookup
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.colour_spaces import from_lab, from_linear, rounded, rounded_steadily, to_lab, to_linear
from jaxdistort.distortions.registry import Distortion, Parameter, register


def exposure(image: jax.Array, stops: Any) -> jax.Array:
  """Multiplies the light by 2^stops, and clips what is above white.

  Args:
    image: uint8 [H, W, 3].
    stops: -6..4 stops; traced. At 0 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `stops` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `stops` is concrete and outside its bounds.

  Source: formula, in linear light (the transfer function of IEC 61966-2-1, sRGB).
  """
  check_image("exposure", image)
  return _exposure(image, bounded("exposure", "stops", stops, -6, 4, "stops"))


register(
  Distortion("overexposure", exposure, (Parameter("stops", "stops", 0, 4, 1.5, weakest=0),), group="light"),
)
register(
  Distortion("underexposure", exposure, (Parameter("stops", "stops", -6, 0, -2, weakest=0),), group="light"),
)


@compiled(group_on_cpu=1)
def _exposure(image: jax.Array, stops: jax.Array) -> jax.Array:
  stops, brightest = known(stops)
  gain = jnp.exp2(stops)
  return through_table(image, lambda level: jnp.minimum(from_linear(to_linear(level) * gain), brightest))


def brightness(image: jax.Array, shift: Any) -> jax.Array:
  """Adds to the value (the greatest of R, G and B), up to white; hue and saturation of HSV stay.

  Args:
    image: uint8 [H, W, 3].
    shift: 0..255 levels; traced. At 0 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `shift` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `shift` is concrete and outside its bounds.

  Source: brightness of ImageNet-C (Hendrycks and Dietterich, ICLR 2019; imagecorruptions), whose .1 is 25.5 levels.
  """
  check_image("brightness", image)
  return _brightness(image, bounded("brightness", "shift", shift, 0, 255, "levels"))


register(
  Distortion("brightness", brightness, (Parameter("shift", "levels", 0, 192, 76.5, weakest=0),), group="light"),
)


@compiled(group_on_cpu=1)
def _brightness(image: jax.Array, shift: jax.Array) -> jax.Array:
  shift, brightest = known(shift)
  planes = jnp.moveaxis(image, -1, 0).astype(jnp.float32)
  value = jnp.max(planes, axis=0, keepdims=True)
  wanted = jnp.minimum(value + shift, 255)
  # Black has no hue: it becomes grey.
  brighter = planes * (wanted / jnp.maximum(value, 1)) + jnp.where(value > 0, 0, wanted)
  return jnp.moveaxis(rounded_steadily(jnp.minimum(brighter, brightest)), 0, -1)


def brighten(image: jax.Array, amount: Any) -> jax.Array:
  """Lifts the middle tones by the curve x + 2 amount x (1 - x), clipped: a mean of curved R, G, B (2/3) and L* (1/3).

  Args:
    image: uint8 [H, W, 3].
    amount: 0..2; traced. At 0 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `amount` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `amount` is concrete and outside its bounds.

  Source: imbrighten of KADIS-700k (Lin, Hosu and Saupe, 2020): a spline through (1/2, 1/2 + amount / 2).
  """
  check_image("brighten", image)
  return _brighten(image, bounded("brighten", "amount", amount, 0, 2))


register(Distortion("brighten", brighten, (Parameter("amount", "", 0, 1.5, 0.5, weakest=0),), group="light"))


@compiled(group_on_cpu=1)
def _brighten(image: jax.Array, amount: jax.Array) -> jax.Array:
  amount, brightest = known(amount)
  planes = jnp.moveaxis(image, -1, 0)
  lab = to_lab(planes)
  lightness = 100 * _lifted(lab[0] * np.float32(1 / 100), amount)
  lighter = from_lab(jnp.stack([lightness, lab[1], lab[2]]))
  curved = 255 * _lifted(planes.astype(jnp.float32) * np.float32(1 / 255), amount)
  mixed = curved * np.float32(2 / 3) + lighter * np.float32(1 / 3)
  return jnp.moveaxis(rounded(jnp.minimum(mixed, brightest)), 0, -1)


def darken(image: jax.Array, amount: Any) -> jax.Array:
  """Lowers the middle tones of R, G and B by the curve x - 2 amount x (1 - x), clipped.

  Args:
    image: uint8 [H, W, 3].
    amount: 0..2; traced. At 0 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `amount` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `amount` is concrete and outside its bounds.

  Source: imdarken of KADIS-700k: a spline through (1/2, 1/2 - amount / 2).
  """
  check_image("darken", image)
  return _darken(image, bounded("darken", "amount", amount, 0, 2))


register(Distortion("darken", darken, (Parameter("amount", "", 0, 1.2, 0.5, weakest=0),), group="light"))


@compiled(group_on_cpu=1)
def _darken(image: jax.Array, amount: jax.Array) -> jax.Array:
  amount, brightest = known(amount)

  def curve(level: jax.Array) -> jax.Array:
    return jnp.minimum(255 * _lifted(level.astype(jnp.float32) * np.float32(1 / 255), -amount), brightest)

  return through_table(image, curve)


def _lifted(x: jax.Array, amount: jax.Array) -> jax.Array:
  """The parabola through (0, 0), (1/2, 1/2 + amount / 2) and (1, 1), clipped to 0..1."""
  return jnp.clip(x + 2 * amount * x * (1 - x), 0, 1)


def mean_shift(image: jax.Array, shift: Any) -> jax.Array:
  """Adds a constant to every level, and clips.

  Args:
    image: uint8 [H, W, 3].
    shift: -255..255 levels; traced. At 0 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `shift` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `shift` is concrete and outside its bounds.

  Source: immeanshift of KADIS-700k, whose .15 is 38.25 levels; TID2013's "mean shift (intensity shift)".
  """
  check_image("mean_shift", image)
  return _mean_shift(image, bounded("mean_shift", "shift", shift, -255, 255, "levels"))


# Lighter with the severity; tables also have it darker.
register(
  Distortion("mean_shift", mean_shift, (Parameter("shift", "levels", -128, 128, 38.25, weakest=0),), group="light"),
)


@compiled(group_on_cpu=1)
def _mean_shift(image: jax.Array, shift: jax.Array) -> jax.Array:
  shift, brightest = known(shift)
  return through_table(image, lambda level: jnp.minimum(level.astype(jnp.float32) + shift, brightest))


def through_table(image: jax.Array, function: Callable[[jax.Array], jax.Array]) -> jax.Array:
  """`function` of int32 levels 0..255, evaluated once for each and rounded, applied to every level of a picture."""
  table = in_tiles(lambda level: rounded(function(level)), 256, tiles=2)
  return lookup(table, image.reshape(-1).astype(jnp.int32)).reshape(image.shape)
