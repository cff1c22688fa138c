"""Resampling as Pillow does it, by traced factors: shrinking is antialiased; sizes of arrays are static."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import compiled, lookup
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.colour_spaces import rounded

REACH = {"box": 0.5, "bilinear": 1.0, "bicubic": 2.0, "lanczos": 3.0}
"""The filters, and how far each reaches on either side, in pixels of the smaller of the two pictures."""

_SCALES = (0.05, 4.0)
_STEPS = 2**14  # of a pixel: places at which filters are known
_FARTHEST = 100_000  # px; reflections of it are still found in whole numbers


def window(image: jax.Array, scale: jax.Array, top: jax.Array, left: jax.Array, *, size: int, filter: str) -> jax.Array:
  """A square window of the picture rescaled by a factor, without the rescaled picture being made.

  The rescaled picture has round(scale * H) x round(scale * W) pixels, at least one, and is Pillow's
  `resize` to this size. Beyond its edges lies its mirror image, edge pixels twice (numpy's "symmetric" padding).

  Args:
    image: uint8 [H, W, 3].
    scale: factor 0.05..4; traced.
    top, left: where the window begins in the rescaled picture, in its pixels, -100,000..100,000; rounded down; traced.
    size: static side of the window, px.
    filter: static; one of `REACH`.

  Returns:
    uint8 [size, size, 3]. Where parameters are traced, one outside its bounds gives the window of the nearest bound,
    and NaN a black one.

  Raises:
    ValueError: a concrete parameter outside its bounds, a size below 1, or an unknown filter.

  Source: Pillow 12, Image.resize and its Resample.c.
  """
  check_image("window", image)
  if size < 1 or filter not in REACH:
    raise ValueError(f"window: expected size >= 1 and one of the filters {', '.join(REACH)}, got {size} and {filter!r}")
  scale = bounded("window", "scale", scale, *_SCALES)
  corner = (
    bounded("window", name, value, -_FARTHEST, _FARTHEST, "px") for name, value in (("top", top), ("left", left))
  )
  return _window(image, scale, *corner, size=size, filter=filter)


@compiled(group_on_cpu=1)
def _window(
  image: jax.Array, scale: jax.Array, top: jax.Array, left: jax.Array, *, size: int, filter: str
) -> jax.Array:
  scale, top, left, brightest = known(scale, top, left)

  def seen(length: int, start: jax.Array) -> jax.Array:
    """The weights of the window's pixels along an axis [size, length]."""
    target = jnp.maximum(jnp.floor(scale * length + 0.5), 1).astype(jnp.int32)
    places = jnp.mod(jnp.floor(start).astype(jnp.int32) + jnp.arange(size), 2 * target)
    return weights(filter, length, length, target, jnp.minimum(places, 2 * target - 1 - places))

  height, width, _ = image.shape
  columns = resampled(turned(image), seen(width, left))
  return jnp.minimum(resampled(turned(columns), seen(height, top)), brightest.astype(jnp.uint8))


def turned(image: jax.Array) -> jax.Array:
  """A picture [H, W, 3] with its sides exchanged, [W, H, 3]: the long axis of a product is the first one."""
  return image.transpose(1, 0, 2)


def resampled(image: jax.Array, matrix: jax.Array) -> jax.Array:
  """The product of weights float32 [n, H] with the rows of a picture uint8 [H, W, 3], in whole levels: [n, W, 3]."""
  rows = image.reshape(image.shape[0], -1).astype(jnp.float32)
  sums = jnp.dot(matrix, rows, precision=lax.Precision.HIGHEST)
  return rounded(sums).reshape(-1, *image.shape[1:])


def weights(
  filter: str, columns: int, source: jax.Array | int, target: jax.Array | int, places: jax.Array
) -> jax.Array:
  """The weights by which Pillow resizes one axis.

  Args:
    filter: one of `REACH`.
    columns: pixels that the source has room for, static.
    source: pixels that the source has, 1..columns; traced.
    target: pixels that the whole result has, at least 1; traced.
    places: int32 [n], those of the result that are wanted, 0..target - 1.

  Returns:
    float32 [n, columns], multiples of 2^-15; every row sums to 1 but for rounding, and is 0 beyond the source.
  """
  source, target = (jnp.asarray(count, jnp.int32) for count in (source, target))
  larger, pixels = jnp.maximum(source, target), jnp.arange(columns)
  # Where a pixel lies seen from the centre, in 1 / 2 larger of the smaller picture: in whole numbers, and so are
  # the weights. Products with levels are then exact, and the same in every program and in whatever order they are added
  # up: a device that splits a product among its threads gives the same picture.
  offsets = (2 * pixels + 1)[None, :] * target - ((2 * places + 1) * source)[:, None]
  values = jnp.where(pixels < source, _kernel(filter, offsets, larger), 0)
  return jnp.round(values * 2.0**15 / jnp.sum(values, axis=1, keepdims=True)) * np.float32(2.0**-15)


def _kernel(filter: str, offsets: jax.Array, larger: jax.Array) -> jax.Array:
  """Whole float32 numbers: the value of a filter by its greatest, at distances of offsets / 2 larger pixels."""
  if filter == "box":
    return ((offsets > -larger) & (offsets <= larger)).astype(jnp.float32)
  reach = int(REACH[filter] * _STEPS)
  within = jnp.clip(offsets, -int(2 * REACH[filter]) * larger, int(2 * REACH[filter]) * larger)
  steps = jnp.floor(within.astype(jnp.float32) / (2 * larger).astype(jnp.float32) * _STEPS + 0.5)
  distances = np.abs(np.arange(-reach, reach + 1)) / _STEPS
  table = np.round(_curve(filter, distances) * 2.0**17).astype(np.float32)
  return lookup(jnp.asarray(table), steps.astype(jnp.int32) + reach)


def _curve(filter: str, x: np.ndarray) -> np.ndarray:
  """A filter at distances from its centre, in pixels of the smaller picture."""
  if filter == "bilinear":
    return np.maximum(1 - x, 0)
  if filter == "bicubic":  # Keys' with a = -1/2
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))
  return np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0)
