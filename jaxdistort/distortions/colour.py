"""Colour: saturation in HSV and in L*a*b*, casts, diffusion, a channel out of place."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import compiled, lookup
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
from jaxdistort.distortions.distributions import Uniform
from jaxdistort.distortions.filtering import at_least, filter_axes, short_gaussian_taps, smooth
from jaxdistort.distortions.randomness import uniform
from jaxdistort.distortions.registry import Distortion, Parameter, register
from jaxdistort.distortions.tables import through_tables

_LARGEST_SHIFT = 16  # of a channel, pixels


def saturation(image: jax.Array, scale: Any, shift: Any) -> jax.Array:
  """Multiplies the saturation of HSV, and adds to it; value and hue stay.

  The saturation is clipped to -1..1; below 0 a colour becomes its complement. Greys have the hue of red.

  Args:
    image: uint8 [H, W, 3].
    scale: -1..30; traced. At 1, and a shift of 0, the picture stays as it is.
    shift: what is added, 0..1; traced.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: saturate of ImageNet-C (Hendrycks and Dietterich, ICLR 2019; imagecorruptions); imcolorsaturate of KADIS-700k
  (Lin, Hosu and Saupe, 2020), which scales only.
  """
  check_image("saturation", image)
  scale = bounded("saturation", "scale", scale, -1, 30)
  return _saturation(image, scale, bounded("saturation", "shift", shift, 0, 1))


_SHIFT = Parameter("shift", "", 0, 0.5, 0, weakest=0)
register(
  Distortion("desaturation", saturation, (Parameter("scale", "", -0.5, 1, 0.1, weakest=1), _SHIFT), group="colour"),
)
# Tables have levels of less and of more saturation under one name: the bounds hold them all.
register(
  Distortion("oversaturation", saturation, (Parameter("scale", "", -1, 20, 3, weakest=1), _SHIFT), group="colour"),
)


@compiled(group_on_cpu=1)
def _saturation(image: jax.Array, scale: jax.Array, shift: jax.Array) -> jax.Array:
  scale, shift, brightest = known(scale, shift)

  def saturated(planes: jax.Array) -> jax.Array:
    channels = planes.astype(jnp.float32)
    value = jnp.maximum(jnp.maximum(channels[0], channels[1]), channels[2])
    chroma = value - jnp.minimum(jnp.minimum(channels[0], channels[1]), channels[2])
    wanted = jnp.clip(chroma * scale + value * shift, -value, value)
    ratio = wanted / jnp.maximum(chroma, 1)
    reddened = jnp.where(chroma > 0, 0, wanted)  # greys have the hue of red
    levels = (value - (value - channel) * ratio - (reddened if i else 0) for i, channel in enumerate(channels))
    return jnp.stack([rounded_steadily(jnp.minimum(plane, brightest)) for plane in levels])

  return on_planes(saturated, image)


def lab_saturation(image: jax.Array, factor: Any) -> jax.Array:
  """Multiplies a* and b* of CIE L*a*b*; colours that sRGB lacks are clipped.

  Args:
    image: uint8 [H, W, 3].
    factor: 0..20; traced. At 1 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `factor` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `factor` is concrete and outside its bounds.

  Source: imsaturate of KADIS-700k.
  """
  check_image("lab_saturation", image)
  return _lab_saturation(image, bounded("lab_saturation", "factor", factor, 0, 20))


register(
  Distortion("lab_saturation", lab_saturation, (Parameter("factor", "", 1, 12, 3, weakest=1),), group="colour"),
)


@compiled(group_on_cpu=1)
def _lab_saturation(image: jax.Array, factor: jax.Array) -> jax.Array:
  factor, brightest = known(factor)

  def saturated(planes: jax.Array) -> jax.Array:
    lightness, a, b = to_lab(planes)
    levels = from_lab(jnp.stack([lightness, a * factor, b * factor]))
    return rounded(levels, brightest)

  return on_planes(saturated, image)


def colour_cast(image: jax.Array, amount: Any, hue: Any) -> jax.Array:
  """Multiplies the light of the channels by gains whose logarithms add up to 0, as a wrong white balance does.

  Channel c gains amount cos(hue - 2 pi c / 3) stops; what is above white is clipped.

  Args:
    image: uint8 [H, W, 3].
    amount: the gain of the favoured hue, 0..4 stops; traced. At 0 the picture stays as it is.
    hue: radians, -1,000..1,000: 0 is red, 2 pi / 3 green, 4 pi / 3 blue; traced.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: formula, of von Kries' diagonal model in linear sRGB.
  """
  check_image("colour_cast", image)
  amount = bounded("colour_cast", "amount", amount, 0, 4, "stops")
  return _colour_cast(image, amount, bounded("colour_cast", "hue", hue, -1000, 1000, "rad"))


register(
  Distortion(
    "colour_cast",
    colour_cast,
    (
      Parameter("amount", "stops", 0, 2, 0.7, weakest=0),
      Parameter("hue", "rad", -100, 100, 0.5, weakest=0, drawn=Uniform(0, 2 * math.pi)),
    ),
    group="colour",
  )
)


@compiled(group_on_cpu=1)
def _colour_cast(image: jax.Array, amount: jax.Array, hue: jax.Array) -> jax.Array:
  amount, hue, brightest = known(amount, hue)
  gains = jnp.exp2(amount * jnp.cos(hue - np.float32(2 * math.pi / 3) * jnp.arange(3, dtype=jnp.float32)))

  def cast(level: jax.Array, channel: jax.Array) -> jax.Array:
    return jnp.minimum(from_linear(to_linear(level) * lookup(gains, channel)), brightest)

  return through_tables(image, cast)


def colour_diffusion(image: jax.Array, sigma: Any, saturation: Any) -> jax.Array:
  """Blurs a* and b* of CIE L*a*b* with a Gaussian cut off at ceil(2 sigma), and multiplies them; L* stays.

  Pixels outside repeat the edge pixel; colours that sRGB lacks are clipped.

  Args:
    image: uint8 [H, W, 3].
    sigma: standard deviation, 0..20 px; traced. At 0, and a saturation of 1, the picture stays as it is.
    saturation: the factor of a* and b*, 0..20; traced.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: imcolordiffuse of KADIS-700k, whose amount n is a sigma of 1.5 n + 2 px and a saturation of n.
  """
  check_image("colour_diffusion", image)
  sigma = bounded("colour_diffusion", "sigma", sigma, 0, 20, "px")
  return _colour_diffusion(image, sigma, bounded("colour_diffusion", "saturation", saturation, 0, 20))


register(
  Distortion(
    "colour_diffusion",
    colour_diffusion,
    (Parameter("sigma", "px", 0, 20, 8, weakest=0), Parameter("saturation", "", 0, 12, 3, weakest=1)),
    graded=("sigma", "saturation"),
    group="colour",
  )
)


@compiled(group_on_cpu=1)
def _colour_diffusion(image: jax.Array, sigma: jax.Array, saturation: jax.Array) -> jax.Array:
  sigma, saturation, brightest = known(sigma, saturation)

  def blurred(reach: int, colours: jax.Array) -> jax.Array:
    taps = short_gaussian_taps(sigma, reach)
    return filter_axes(colours, taps)

  def diffused(planes: jax.Array) -> jax.Array:
    lab = to_lab(planes)
    colours = at_least(jnp.ceil(2 * sigma), (16, 40), blurred, lab[1:]) * saturation
    levels = from_lab(jnp.concatenate([lab[:1], colours]))
    return rounded(levels, brightest)

  return on_planes(diffused, image)


def colour_shift(key: jax.Array, image: jax.Array, amount: Any) -> jax.Array:
  """Shifts the green channel down and to the right, in a random direction, where there are edges.

  The shift is of whole pixels, so that below .5 nothing moves. Shifted and own green are blended by the gradient of the
  luma, blurred (sigma 4 px) and stretched from its 1st to its 99th percentile. Pixels outside repeat the edge pixel.

  Args:
    key: a PRNG key of any implementation; of the direction.
    image: uint8 [H, W, 3].
    amount: distance, 0..16 px; traced. At 0 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `amount` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `amount` is concrete and outside its bounds.

  Source: imcolorshift of KADIS-700k.
  """
  check_image("colour_shift", image)
  return _colour_shift(key, image, bounded("colour_shift", "amount", amount, 0, _LARGEST_SHIFT, "px"))


register(
  Distortion(
    "colour_shift", colour_shift, (Parameter("amount", "px", 0, 12, 6, weakest=0),), random=True, group="colour"
  )
)


@compiled(group_on_cpu=1)
def _colour_shift(key: jax.Array, image: jax.Array, amount: jax.Array) -> jax.Array:
  amount, brightest = known(amount)
  direction = uniform(key, 2, stream=0) + 1e-6
  shift = jnp.round(amount * direction / jnp.sqrt(jnp.sum(direction * direction))).astype(jnp.int32)
  planes = jnp.moveaxis(image, -1, 0).astype(jnp.float32)
  wider = jnp.pad(planes[1], ((_LARGEST_SHIFT, 0), (_LARGEST_SHIFT, 0)), "edge")
  shifted = lax.dynamic_slice(wider, (_LARGEST_SHIFT - shift[0], _LARGEST_SHIFT - shift[1]), planes.shape[1:])
  green = planes[1] + _edges(planes) * (shifted - planes[1])
  levels = rounded(jnp.minimum(jnp.stack([planes[0], green, planes[2]]), brightest))
  return jnp.moveaxis(levels, 0, -1)


def _edges(planes: jax.Array) -> jax.Array:
  """Weights float32 [H, W], 0..1: the blurred gradient of the luma, stretched between its extreme percentiles."""
  luma = sum(np.float32(weight) * plane for weight, plane in zip((0.2989, 0.587, 0.114), planes, strict=True))
  down, right = (_difference(luma, axis) for axis in (0, 1))
  steepness = smooth(jnp.sqrt(down * down + right * right)[None], jnp.float32(4), 8)[0]
  weights = jnp.clip(_stretched(steepness, jnp.min(steepness), jnp.max(steepness)), 0.1, 1)
  return _stretched(weights, _quantile(weights, 0.01), _quantile(weights, 0.99))


def _difference(plane: jax.Array, axis: int) -> jax.Array:
  """Half the difference of both neighbours along an axis; at the edge, of the edge pixel and its neighbour."""
  size = plane.shape[axis]
  wider = jnp.pad(plane, [(1, 1) if a == axis else (0, 0) for a in range(2)], "edge")
  after, before = (lax.slice_in_dim(wider, start, start + size, axis=axis) for start in (2, 0))
  return 0.5 * (after - before)


def _stretched(values: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
  return jnp.clip((values - low) / jnp.maximum(high - low, 1e-6), 0, 1)


def _quantile(values: jax.Array, share: float) -> jax.Array:
  """What about a share of the values, all within 0..1, lie below: by bisection, as sorting is slow."""
  wanted = math.ceil(share * values.size)

  def halve(_: int, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
    low, high = ends
    middle = 0.5 * (low + high)
    enough = jnp.sum(values <= middle, dtype=jnp.int32) >= wanted
    return jnp.where(enough, low, middle), jnp.where(enough, middle, high)

  return lax.fori_loop(0, 12, halve, (jnp.float32(0), jnp.float32(1)))[1]
