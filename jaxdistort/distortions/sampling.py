"""Colours between the pixels, looked up in words that hold the three levels of a pixel."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import lookup, stored


def packed(image: jax.Array) -> jax.Array:
  """uint8 [H, W, 3] to words uint32 [H W], so that one look-up brings the three levels of a pixel."""
  return stored(lambda levels: joined(jnp.moveaxis(levels, -1, 0).astype(jnp.uint32), 8).reshape(-1), image)


def joined(levels: jax.Array, bits: int) -> jax.Array:
  """Planes [3, ...] of whole numbers below 2^bits, uint32 or float32, to words uint32 [...], the first plane lowest."""
  first, second, third = levels if levels.dtype == jnp.uint32 else levels.astype(jnp.int32).astype(jnp.uint32)
  return first | (second << np.uint32(bits)) | (third << np.uint32(2 * bits))


def split(words: jax.Array, bits: int = 8) -> jax.Array:
  """Words [...] to the planes float32 [3, ...] that `joined` put into them."""
  shifts = (np.arange(3, dtype=np.uint32) * np.uint32(bits)).reshape(-1, *[1] * words.ndim)
  return ((words[None] >> shifts) & np.uint32(2**bits - 1)).astype(jnp.int32).astype(jnp.float32)


def picture(planes: jax.Array) -> jax.Array:
  """Planes float32 [3, H, W] of whole levels 0..255 to a picture uint8 [H, W, 3]."""
  # Interleaved as bytes of words: to stack three planes along a last axis takes six times as long.
  return lax.bitcast_convert_type(stored(lambda planes: joined(planes, 8), planes), jnp.uint8)[..., :3]


def bilinear(words: jax.Array, shape: tuple[int, ...], x: jax.Array, y: jax.Array) -> jax.Array:
  """Colours of a packed picture of a shape (H, W, 3) at coordinates, edge pixels repeated.

  Args:
    words: uint32 [H W].
    shape: of the picture.
    x, y: float32 [h, w] or what broadcasts to it, [1, w] and [h, 1]; stored, if they are dear.

  Returns:
    Planes float32 [3, h, w].
  """
  height, width, _ = shape
  left, top = jnp.floor(x), jnp.floor(y)
  x_weight, y_weight = (x - left)[None], (y - top)[None]
  columns = [jnp.clip(c, 0, width - 1).astype(jnp.int32) for c in (left, left + 1)]
  rows = [jnp.clip(r, 0, height - 1).astype(jnp.int32) * width for r in (top, top + 1)]

  corners = stored(lambda: [[lookup(words, row + column) for column in columns] for row in rows])

  def row_blend(row: list[jax.Array]) -> jax.Array:
    first, second = (split(corner) for corner in row)
    return (1 - x_weight) * first + x_weight * second

  return (1 - y_weight) * row_blend(corners[0]) + y_weight * row_blend(corners[1])
