"""Random displacements: smooth ones of the whole picture, and a jitter of single pixels."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import compiled, stored
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.filtering import at_least, filter_axes, truncated_taps
from jaxdistort.distortions.randomness import random_words, uniform
from jaxdistort.distortions.registry import Distortion, Parameter, register
from jaxdistort.distortions.sampling import bicubic, bilinear, joined, packed, picture, split

_JITTERS = 5
_BITS = 10  # of a level between two jitters: quarters of it


def elastic(key: jax.Array, image: jax.Array, amplitude: Any, scale: Any, affine: Any) -> jax.Array:
  """Displaces the picture by a smooth random field, as a rubber sheet that is pulled here and there.

  The field is uniform noise on a torus, smoothed by a Gaussian that is cut off at 3 scale, and scaled to its standard
  deviation. To it comes a random affine map: three corners of the square about the middle, whose sides are two thirds
  of the shorter side, move by up to `affine` along each axis. Colours are bilinear, and mirrored at the edges.

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    amplitude: standard deviation of the field along each axis in pixels, 0..16; traced.
    scale: standard deviation of the Gaussian in pixels, 0.5..24; traced.
    affine: largest displacement of the corners along each axis in pixels, 0..64; traced.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: ImageNet-C's elastic_transform, after P. Simard and others, Best practices for convolutional neural networks
  (ICDAR 2003). Its alpha is amplitude 2 sqrt(3 pi) scale, but for its smallest scales.
  """
  check_image("elastic", image)
  amplitude = bounded("elastic", "amplitude", amplitude, 0, 16, "px")
  scale = bounded("elastic", "scale", scale, 0.5, 24, "px")
  return _elastic(key, image, amplitude, scale, bounded("elastic", "affine", affine, 0, 64, "px"))


register(
  Distortion(
    "elastic",
    elastic,
    (
      Parameter("amplitude", "px", 0, 16, 2, weakest=0),
      Parameter("scale", "px", 0.5, 24, 4, weakest=24),
      Parameter("affine", "px", 0, 64, 0, weakest=0),
    ),
    random=True,
    group="warp",
  )
)


@compiled(group_on_cpu=1)
def _elastic(key: jax.Array, image: jax.Array, amplitude: jax.Array, scale: jax.Array, affine: jax.Array) -> jax.Array:
  amplitude, scale, affine, brightest = known(amplitude, scale, affine)
  height, width, _ = image.shape

  def positions(field: jax.Array) -> tuple[jax.Array, jax.Array]:
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    x_shift, y_shift = amplitude * field + affine * _affine(key, x, y)
    return _mirrored(x + x_shift, width), _mirrored(y + y_shift, height)

  def finish(planes: list[jax.Array]) -> jax.Array:
    return joined([jnp.floor(jnp.minimum(plane, brightest) + 0.5) for plane in planes], 8)

  x, y = stored(positions, _field(key, height, width, scale))
  return picture(bilinear(packed(image), image.shape, x, y, finish))


def _field(key: jax.Array, height: int, width: int, scale: jax.Array) -> jax.Array:
  """Smooth noise float32 [2, H, W], independent, of standard deviation 1."""
  noise = (2 * uniform(key, 2 * height * width, stream=0) - 1).reshape(2, height, width)

  def smoothed(reach: int, noise: jax.Array) -> jax.Array:
    taps = truncated_taps(scale, 3, reach)
    # On a torus the field is as large at the edges as in the middle.
    smooth = filter_axes(noise, taps, "wrap")
    return smooth * (np.float32(np.sqrt(3)) / jnp.sum(taps * taps))

  return at_least(3 * scale + 0.5, (8, 24, 72), smoothed, noise)


def _affine(key: jax.Array, x: np.ndarray, y: np.ndarray) -> jax.Array:
  """Displacements float32 [2, H, W] of an affine map that moves three corners by -1..1 along each axis."""
  corners = (2 * uniform(key, 6, stream=1) - 1).reshape(3, 2, 1, 1)
  height, width = x.shape
  side = max(min(height, width) // 3, 1)
  right, down = ((v - middle) / np.float32(side) for v, middle in ((x, width // 2), (y, height // 2)))
  # The corners are (1, 1), (1, -1) and (-1, -1): the second one and its differences to the others.
  across, along = (corners[1] - corners[2]) / 2, (corners[0] - corners[1]) / 2
  return corners[1] + (right - 1)[None] * across + (down + 1)[None] * along


def _mirrored(position: jax.Array, size: int) -> jax.Array:
  """Positions folded into 0..size - 1 at its ends."""
  if size == 1:
    return jnp.zeros_like(position)
  period = 2 * (size - 1)
  folded = jnp.abs(position - period * jnp.round(position / period))
  return jnp.clip(folded, 0, size - 1)


def jitter(key: jax.Array, image: jax.Array, amount: Any) -> jax.Array:
  """Has every pixel take the colour a random distance away, five times over.

  Each time the distances along both axes are normal, of every pixel its own; colours are bicubic (Catmull-Rom), edge
  pixels repeated, levels limited to 0..255 and rounded to quarters.

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    amount: standard deviation of the distances in pixels, 0..4; traced. At 0 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `amount` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `amount` is concrete and outside its bounds.

  Source: KADIS' imjitter (KADID-10k's jitter): imscatter with five iterations of bicubic sampling.
  """
  check_image("jitter", image)
  return _jitter(key, image, bounded("jitter", "amount", amount, 0, 4, "px"))


register(
  Distortion("jitter", jitter, (Parameter("amount", "px", 0, 4, 0.5, weakest=0),), random=True, group="processing")
)


@compiled(group_on_cpu=1)
def _jitter(key: jax.Array, image: jax.Array, amount: jax.Array) -> jax.Array:
  amount, brightest = known(amount)
  height, width, _ = image.shape

  def to_quarters(planes: list[jax.Array]) -> jax.Array:
    return joined([jnp.floor(jnp.clip(plane, 0, 1020) + 0.5) for plane in planes], _BITS)

  def scatter(turn: jax.Array, words: jax.Array) -> jax.Array:
    draws = random_words(jax.random.fold_in(key, turn), height * width, stream=0).reshape(height, width)
    x = lax.broadcasted_iota(jnp.float32, draws.shape, 1) + amount * _normal(draws)
    y = lax.broadcasted_iota(jnp.float32, draws.shape, 0) + amount * _normal(draws >> np.uint32(16))
    return bicubic(words, image.shape, x, y, to_quarters, _BITS).reshape(-1)

  quarters = joined([4 * plane for plane in split(packed(image), 8)], _BITS)
  planes = split(lax.fori_loop(0, _JITTERS, scatter, quarters).reshape(height, width), _BITS)
  levels = jnp.stack([jnp.minimum(jnp.floor(plane / 4 + 0.5), brightest) for plane in planes], -1)
  return levels.astype(jnp.uint8)


def _normal(words: jax.Array) -> jax.Array:
  """The lower 16 bits of random words to standard normal numbers float32, up to 4.3."""
  symmetric = (words & np.uint32(0xFFFF)).astype(jnp.int32).astype(jnp.float32) * np.float32(2.0**-15)
  return np.float32(np.sqrt(2)) * lax.erf_inv(symmetric + np.float32(2.0**-16 - 1))
