"""Blurs: Gaussian and motion, as JH Labs' GaussianFilter and MotionBlurOp compute them."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxdistort.distortions.backend import compiled
from jaxdistort.distortions.checks import bounded, check_image, check_maximum, known
from jaxdistort.distortions.distributions import Uniform
from jaxdistort.distortions.filtering import at_least, filter_axis
from jaxdistort.distortions.registry import Distortion, Parameter, register

_SIZES = (4, 11)  # of kernels that suffice for most pictures
_LARGEST_RADIUS = 4000  # the sums of the taps stay exact
_LARGEST_DISTANCE = 4000  # the mean of so many levels is still exact in float32


def gaussian_blur(image: jax.Array, radius: Any, *, max_radius: float = 24.0) -> jax.Array:
  """Blurs with a truncated Gaussian of standard deviation radius / 3, along rows, then columns.

  Taps lie at -ceil(radius)..ceil(radius), weighted exp(-i^2 / 2 sigma^2) where i^2 <= radius^2, else 0,
  and sum to 1. Pixels outside repeat the edge pixel; each pass ends in whole levels (half up).

  Args:
    image: uint8 [H, W, 3].
    radius: pixels, 0..max_radius; traced. Below 1 the picture stays as it is.
    max_radius: static bound of `radius`, 0..4,000 px: it sets the size of the kernel, and with it the cost.

  Returns:
    uint8 [H, W, 3]. Where `radius` is traced, one outside its bounds gives the picture of the nearest
    bound, and NaN a black picture.

  Raises:
    ValueError: `radius` is concrete and outside 0..max_radius, or `max_radius` is outside its bounds.

  Source: JH Labs filters 2.0.235, GaussianFilter.
  """
  check_image("gaussian_blur", image)
  reach = check_maximum("gaussian_blur", "max_radius", max_radius, _LARGEST_RADIUS)
  hint = "; raise max_radius, a static bound, to allow more"
  radius = bounded("gaussian_blur", "radius", radius, 0, max_radius, "px", hint=hint)
  return _gaussian_blur(image, radius, reach=reach)


register(Distortion("gaussian_blur", gaussian_blur, (Parameter("radius", "px", 0, 24, 10, weakest=0),), group="blur"))


@compiled(group_on_cpu=1)
def _gaussian_blur(image: jax.Array, radius: jax.Array, *, reach: int) -> jax.Array:
  """Filters rows, then columns, each pass rounded to whole levels."""

  def blurred(size: int, planes: jax.Array) -> jax.Array:
    taps = _gaussian_taps(radius, size)
    for axis in (2, 1):
      planes = jnp.clip(jnp.floor(filter_axis(planes, taps, axis) + 0.5), 0, 255)
    return planes

  sizes = [size for size in _SIZES if size < reach]
  planes = at_least(radius, (*sizes, reach), blurred, jnp.moveaxis(image, -1, 0).astype(jnp.float32))
  return jnp.moveaxis(planes, 0, -1).astype(jnp.uint8)


def _gaussian_taps(radius: jax.Array, reach: int) -> jax.Array:
  """Weights float32 [2 reach + 1] that sum to 1; all 0 where `radius` is NaN."""
  sigma = jnp.maximum(radius, 1e-3) / 3  # any positive sigma leaves one tap when radius < 1
  squares = jnp.square(jnp.arange(-reach, reach + 1, dtype=jnp.float32))
  weights = jnp.where(squares <= radius * radius, jnp.exp(-squares * (0.5 / (sigma * sigma))), 0)
  # As whole numbers they add up alike in every order, so for a picture alone as for one of a batch. Their
  # halves of 13 bits are added apart: together they would overflow at a radius of 39.
  units = jnp.round(weights * 2.0**26).astype(jnp.int32)
  upper, lower = (jnp.sum(half).astype(jnp.float32) for half in (units >> 13, units & (2**13 - 1)))
  total = (upper * 2.0**13 + lower) * 2.0**-26
  return weights * (1 / jnp.maximum(total, 1))  # the tap in the middle is 1, unless all are 0


def motion_blur(image: jax.Array, distance: Any, angle: Any, *, max_distance: float = 64.0) -> jax.Array:
  """Averages trunc(distance) samples along a line that starts at the pixel.

  Sample i of n lies at f = i / n of the way: (x + f d cos a, y - f d sin a), each coordinate truncated
  toward zero to a pixel (so one in (-1, 0) counts as 0, inside). At the first sample outside the
  picture the line stops; the mean of the samples taken is truncated to a whole level.

  Args:
    image: uint8 [H, W, 3].
    distance: pixels, 0..max_distance; traced. Below 2 the picture stays as it is.
    angle: radians, -1,000..1,000, anticlockwise from the x axis; traced. (The study's 90 is 90 radians: 116.6 degrees.)
    max_distance: static bound of `distance`, 0..4,000 px: it sets the size of the padded picture.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest
    bound, and NaN a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds, or `max_distance` is.

  Source: JH Labs filters 2.0.235, MotionBlurOp.
  """
  check_image("motion_blur", image)
  reach = check_maximum("motion_blur", "max_distance", max_distance, _LARGEST_DISTANCE)
  hint = "; raise max_distance, a static bound, to allow more"
  distance = bounded("motion_blur", "distance", distance, 0, max_distance, "px", hint=hint)
  return _motion_blur(image, distance, bounded("motion_blur", "angle", angle, -1000, 1000, "rad"), reach=max(1, reach))


register(
  Distortion(
    "motion_blur",
    motion_blur,
    (
      Parameter("distance", "px", 0, 64, 50, weakest=0),
      # The study's 90, meant as degrees, was taken as radians.
      Parameter("angle", "rad", -100, 100, 90, weakest=0, drawn=Uniform(0, 2 * math.pi)),
    ),
    group="blur",
  )
)


@compiled(group_on_cpu=1)
def _motion_blur(image: jax.Array, distance: jax.Array, angle: jax.Array, *, reach: int) -> jax.Array:
  height, width, channels = image.shape
  distance, angle, brightest = known(distance, angle)
  samples = jnp.maximum(jnp.trunc(distance), 1)
  fractions = jnp.arange(reach, dtype=jnp.float32) / samples
  taken = jnp.arange(reach) < samples.astype(jnp.int32)
  # A quarter turn in float32 is not quite one: an offset within rounding of a whole pixel is whole.
  rounding = jnp.maximum(2e-5, 3e-7 * distance * fractions)
  offsets = fractions * (distance * jnp.cos(angle)), fractions * (-distance * jnp.sin(angle))
  column_shift, columns_replicated, column_count = _line(width, offsets[0], rounding, taken)
  row_shift, rows_replicated, row_count = _line(height, offsets[1], rounding, taken)

  # Shifted by more than its own size nothing of the picture is seen: no frame need be wider.
  frame = min(reach, height + 1), min(reach, width + 1)
  variants = _zero_padded_variants(image, *frame)
  tops = jnp.clip(row_shift + frame[0], 0, 2 * frame[0])
  lefts = jnp.clip(column_shift + frame[1], 0, 2 * frame[1]) * channels
  variant = 2 * rows_replicated + columns_replicated
  total_dtype = jnp.int16 if reach * 255 < 2**15 else jnp.int32

  def add_sample(i: jax.Array, total: jax.Array) -> jax.Array:
    start = (variant[i], tops[i], lefts[i])
    return total + lax.dynamic_slice(variants, start, (1, *total.shape))[0].astype(total_dtype)

  # The number of turns is the picture's own: a short blur costs less than a long one.
  total = lax.fori_loop(0, samples.astype(jnp.int32), add_sample, jnp.zeros((height, width * channels), total_dtype))
  # A line leaves the picture once and for all, so it counts until it leaves along either axis.
  count = jnp.minimum(jnp.repeat(column_count, channels)[None, :], row_count[:, None])
  # Half a unit keeps an exact quotient from falling below itself: XLA may multiply by a reciprocal.
  # Floored first: fused with other work, XLA's CPU conversion to uint8 has been seen to round.
  mean = jnp.minimum(jnp.floor((total.astype(jnp.float32) + 0.5) / count), brightest)
  return mean.astype(jnp.uint8).reshape(image.shape)


def _line(
  size: int, offsets: jax.Array, rounding: jax.Array, taken: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
  """The samples of every pixel's line along one axis of `size` pixels: offsets and their rounding float32 [n].

  Returns:
    int32 [n] whole shifts of the samples; int32 [n] 1 where position -1 truncates to 0 (the offset is
    not whole); float32 [size] how many samples of a pixel at that position lie inside.
  """
  whole = jnp.round(offsets)
  offsets = jnp.where(jnp.abs(offsets - whole) < rounding, whole, offsets)
  shifts = jnp.floor(offsets)
  ends = jnp.arange(size, dtype=jnp.float32)[None, :] + offsets[:, None]
  inside = taken[:, None] & (ends > -1) & (ends < size)
  return shifts.astype(jnp.int32), (offsets != shifts).astype(jnp.int32), jnp.sum(inside, axis=0, dtype=jnp.float32)


def _zero_padded_variants(image: jax.Array, rows: int, columns: int) -> jax.Array:
  """The picture in a frame of zeros, with edge row and column repeated once at -1 or not.

  Returns:
    uint8 [4, H + 2 rows, (W + 2 columns) 3]: index 2 (row -1 repeats row 0) + (column -1 repeats column 0).
  """
  height, width, channels = image.shape
  flat = image.reshape(height, width * channels)
  wider = jnp.concatenate([flat[:, :channels], flat], axis=1)
  both = jnp.concatenate([wider[:1], wider], axis=0)

  def framed(picture: jax.Array, top: int, left: int) -> jax.Array:
    return jnp.pad(picture, ((rows - top, rows), ((columns - left) * channels, columns * channels)))

  return jnp.stack([framed(flat, 0, 0), framed(wider, 0, 1), framed(both[:, channels:], 1, 0), framed(both, 1, 1)])
