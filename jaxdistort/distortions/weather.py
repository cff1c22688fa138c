"""Weather, as ImageNet-C makes it: fog by a plasma fractal, snow by streaks of thresholded noise."""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import compiled, lookup
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.colour_spaces import rounded
from jaxdistort.distortions.distributions import Uniform
from jaxdistort.distortions.randomness import normal, uniform
from jaxdistort.distortions.registry import Distortion, Parameter, register

_AT_ONCE = 3  # halvings of the plasma's grid that one product computes: unrolled they take long to compile
_LONGEST = 33  # px of a streak of snow


def fog(key: jax.Array, image: jax.Array, strength: Any, roughness: Any) -> jax.Array:
  """Adds a cloudy veil p of light, 0..1, the same to all channels, and darkens the sum.

  A value v in 0..1 becomes (v + strength p) m / (m + strength), m the picture's largest. p is made by diamond-square on
  the smallest square with a power of two on its side that holds the picture, stretched there to 0..1.

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    strength: light of the densest fog, in units of white, 0..10; traced. At 0 the picture stays as it is.
    roughness: the random step that each halving of the grid adds, as a share of the one before it, 0..1; traced.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: ImageNet-C's fog; with its "wibble decay" d, roughness is d^-2 (it divides both a factor and a range by d).
  """
  check_image("fog", image)
  strength = bounded("fog", "strength", strength, 0, 10)
  return _fog(key, image, strength, bounded("fog", "roughness", roughness, 0, 1))


register(
  Distortion(
    "fog",
    fog,
    (
      Parameter("strength", "", 0, 4, 2, weakest=0),
      Parameter("roughness", "", 0, 1, 0.3, weakest=0, drawn=Uniform(0.25, 0.5)),
    ),
    random=True,
    group="light",
  )
)


@compiled(group_on_cpu=1)
def _fog(key: jax.Array, image: jax.Array, strength: jax.Array, roughness: jax.Array) -> jax.Array:
  strength, roughness, brightest = known(strength, roughness)
  height, width, _ = image.shape
  veil = plasma(key, max(1, math.ceil(math.log2(max(height, width)))), roughness)[:height, :width]
  largest = jnp.max(image).astype(jnp.float32) / 255
  share = largest / jnp.maximum(largest + strength, 1e-6)
  veil = jnp.repeat(veil * (strength * share * 255), 3, axis=1)
  # At a share of 1 exactly, as it is without fog, every level stays itself.
  levels = image.reshape(height, width * 3).astype(jnp.float32) * share + veil
  return rounded(levels, brightest).reshape(image.shape)


def plasma(key: jax.Array, halvings: int, roughness: jax.Array) -> jax.Array:
  """A fractal float32 [2^halvings, 2^halvings] that repeats at its borders, 0..1, by diamond-square.

  In every halving of the grid the middle of four points, first those of squares, then those of diamonds, is their mean
  and a uniform step within -s..s; s is 1 at first, and multiplied by `roughness` each time.
  """
  steps = 2 * uniform(key, 4**halvings, stream=0) - 1
  first = min(halvings, _AT_ONCE)
  sizes = roughness ** jnp.asarray(_halving_of_step(first), jnp.float32)
  points = jnp.dot(jnp.asarray(_first_points(first)), steps[: 4**first] * sizes, precision=lax.Precision.HIGHEST)
  points = points.reshape(2**first, 2**first)
  for halving in range(first, halvings):
    size = roughness**halving
    points = _halved(points, steps[4**halving : 4 ** (halving + 1)].reshape(3, 2**halving, 2**halving) * size, jnp)
  points -= jnp.min(points)
  return points / jnp.maximum(jnp.max(points), 1e-9)


def _halved(points: Any, steps: Any, numpy: Any) -> Any:
  """The grid [2n, 2n] with twice the points, from [n, n] and steps [3, n, n], as arrays of `numpy` or jax.numpy."""
  count = points.shape[0]
  framed = numpy.pad(points, ((0, 1), (0, 1)), "wrap")
  here, right, down, across = framed[:-1, :-1], framed[:-1, 1:], framed[1:, :-1], framed[1:, 1:]
  middles = (here + right + down + across) * 0.25 + steps[0]
  before = numpy.pad(middles, ((1, 0), (1, 0)), "wrap")
  tops = (here + right + middles + before[:-1, 1:]) * 0.25 + steps[1]
  lefts = (here + down + middles + before[1:, :-1]) * 0.25 + steps[2]
  rows = [numpy.stack(pair, -1).reshape(count, 2 * count) for pair in ((here, tops), (lefts, middles))]
  return numpy.stack(rows, 1).reshape(2 * count, 2 * count)


@functools.cache
def _first_points(halvings: int) -> np.ndarray:
  """What every step adds to every point in the first halvings, float32 [4^halvings, 4^halvings]."""
  columns = []
  for step in np.eye(4**halvings):
    points = np.zeros((1, 1))
    for halving in range(halvings):
      points = _halved(points, step[4**halving : 4 ** (halving + 1)].reshape(3, 2**halving, 2**halving), np)
    columns.append(points.ravel())
  return np.stack(columns, axis=1).astype(np.float32)


def _halving_of_step(halvings: int) -> np.ndarray:
  """In which halving a step is added: 0 for the first three of 4^halvings (one stands unused before them), then 1."""
  return np.floor(np.log2(np.maximum(np.arange(4**halvings), 1)) / 2)


