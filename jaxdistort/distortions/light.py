"""Light: exposure and brightness, in linear light, by the value of HSV, by curves, by a constant."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxdistort.distortions.backend import compiled
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.colour_spaces import (
  from_lab,
  from_linear,
  on_planes,
  rounded,
  rounded_steadily,
  to_lab,
  to_linear,
)
from jaxdistort.distortions.registry import Distortion, Parameter, register
from jaxdistort.distortions.tables import through_table


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

  def brighter(planes: jax.Array) -> jax.Array:
    channels = planes.astype(jnp.float32)
    value = jnp.maximum(jnp.maximum(channels[0], channels[1]), channels[2])
    wanted = jnp.minimum(value + shift, 255)
    ratio, grey = wanted / jnp.maximum(value, 1), jnp.where(value > 0, 0, wanted)  # black has no hue
    levels = (channel * ratio + grey for channel in channels)
    return jnp.stack([rounded_steadily(jnp.minimum(plane, brightest)) for plane in levels])

  return on_planes(brighter, image)


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

  def lighter(planes: jax.Array) -> jax.Array:
    lightness, a, b = to_lab(planes)
    lightness = 100 * _lifted(lightness * np.float32(1 / 100), amount)
    curved = 255 * _lifted(planes.astype(jnp.float32) * np.float32(1 / 255), amount)
    mixed = curved * np.float32(2 / 3) + from_lab(jnp.stack([lightness, a, b])) * np.float32(1 / 3)
    return rounded(mixed, brightest)

  return on_planes(lighter, image)


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
