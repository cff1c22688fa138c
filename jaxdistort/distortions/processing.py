"""What cameras and editors do to a picture in good faith: sharpening."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxdistort.distortions.backend import compiled
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.colour_spaces import from_lab, on_planes, rounded, to_lab
from jaxdistort.distortions.filtering import filter_axes, short_gaussian_taps
from jaxdistort.distortions.registry import Distortion, Parameter, register

_LARGEST_RADIUS = 5  # pixels


def sharpen(image: jax.Array, amount: Any, radius: Any) -> jax.Array:
  """Unsharp masking of L* (CIE L*a*b*): adds a multiple of its difference from its blur; halos where it is large.

  The blur is a Gaussian cut off at ceil(2 radius); pixels outside repeat the edge pixel. Colours that sRGB lacks are
  clipped.

  Args:
    image: uint8 [H, W, 3].
    amount: what the difference is multiplied by, 0..20; traced. At 0 the picture stays as it is.
    radius: standard deviation of the blur, 0..5 px; traced.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: imsharpenHi of KADIS-700k (Lin, Hosu and Saupe, 2020): MATLAB's imsharpen with a radius of 3 px.
  """
  check_image("sharpen", image)
  amount = bounded("sharpen", "amount", amount, 0, 20)
  return _sharpen(image, amount, bounded("sharpen", "radius", radius, 0, _LARGEST_RADIUS, "px"))


register(
  Distortion(
    "sharpen",
    sharpen,
    (Parameter("amount", "", 0, 12, 2, weakest=0), Parameter("radius", "px", 0, _LARGEST_RADIUS, 3, weakest=0)),
    group="processing",
  )
)


@compiled(group_on_cpu=1)
def _sharpen(image: jax.Array, amount: jax.Array, radius: jax.Array) -> jax.Array:
  amount, radius, brightest = known(amount, radius)
  taps = short_gaussian_taps(radius, 2 * _LARGEST_RADIUS)

  def sharpened(planes: jax.Array) -> jax.Array:
    lab = to_lab(planes)
    difference = lab[:1] - filter_axes(lab[:1], taps)
    levels = from_lab(jnp.concatenate([lab[:1] + amount * difference, lab[1:]]))
    return rounded(levels, brightest)

  return on_planes(sharpened, image)
