"""Lost resolution: pictures made of blocks, and small ones that were enlarged."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxdistort.distortions.backend import compiled, lookup
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.filtering import at_least
from jaxdistort.distortions.registry import Distortion, Parameter, register
from jaxdistort.distortions.resampling import REACH, resampled, turned, weights

_SMALLEST = 0.02
_SHARE_BITS = 22  # of Pillow's weights
_SHARES = (2, 4, 8)  # eighths of the sides that a small picture may need room for: each is a program of its own


def pixelate(image: jax.Array, scale: Any, *, averaged: bool = True) -> jax.Array:
  """Shrinks the picture to trunc(scale * W) x trunc(scale * H) pixels, at least 1 x 1, and enlarges it by copying them.

  Args:
    image: uint8 [H, W, 3].
    scale: the side of the small picture in the picture's, 0.02..1; traced. At 1 the picture stays as it is.
    averaged: static. A pixel of the small picture is the mean of those that it stands for (Pillow's box filter, rows
      and columns in whole levels), else the one in the middle. Where the middle of a pixel lies on the border of two
      larger ones, Pillow shows either, as its sums happen to round; here it is the second.

  Returns:
    uint8 [H, W, 3]. Where `scale` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `scale` is concrete and outside its bounds.

  Source: Hendrycks and Dietterich, Benchmarking Neural Network Robustness to Common Corruptions and Perturbations
  (ICLR 2019), pixelate. Not averaged: Lin, Hosu and Saupe, KADID-10k (QoMEX 2019), pixelate, where the scale is
  0.95 - strength^0.6 (and sides are rounded up).
  """
  check_image("pixelate", image)
  return _pixelate(image, bounded("pixelate", "scale", scale, _SMALLEST, 1), averaged=averaged)


_SCALE = Parameter("scale", "", _SMALLEST, 1, 0.25, weakest=1)
register(Distortion("pixelate", pixelate, (_SCALE,), group="resolution"))
register(Distortion("subsampled", pixelate, (_SCALE,), options=(("averaged", False),), group="resolution"))


@compiled(group_on_cpu=1)
def _pixelate(image: jax.Array, scale: jax.Array, *, averaged: bool) -> jax.Array:
  scale, brightest = known(scale)
  in_blocks = _block_means if averaged else _block_middles
  image = turned(in_blocks(turned(image), _small(image.shape[1], scale)))
  return jnp.minimum(in_blocks(image, _small(image.shape[0], scale)), brightest.astype(jnp.uint8))


def _block_means(image: jax.Array, count: jax.Array) -> jax.Array:
  """Every row of a picture uint8 [H, W, 3] as the mean of its block, of `count` blocks."""
  height = image.shape[0]
  rows = image.reshape(height, -1).astype(jnp.float32)
  places = (2 * jnp.arange(height) + 1) * count
  # A row on the border of two blocks is averaged with the upper one, and shows the lower one, as Pillow has it.
  blocks = (places - 1) // (2 * height)
  total = functools.partial(jax.ops.segment_sum, indices_are_sorted=True, mode="promise_in_bounds")
  sizes = jnp.maximum(total(jnp.ones(height, jnp.int32), blocks, height), 1)
  share = (2**_SHARE_BITS + sizes // 2) // sizes  # in whole numbers, which decide how a half is rounded
  means = (total(rows, blocks, height).astype(jnp.int32) * share[:, None] + 2 ** (_SHARE_BITS - 1)) >> _SHARE_BITS
  return lookup(means.astype(jnp.uint8), places // (2 * height)).reshape(image.shape)


def _block_middles(image: jax.Array, count: jax.Array) -> jax.Array:
  """Every row of a picture uint8 [H, W, 3] as the one in the middle of its block, of `count` blocks."""
  return lookup(image, nearest(image.shape[0], count, nearest(count, image.shape[0], jnp.arange(image.shape[0]))))


def nearest(source: jax.Array | int, target: jax.Array | int, places: jax.Array) -> jax.Array:
  """Which of `source` pixels those at `places` of `target` ones show: int32 like `places`; Pillow's NEAREST."""
  return (2 * places + 1) * source // (2 * target)


def upscaled(image: jax.Array, scale: Any, *, filter: str = "bicubic") -> jax.Array:
  """A small picture enlarged: shrunk to trunc(scale * W) x trunc(scale * H) pixels, then brought back to its size.

  Shrinking is Pillow's antialiased bicubic filter. Sides of the small picture are at least 1 pixel.

  Args:
    image: uint8 [H, W, 3].
    scale: the side of the small picture in the picture's, 0.02..1; traced. At 1 the picture stays as it is.
    filter: static; how it is enlarged: "nearest", "box", "bilinear", "bicubic" or "lanczos".

  Returns:
    uint8 [H, W, 3]. Where `scale` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `scale` is concrete and outside its bounds, or the filter is unknown.

  Source: Pillow 12, Image.resize.
  """
  check_image("upscaled", image)
  if filter not in ("nearest", *REACH):
    raise ValueError(f"upscaled: expected a filter among nearest, {', '.join(REACH)}, got {filter!r}")
  return _upscaled(image, bounded("upscaled", "scale", scale, _SMALLEST, 1), filter=filter)


for _filter in ("nearest", "bilinear", "bicubic"):
  register(Distortion(f"upscaled_{_filter}", upscaled, (_SCALE,), options=(("filter", _filter),), group="resolution"))


@compiled(group_on_cpu=1)
def _upscaled(image: jax.Array, scale: jax.Array, *, filter: str) -> jax.Array:
  scale, brightest = known(scale)
  height, width, _ = image.shape
  rows, columns = _small(height, scale), _small(width, scale)

  def through_small(share: int, image: jax.Array) -> jax.Array:
    room = [-(-side * share // _SHARES[-1]) for side in (height, width)]
    small = turned(_shrunk(turned(image), room[1], columns))
    small = _shrunk(small, room[0], rows)
    return _enlarged(turned(_enlarged(turned(small), width, columns, filter)), height, rows, filter)

  needed = jnp.ceil(_SHARES[-1] * scale).astype(jnp.int32)
  return jnp.minimum(at_least(needed, _SHARES, through_small, image), brightest.astype(jnp.uint8))


def _small(side: int, scale: jax.Array) -> jax.Array:
  """The side of the small picture, int32; what is whole but for rounding is whole."""
  return jnp.maximum(jnp.floor(side * scale * np.float32(1 + 2.0**-22)), 1).astype(jnp.int32)


def _shrunk(image: jax.Array, room: int, count: jax.Array) -> jax.Array:
  """Rows of a picture uint8 [H, W, 3] shrunk to `count` rows, the first of those of the result [room, W, 3]."""
  height = image.shape[0]
  return resampled(image, weights("bicubic", height, height, count, jnp.minimum(jnp.arange(room), count - 1)))


def _enlarged(image: jax.Array, height: int, count: jax.Array, filter: str) -> jax.Array:
  """The first `count` rows of a picture uint8 [room, W, 3] enlarged to `height` rows."""
  if filter == "nearest":
    return lookup(image, nearest(count, height, jnp.arange(height)))
  return resampled(image, weights(filter, image.shape[0], count, height, jnp.arange(height)))
