"""Colours between the pixels, looked up in words that hold the three levels of a pixel."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import lookup, stored

_BANDS = 4

Finish = Callable[[list[jax.Array]], jax.Array]
"""Three planes float32 [m, W] to words uint32 [m, W]."""


def packed(image: jax.Array) -> jax.Array:
  """uint8 [H, W, 3] to words uint32 [H W], so that one look-up brings the three levels of a pixel."""

  def as_words(image: jax.Array) -> jax.Array:
    return lax.bitcast_convert_type(jnp.pad(image, ((0, 0), (0, 0), (0, 1))), jnp.uint32).reshape(-1)

  return stored(as_words, image)


def joined(planes: Sequence[jax.Array] | jax.Array, bits: int) -> jax.Array:
  """Three planes float32 of whole numbers below 2^bits to words uint32, the first plane lowest."""
  first, second, third = (plane.astype(jnp.int32).astype(jnp.uint32) for plane in planes)
  return first | (second << np.uint32(bits)) | (third << np.uint32(2 * bits))


def split(words: jax.Array, bits: int) -> list[jax.Array]:
  """Words to the three planes, float32, that `joined` put into them."""
  mask = np.uint32(2**bits - 1)
  return [((words >> np.uint32(i * bits)) & mask).astype(jnp.int32).astype(jnp.float32) for i in range(3)]


def picture(words: jax.Array) -> jax.Array:
  """Words uint32 [H, W] of 8 bits a level to a picture uint8 [H, W, 3]; stored ones, or each is made three times."""
  return lax.bitcast_convert_type(words, jnp.uint8)[..., :3]


def bilinear(
  words: jax.Array, shape: tuple[int, ...], x: jax.Array, y: jax.Array, finish: Finish, bits: int = 8
) -> jax.Array:
  """Colours at coordinates, bilinear, edge pixels repeated.

  Args:
    words: uint32 [H W], a picture of a shape (H, W, 3).
    shape: of the picture.
    x, y: float32 [H, W].
    finish: makes words of the planes.
    bits: of a level in `words`.

  Returns:
    uint32 [H, W], stored.
  """

  def near(position: jax.Array, size: int) -> list[tuple[jax.Array, jax.Array]]:
    first = jnp.floor(position)
    weight = position - first
    places = [jnp.clip(p, 0, size - 1).astype(jnp.int32) for p in (first, first + 1)]
    return list(zip(places, (1 - weight, weight), strict=True))

  return _sampled(words, shape, x, y, near, finish, bits)


def bicubic(
  words: jax.Array, shape: tuple[int, ...], x: jax.Array, y: jax.Array, finish: Finish, bits: int = 8
) -> jax.Array:
  """Like `bilinear`, by Catmull-Rom splines."""

  def near(position: jax.Array, size: int) -> list[tuple[jax.Array, jax.Array]]:
    first = jnp.floor(position)
    t = position - first
    weights = (
      ((-0.5 * t + 1) * t - 0.5) * t,
      (1.5 * t - 2.5) * t * t + 1,
      ((-1.5 * t + 2) * t + 0.5) * t,
      (0.5 * t - 0.5) * t * t,
    )
    places = [jnp.clip(first + i, 0, size - 1).astype(jnp.int32) for i in range(-1, 3)]
    return list(zip(places, weights, strict=True))

  return _sampled(words, shape, x, y, near, finish, bits)


def _sampled(
  words: jax.Array, shape: tuple[int, ...], x: jax.Array, y: jax.Array, near: Callable, finish: Finish, bits: int
) -> jax.Array:
  """Sums over the pixels near each position; `near` gives their places and weights along an axis of a size."""
  height, width, _ = shape

  def band(positions: tuple[jax.Array, jax.Array]) -> jax.Array:
    columns, rows = near(positions[0], width), near(positions[1], height)
    levels = [[split(lookup(words, row * width + column), bits) for column, _ in columns] for row, _ in rows]

    def row_blend(row: list[list[jax.Array]], channel: int) -> jax.Array:
      return _total([weight * near_level[channel] for near_level, (_, weight) in zip(row, columns, strict=True)])

    def blend(channel: int) -> jax.Array:
      return _total([weight * row_blend(row, channel) for row, (_, weight) in zip(levels, rows, strict=True)])

    return finish([blend(channel) for channel in range(3)])

  # In bands of a loop: XLA would look up every word three times, once for each of its levels.
  rest = -height % _BANDS
  bands = [jnp.pad(v, ((0, rest), (0, 0))).reshape(_BANDS, -1, width) for v in (x, y)]
  return lax.map(band, tuple(bands)).reshape(-1, width)[:height]


def _total(terms: list[jax.Array]) -> jax.Array:
  first, *others = terms
  for term in others:
    first = first + term
  return first
