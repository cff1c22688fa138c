"""Parts of a picture that are wrong: patches out of place, blocks that are lost or covered, lines out of step."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxdistort.distortions.backend import compiled
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.colour_spaces import rounded
from jaxdistort.distortions.randomness import uniform
from jaxdistort.distortions.registry import Distortion, Parameter, register

_MOST_PATCHES, _PATCH, _MARGIN = 200, 16, 16
_MOST_BLOCKS, _BLOCK = 40, 32
_LARGEST_SHIFT = 32


def patches(key: jax.Array, image: jax.Array, count: Any) -> jax.Array:
  """Copies patches of 16 x 16 px one after the other to places up to 8 px away, along either axis.

  They come from anywhere that is 16 px from the edges; in small pictures, from anywhere.

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    count: number of patches, 0..200, whole; traced. At 0 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `count` is traced, one outside its bounds gives the picture of the nearest bound, a fraction
    that of the whole number below, and NaN a black picture.

  Raises:
    ValueError: `count` is concrete and outside its bounds, or not whole.

  Source: imnoneccentricity of KADIS-700k (Lin, Hosu and Saupe, 2020); TID2013's "non eccentricity pattern noise".
  """
  check_image("patches", image)
  return _patches(key, image, bounded("patches", "count", count, 0, _MOST_PATCHES, whole=True))


register(
  Distortion(
    "patches",
    patches,
    (Parameter("count", "", 0, _MOST_PATCHES, 60, weakest=0, whole=True),),
    random=True,
    group="processing",
  )
)


@compiled(group_on_cpu=1)
def _patches(key: jax.Array, image: jax.Array, count: jax.Array) -> jax.Array:
  count, brightest = known(count)
  height, width, _ = image.shape
  size = min(_PATCH, height), min(_PATCH, width)
  draws = uniform(key, 4 * _MOST_PATCHES, stream=0).reshape(_MOST_PATCHES, 2, 2)
  last = jnp.asarray([[height - size[0], width - size[1]]], jnp.float32)
  low, high = jnp.minimum(_MARGIN, last), jnp.maximum(last - _MARGIN, 0)
  low, high = jnp.where(low > high, 0, low), jnp.where(low > high, last, high)
  sources = jnp.floor(low + draws[:, 0] * (high - low) + 0.5)
  targets = jnp.clip(sources + jnp.floor((draws[:, 1] - 0.5) * _MARGIN + 0.5), 0, last).astype(jnp.int32)
  sources = sources.astype(jnp.int32)

  def copy(i: jax.Array, picture: jax.Array) -> jax.Array:
    patch = lax.dynamic_slice(picture, (*sources[i], 0), (*size, 3))
    return lax.dynamic_update_slice(picture, patch, (*targets[i], 0))

  return jnp.minimum(lax.fori_loop(0, count.astype(jnp.int32), copy, image), brightest.astype(jnp.uint8))


def colour_blocks(key: jax.Array, image: jax.Array, count: Any) -> jax.Array:
  """Covers squares of 32 x 32 px, anywhere, with random colours.

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    count: number of squares, 0..40, whole; traced. At 0 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `count` is traced, one outside its bounds gives the picture of the nearest bound, a fraction
    that of the whole number below, and NaN a black picture.

  Raises:
    ValueError: `count` is concrete and outside its bounds, or not whole.

  Source: imcolorblock of KADIS-700k; TID2013's "local block-wise distortions of different intensity".
  """
  check_image("colour_blocks", image)
  return _colour_blocks(key, image, bounded("colour_blocks", "count", count, 0, _MOST_BLOCKS, whole=True))


register(
  Distortion(
    "colour_blocks",
    colour_blocks,
    (Parameter("count", "", 0, 20, 6, weakest=0, whole=True),),
    random=True,
    group="processing",
  )
)


@compiled(group_on_cpu=1)
def _colour_blocks(key: jax.Array, image: jax.Array, count: jax.Array) -> jax.Array:
  count, brightest = known(count)
  height, width, _ = image.shape
  size = min(_BLOCK, height), min(_BLOCK, width)
  draws = uniform(key, 5 * _MOST_BLOCKS, stream=0).reshape(_MOST_BLOCKS, 5)
  room = jnp.asarray([[height - size[0] + 1, width - size[1] + 1]], jnp.float32)
  places = jnp.floor(draws[:, :2] * room).astype(jnp.int32)
  colours = jnp.floor(draws[:, 2:] * 256).astype(jnp.uint8)

  def cover(i: jax.Array, picture: jax.Array) -> jax.Array:
    return lax.dynamic_update_slice(picture, jnp.broadcast_to(colours[i][None, None], (*size, 3)), (*places[i], 0))

  return jnp.minimum(lax.fori_loop(0, count.astype(jnp.int32), cover, image), brightest.astype(jnp.uint8))


def block_loss(key: jax.Array, image: jax.Array, share: Any, *, block_size: int = 16) -> jax.Array:
  """Loses blocks of a picture coded in blocks: they are grey, as a decoder leaves them.

  What is lost at one share is lost at every greater one, for the same key.

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    share: probability that a block is lost, 0..1; traced. At 0 the picture stays as it is.
    block_size: side of the blocks, px; static.

  Returns:
    uint8 [H, W, 3]. Where `share` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `share` is concrete and outside its bounds, or `block_size` is below 1.

  Source: formula: independent losses of macroblocks, without concealment (level 128, as without a DC coefficient).
  """
  check_image("block_loss", image)
  if block_size < 1:
    raise ValueError(f"block_loss: block_size must be at least 1 px, got {block_size}")
  return _block_loss(key, image, bounded("block_loss", "share", share, 0, 1), block_size=block_size)


register(
  Distortion("block_loss", block_loss, (Parameter("share", "", 0, 0.5, 0.1, weakest=0),), random=True, group="coding")
)


@compiled(group_on_cpu=1)
def _block_loss(key: jax.Array, image: jax.Array, share: jax.Array, *, block_size: int) -> jax.Array:
  share, brightest = known(share)
  height, width, _ = image.shape
  rows, columns = -(-height // block_size), -(-width // block_size)
  lost = (uniform(key, rows * columns, stream=0) < share).reshape(rows, columns)
  lost = jnp.repeat(lost, 3 * block_size, axis=1)[:, : 3 * width]
  lost = jnp.repeat(lost, block_size, axis=0)[:height]
  levels = jnp.where(lost, jnp.uint8(128), image.reshape(height, 3 * width))
  return jnp.minimum(levels, brightest.astype(jnp.uint8)).reshape(image.shape)


def interlacing(image: jax.Array, shift: Any) -> jax.Array:
  """Moves every other line to the right: the combs of something that moved between the fields of interlaced video.

  Fractions of a pixel are interpolated linearly; pixels outside repeat the edge pixel.

  Args:
    image: uint8 [H, W, 3].
    shift: of lines 1, 3, 5, ... counted from 0, 0..32 px; traced. At 0 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `shift` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `shift` is concrete and outside its bounds.

  Source: formula.
  """
  check_image("interlacing", image)
  return _interlacing(image, bounded("interlacing", "shift", shift, 0, _LARGEST_SHIFT, "px"))


register(
  Distortion("interlacing", interlacing, (Parameter("shift", "px", 0, 8, 4, weakest=0),), group="coding"),
)


@compiled(group_on_cpu=1)
def _interlacing(image: jax.Array, shift: jax.Array) -> jax.Array:
  shift, brightest = known(shift)
  height, width, _ = image.shape
  rows = image.reshape(height, 3 * width).astype(jnp.float32)
  whole = jnp.floor(shift)
  frame = _LARGEST_SHIFT + 1
  wider = jnp.concatenate([jnp.tile(rows[:, :3], (1, frame)), rows], axis=1)
  start = 3 * (frame - whole.astype(jnp.int32))
  near, far = (lax.dynamic_slice(wider, (0, start - 3 * more), rows.shape) for more in (0, 1))
  moved = near + (far - near) * (shift - whole)
  odd = (jnp.arange(height) % 2 == 1)[:, None]
  return rounded(jnp.minimum(jnp.where(odd, moved, rows), brightest)).reshape(image.shape)
