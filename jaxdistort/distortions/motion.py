"""Motion blurs: along a straight line, evenly or with a tail, and along the path of a hand that shakes."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxdistort.distortions.backend import compiled
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.colour_spaces import rounded
from jaxdistort.distortions.distributions import Uniform
from jaxdistort.distortions.randomness import normal
from jaxdistort.distortions.registry import Distortion, Parameter, register
from jaxdistort.distortions.shifts import Taps, framed, shifted_sum, taps_of

_LONGEST_LINE, _LARGEST_RADIUS, _LONGEST_PATH = 64, 24, 32
_MOMENTS = 96  # of an exposure: less than a pixel apart, mostly, on the longest path
_MEMORY = 24  # moments after which the hand's velocity has lost most of its correlation


def linear_motion_blur(image: jax.Array, length: Any, angle: Any) -> jax.Array:
  """Averages over a straight line through the pixel, as a camera that moves evenly does.

  A pixel counts by 1 - d where its distance d to the line of length - 1 px is below 1; the weights are divided by their
  sum. Pixels outside repeat the edge pixel.

  Args:
    image: uint8 [H, W, 3].
    length: pixels, 1..64; traced. At 1 the picture stays as it is.
    angle: radians, -1,000..1,000, anticlockwise from the x axis; traced.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: MATLAB's fspecial('motion', length, angle in degrees), which KADID-10k blurs with.
  """
  check_image("linear_motion_blur", image)
  length = bounded("linear_motion_blur", "length", length, 1, _LONGEST_LINE, "px")
  return _linear_motion_blur(image, length, bounded("linear_motion_blur", "angle", angle, -1000, 1000, "rad"))


register(
  Distortion(
    "linear_motion_blur",
    linear_motion_blur,
    (
      Parameter("length", "px", 1, _LONGEST_LINE, 10, weakest=1),
      Parameter("angle", "rad", -100, 100, 0, weakest=0, drawn=Uniform(0, math.pi)),
    ),
    group="blur",
  )
)


@compiled(group_on_cpu=1)
def _linear_motion_blur(image: jax.Array, length: jax.Array, angle: jax.Array) -> jax.Array:
  length, angle, brightest = known(length, angle)
  half, cos, sin = (length - 1) / 2, jnp.cos(angle), jnp.sin(angle)
  reach = _LONGEST_LINE // 2 + 1
  # Steps 0, 1, -1, 2, -2, ... along the axis that the line is nearer to; three pixels of each across.
  places = jnp.arange(2 * reach + 1)
  along = jnp.where(places % 2 == 1, (places + 1) // 2, -(places // 2)).astype(jnp.float32)[:, None]
  flat = jnp.abs(cos) >= jnp.abs(sin)
  slope = jnp.where(flat, sin, cos) / jnp.where(flat, cos, sin)
  across = jnp.round(along * slope) + jnp.arange(-1, 2, dtype=jnp.float32)[None]
  along = jnp.broadcast_to(along, across.shape)
  x, y = jnp.where(flat, along, across), jnp.where(flat, across, along)
  weights = _nearness(x, y, half, cos, sin)
  count = 3 * (2 * jnp.ceil(half + 1).astype(jnp.int32) + 1)
  rows, columns = ((reach + offset).astype(jnp.int32).reshape(-1) for offset in (-y, x))
  taps = Taps(rows, columns, (weights / jnp.sum(weights)).reshape(-1), count)
  levels = shifted_sum(framed(image, reach, reach, reach), taps, image.shape)
  return rounded(levels, brightest)


def _nearness(x: jax.Array, y: jax.Array, half: jax.Array, cos: jax.Array, sin: jax.Array) -> jax.Array:
  """max(0, 1 - distance) of pixels to a line through 0 that reaches `half` to each side."""
  across, along = y * cos - x * sin, jnp.abs(x * cos + y * sin)
  # The reference measures to the end whatever is farther from the middle than the end is.
  beyond = jnp.where(x * x + y * y >= half * half, half - along, 0)
  return jnp.maximum(1 - jnp.sqrt(across * across + beyond * beyond), 0)


def gaussian_motion_blur(image: jax.Array, radius: Any, sigma: Any, angle: Any) -> jax.Array:
  """Averages along a line from the pixel in one direction, with weights that fall off like a Gaussian.

  The samples i = 0, 1, ... below 2 radius + 1 (the last one by a share) lie at (ceil(i cos angle - 1/2),
  ceil(i sin angle - 1/2)), rows counted downwards, and weigh exp(-i^2 / 2 sigma^2). Pixels outside repeat the edge
  pixel.

  Args:
    image: uint8 [H, W, 3].
    radius: pixels, 0..24; traced. At 0 the picture stays as it is.
    sigma: of the weights, pixels, 0..24; traced. At 0 the picture stays as it is.
    angle: radians, -1,000..1,000, clockwise from the x axis; traced.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: ImageMagick's MotionBlurImage, which ImageNet-C's motion_blur calls, and imagecorruptions' copy of it.
  """
  check_image("gaussian_motion_blur", image)
  radius = bounded("gaussian_motion_blur", "radius", radius, 0, _LARGEST_RADIUS, "px")
  sigma = bounded("gaussian_motion_blur", "sigma", sigma, 0, _LARGEST_RADIUS, "px")
  angle = bounded("gaussian_motion_blur", "angle", angle, -1000, 1000, "rad")
  return _gaussian_motion_blur(image, radius, sigma, angle)


register(
  Distortion(
    "gaussian_motion_blur",
    gaussian_motion_blur,
    (
      Parameter("radius", "px", 0, _LARGEST_RADIUS, 15, weakest=0),
      Parameter("sigma", "px", 0, _LARGEST_RADIUS, 8, weakest=0),
      Parameter("angle", "rad", -100, 100, 0, weakest=0, drawn=Uniform(-math.pi / 4, math.pi / 4)),
    ),
    graded=("radius", "sigma"),
    group="blur",
  )
)


@compiled(group_on_cpu=1)
def _gaussian_motion_blur(image: jax.Array, radius: jax.Array, sigma: jax.Array, angle: jax.Array) -> jax.Array:
  radius, sigma, angle, brightest = known(radius, sigma, angle)
  reach = 2 * _LARGEST_RADIUS
  steps = jnp.arange(reach + 1, dtype=jnp.float32)
  taken = jnp.clip(2 * radius + 1 - steps, 0, 1)
  weights = taken * jnp.exp(-steps * steps * (0.5 / jnp.square(jnp.maximum(sigma, 1e-3))))
  rows, columns = (reach + jnp.ceil(steps * way(angle) - 0.5).astype(jnp.int32) for way in (jnp.sin, jnp.cos))
  count = jnp.ceil(2 * radius + 1).astype(jnp.int32)
  taps = Taps(rows, columns, weights / jnp.sum(weights), count)
  levels = shifted_sum(framed(image, reach, reach, reach), taps, image.shape)
  return rounded(levels, brightest)


def camera_shake(key: jax.Array, image: jax.Array, length: Any) -> jax.Array:
  """Averages over the path of a hand that shakes during the exposure: curved, faster here than there.

  The velocity is a random walk with inertia: an autoregressive process of two components, whose sums are the positions
  at 96 moments. The path is scaled to its length, its centre of gravity lies on the pixel, and every moment is shared
  among the four pixels around it (bilinear). Pixels outside repeat the edge pixel.

  Args:
    key: a PRNG key of any implementation; draws the path.
    image: uint8 [H, W, 3].
    length: of the path in pixels, 0..32; traced. At 0 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `length` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `length` is concrete and outside its bounds.

  Source: the inertial random walk of G. Boracchi and A. Foi, Modeling the performance of image restoration from motion
  blur (IEEE TIP 2012), which DeblurGAN trains on too; here in closed form, with a speed that varies.
  """
  check_image("camera_shake", image)
  return _camera_shake(key, image, bounded("camera_shake", "length", length, 0, _LONGEST_PATH, "px"))


register(
  Distortion(
    "camera_shake",
    camera_shake,
    (Parameter("length", "px", 0, _LONGEST_PATH, 12, weakest=0),),
    random=True,
    group="blur",
  )
)


@compiled(group_on_cpu=1)
def _camera_shake(key: jax.Array, image: jax.Array, length: jax.Array) -> jax.Array:
  length, brightest = known(length)
  reach = _LONGEST_PATH + 1
  kernel = _spread(_path(key) * length, reach)
  # A path crosses a line of the grid at most twice a pixel of its length, and reaches two new pixels each time.
  levels = shifted_sum(framed(image, reach, reach, reach), taps_of(kernel, most=4 * reach), image.shape)
  return rounded(levels, brightest)


def _path(key: jax.Array) -> jax.Array:
  """Positions float32 [96, 2] of a path of length 1 about its centre of gravity."""
  kept = math.exp(-1 / _MEMORY)
  ages = np.arange(_MOMENTS)[:, None] - np.arange(_MOMENTS)
  inertia = np.where(ages >= 0, kept ** np.maximum(ages, 0), 0)
  inertia[:, 0] /= math.sqrt(1 - kept * kept)  # as fast at the beginning as later
  velocity = jnp.float32(inertia) @ normal(key, 2 * _MOMENTS, stream=0).reshape(-1, 2)
  steps = velocity[1:]
  total = jnp.sum(jnp.sqrt(jnp.sum(steps * steps, axis=1)))
  summed = jnp.float32(np.tri(_MOMENTS, _MOMENTS - 1, -1)) @ (steps / total)
  return summed - jnp.mean(summed, axis=0, keepdims=True)


def _spread(path: jax.Array, reach: int) -> jax.Array:
  """Shares positions float32 [n, 2] among the pixels around each: float32 [2 reach + 1, 2 reach + 1], of sum 1."""
  places = np.arange(-reach, reach + 1, dtype=np.float32)
  near = jnp.maximum(1 - jnp.abs(path[:, :, None] - places[None, None]), 0)
  return near[:, 1].T @ near[:, 0] / path.shape[0]
