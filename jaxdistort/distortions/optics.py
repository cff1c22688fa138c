"""Blurs of lenses: defocus, the box that stands for it, zoom."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import compiled, stored
from jaxdistort.distortions.checks import bounded, check_image, check_maximum, known
from jaxdistort.distortions.colour_spaces import rounded
from jaxdistort.distortions.filtering import at_least, filter_axes
from jaxdistort.distortions.registry import Distortion, Parameter, register
from jaxdistort.distortions.sampling import bilinear, joined, packed, split
from jaxdistort.distortions.shifts import framed, running_sums, shifted_sum, taps_of

_LARGEST_RADIUS = 200
_BITS = 10  # of a level of an enlarged picture: quarters of it
_STRIPS = 32  # of a pixel, in which the area that the disk covers is measured


def defocus_blur(image: jax.Array, radius: Any, *, max_radius: float = 16.0) -> jax.Array:
  """Averages over a disk, as a lens out of focus does.

  A pixel counts by the share of it that the disk about the middle of the picture's pixel covers. Pixels outside repeat
  the edge pixel.

  Args:
    image: uint8 [H, W, 3].
    radius: pixels, 0..max_radius; traced. Up to 0.5 the picture stays as it is.
    max_radius: static bound of `radius`, 0..200 px.

  Returns:
    uint8 [H, W, 3]. Where `radius` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `radius` is concrete and outside 0..max_radius, or `max_radius` is outside its bounds.

  Source: MATLAB's fspecial('disk', radius), which KADID-10k blurs with; ImageNet-C's defocus_blur is a disk too.
  """
  check_image("defocus_blur", image)
  reach = check_maximum("defocus_blur", "max_radius", max_radius, _LARGEST_RADIUS)
  hint = "; raise max_radius, a static bound, to allow more"
  return _defocus_blur(image, bounded("defocus_blur", "radius", radius, 0, max_radius, "px", hint=hint), reach=reach)


register(Distortion("defocus_blur", defocus_blur, (Parameter("radius", "px", 0, 16, 4, weakest=0),), group="blur"))


@compiled(group_on_cpu=1)
def _defocus_blur(image: jax.Array, radius: jax.Array, *, reach: int) -> jax.Array:
  radius, brightest = known(radius)
  kernel = _disk(radius, reach)
  # A disk is flat: nearly all of its differences are 0, the others lie along the circle.
  differences = jnp.pad(kernel, ((1, 0), (0, 0))) - jnp.pad(kernel, ((0, 1), (0, 0)))
  taps = taps_of(differences, most=12 * reach + 16)
  sums = running_sums(framed(image, reach + 1, reach, reach))
  return rounded(jnp.minimum(shifted_sum(sums, taps, image.shape), brightest))


def _disk(radius: jax.Array, reach: int) -> jax.Array:
  """The shares of pixels that a disk covers, float32 [2 reach + 1, 2 reach + 1], of sum 1."""
  radius = jnp.maximum(radius, 0.5)
  centres = np.arange(-reach, reach + 1, dtype=np.float32)
  strips = centres[:, None] + (np.arange(_STRIPS, dtype=np.float32) + np.float32(0.5)) / _STRIPS - np.float32(0.5)
  ends = jnp.sqrt(jnp.maximum(radius * radius - strips * strips, 0))[None]
  rows = centres[:, None, None]
  shares = jnp.mean(jnp.clip(jnp.minimum(rows + 0.5, ends) - jnp.maximum(rows - 0.5, -ends), 0, 1), axis=-1)
  return shares / jnp.sum(shares)


def box_blur(image: jax.Array, width: Any) -> jax.Array:
  """Averages over a square.

  Along each axis the square covers the pixels in its middle wholly, and one at each end by a share of it. Pixels
  outside repeat the edge pixel.

  Args:
    image: uint8 [H, W, 3].
    width: of the square in pixels, 1..33; traced. At 1 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `width` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `width` is concrete and outside its bounds.

  Source: the moving average; of odd widths, scipy.ndimage.uniform_filter.
  """
  check_image("box_blur", image)
  return _box_blur(image, bounded("box_blur", "width", width, 1, 33, "px"))


register(Distortion("box_blur", box_blur, (Parameter("width", "px", 1, 33, 5, weakest=1),), group="blur"))


@compiled(group_on_cpu=1)
def _box_blur(image: jax.Array, width: jax.Array) -> jax.Array:
  width, brightest = known(width)

  def averaged(reach: int, planes: jax.Array) -> jax.Array:
    distances = jnp.abs(jnp.arange(-reach, reach + 1, dtype=jnp.float32))
    taps = jnp.clip((width + 1) / 2 - distances, 0, 1) / width
    return filter_axes(planes, taps)

  planes = jnp.moveaxis(image, -1, 0).astype(jnp.float32)
  planes = at_least((width - 1) / 2, (2, 6, 16), averaged, planes)
  return jnp.moveaxis(rounded(planes, brightest), 0, -1)


def zoom_blur(image: jax.Array, zoom: Any, step: Any) -> jax.Array:
  """Averages the picture, and the picture enlarged about its middle by 1 to `zoom`, as a zoom during the exposure does.

  The enlargements 1, ..., zoom are evenly spaced, at most `step` apart; the picture itself counts once more. Bilinear.

  Args:
    image: uint8 [H, W, 3].
    zoom: greatest enlargement, 1..1.6; traced. At 1 the picture stays as it is.
    step: distance of the enlargements, 0.005..0.1; traced.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: ImageNet-C's zoom_blur, whose enlargements are rounded to whole pixels.
  """
  check_image("zoom_blur", image)
  zoom = bounded("zoom_blur", "zoom", zoom, 1, 1.6)
  return _zoom_blur(image, zoom, bounded("zoom_blur", "step", step, 0.005, 0.1))


register(
  Distortion(
    "zoom_blur",
    zoom_blur,
    (Parameter("zoom", "", 1, 1.6, 1.15, weakest=1), Parameter("step", "", 0.005, 0.1, 0.01, weakest=0.1)),
    group="blur",
  )
)


@compiled(group_on_cpu=1)
def _zoom_blur(image: jax.Array, zoom: jax.Array, step: jax.Array) -> jax.Array:
  zoom, step, brightest = known(zoom, step)
  words = packed(image)

  def to_quarters(planes: list[jax.Array]) -> jax.Array:
    return joined([jnp.floor(4 * plane + 0.5) for plane in planes], _BITS)

  steps = jnp.maximum(jnp.ceil((zoom - 1) / step - 0.01), 1)  # a quotient within rounding of a whole number is whole
  middle_x, middle_y = (np.float32((side - 1) / 2) for side in (image.shape[1], image.shape[0]))
  from_middle_x, from_middle_y = (
    np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2) for side in (image.shape[1], image.shape[0])
  )

  def add(i: jax.Array, total: jax.Array) -> jax.Array:
    # Stored, so that the product and the sum are contracted in no program; then in whole parts of a pixel, so that all
    # further products and sums are exact. The picture is the same in every program.
    shrinkage = 1 / (1 + stored(lambda zoom, i: (zoom - 1) * (i.astype(jnp.float32) / steps), zoom, i))
    shrinkage = jnp.floor(shrinkage * 2**12 + 0.5) / 2**12
    x, y = (
      jnp.floor((middle + from_middle * shrinkage) * 2**6 + 0.5) / 2**6
      for middle, from_middle in ((middle_x, from_middle_x), (middle_y, from_middle_y))
    )
    x, y = jnp.broadcast_to(x[None, :], image.shape[:2]), jnp.broadcast_to(y[:, None], image.shape[:2])
    return total + jnp.stack(split(bilinear(words, image.shape, x, y, to_quarters), _BITS)) / 4

  count = steps.astype(jnp.int32) + 1
  total = lax.fori_loop(0, count, add, jnp.moveaxis(image, -1, 0).astype(jnp.float32))
  return jnp.moveaxis(rounded(jnp.minimum(total / (steps + 2), brightest)), 0, -1)