def snow(
  key: jax.Array,
  image: jax.Array,
  density: Any,
  spread: Any,
  zoom: Any,
  threshold: Any,
  length: Any,
  sigma: Any,
  veil: Any,
  angle: Any,
) -> jax.Array:
  """Whitens a picture, and adds streaks of snow: once, and once more turned by 180 degrees.

  The flakes: normal noise, enlarged bilinearly; 0 where it is below the threshold, else clipped to 0..1; smeared along
  a line that begins at the pixel, with weights exp(-i^2 / 2 sigma^2) at i = 0..length - 1 px, each taken from the
  nearest pixel (the edge's beyond the edges); in whole levels. The picture, 0..1, becomes
  v + veil (max(v, 1.5 luma + 0.5) - v), and the flakes are added to it.

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    density: mean of the noise, -1..0.6; traced. At -1, with no veil and the other defaults, the picture stays as it is.
    spread: standard deviation of the noise, 0..1; traced.
    zoom: how much it is enlarged, 1..8; traced.
    threshold: below which there is no snow, 0..1; traced. At 1 there is none at all.
    length: of a streak in pixels, 1..33 (a fraction does not count); traced.
    sigma: of its weights in px, 0.1..33; traced.
    veil: how far the picture goes towards its brightened grey, 0..0.6; traced.
    angle: from the pixel along its streak in radians, -10..10, clockwise from the x axis, -pi / 2 upwards; traced.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: ImageNet-C's snow, with the motion blur of the package imagecorruptions; its seven numbers are the first seven
  parameters, where length is twice its radius and one, and veil is 1 less its last.
  """
  check_image("snow", image)
  given = (density, spread, zoom, threshold, length, sigma, veil, angle)
  values = [bounded("snow", p.name, v, p.low, p.high, p.unit) for p, v in zip(_SNOW, given, strict=True)]
  return _snow(key, image, *values)


_SNOW = (
  Parameter("density", "", -1, 0.6, 0.1, weakest=-1),
  Parameter("spread", "", 0, 1, 0.3, weakest=0),
  Parameter("zoom", "", 1, 8, 3, weakest=1),
  Parameter("threshold", "", 0, 1, 0.5, weakest=1),
  Parameter("length", "px", 1, 33, 25, weakest=1),
  Parameter("sigma", "px", 0.1, 33, 8, weakest=0.1),
  Parameter("veil", "", 0, 0.6, 0.3, weakest=0),
  Parameter("angle", "rad", -10, 10, -math.pi / 2, weakest=0, drawn=Uniform(-0.75 * math.pi, -0.25 * math.pi)),
)

register(Distortion("snow", snow, _SNOW, random=True, graded=("threshold", "veil"), group="processing"))


@compiled(group_on_cpu=1)
def _snow(
  key: jax.Array,
  image: jax.Array,
  density: jax.Array,
  spread: jax.Array,
  zoom: jax.Array,
  threshold: jax.Array,
  length: jax.Array,
  sigma: jax.Array,
  veil: jax.Array,
  angle: jax.Array,
) -> jax.Array:
  density, spread, zoom, threshold, length, sigma, veil, angle, brightest = known(
    density, spread, zoom, threshold, length, sigma, veil, angle
  )
  height, width, _ = image.shape
  noise = density + spread * normal(key, height * width, stream=0, stored=True).reshape(height, width)
  noise = _enlarged(_enlarged(noise, zoom).T, zoom).T
  flakes = jnp.where((noise < threshold) | (threshold >= 1), 0, jnp.clip(noise, 0, 1))
  flakes = jnp.floor(_smeared(flakes, length, sigma, angle) * 255 + 0.5)
  flakes += flakes[::-1, ::-1]
  planes = jnp.moveaxis(image, -1, 0).astype(jnp.float32)
  grey = 0.299 * planes[0] + 0.587 * planes[1] + 0.114 * planes[2]
  planes += veil * (jnp.maximum(planes, (1.5 * grey + 127.5)[None]) - planes)
  return jnp.moveaxis(rounded(planes + flakes[None], brightest), 0, -1)


def _enlarged(rows: jax.Array, zoom: jax.Array) -> jax.Array:
  """The first n rows of [n, m] enlarged: between those that are needed, ends on ends, the way between two is linear."""
  count = rows.shape[0]
  needed = jnp.ceil(count / zoom)
  step = (needed - 1) / jnp.maximum(jnp.round(needed * zoom) - 1, 1)
  places = jnp.arange(count, dtype=jnp.float32) * step
  lower = jnp.minimum(places.astype(jnp.int32), count - 1)
  share = (places - lower.astype(jnp.float32))[:, None]
  below, above = lookup(rows, lower), lookup(rows, jnp.minimum(lower + 1, count - 1))
  return below + share * (above - below)


def _smeared(plane: jax.Array, length: jax.Array, sigma: jax.Array, angle: jax.Array) -> jax.Array:
  """The weighted mean of [H, W] along lines that begin at the pixels; see `snow`."""
  along = jnp.arange(_LONGEST, dtype=jnp.float32)
  weights = jnp.where(along < jnp.floor(length), jnp.exp(-jnp.square(along / sigma) * 0.5), 0)
  weights /= jnp.sum(weights)
  # The half below a whole number, so that a line along an axis stays on it.
  down, right = (jnp.ceil(along * shift - 0.5).astype(jnp.int32) for shift in (jnp.sin(angle), jnp.cos(angle)))
  reach = _LONGEST - 1
  framed = jnp.pad(plane, reach, mode="edge")

  def add(i: jax.Array, total: jax.Array) -> jax.Array:
    return total + weights[i] * lax.dynamic_slice(framed, (reach + down[i], reach + right[i]), plane.shape)

  return lax.fori_loop(0, length.astype(jnp.int32), add, jnp.zeros_like(plane))
