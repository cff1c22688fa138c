"""Sums of shifted pictures: filters of two axes whose kernels have few taps, or become few by differences."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

_AT_ONCE = 4  # shifts added in one turn: fewer passes over the total, and still one vectorised loop
_BAND = 40_000  # values of the total that stay in the cache while all shifts are added


class Taps(NamedTuple):
  """Taps of a kernel, those that count first.

  Attributes:
    rows, columns: int32 [n], offsets from the upper left corner of the frame.
    weights: float32 [n]; 0 from `count` on.
    count: int32 [], how many there are: it sets the cost.
  """

  rows: jax.Array
  columns: jax.Array
  weights: jax.Array
  count: jax.Array


def taps_of(kernel: jax.Array, most: int) -> Taps:
  """The taps of a kernel float32 [h, w] that are not 0, which are at most `most`."""
  weights = kernel.reshape(-1)
  ranks = jnp.cumsum(weights != 0, dtype=jnp.int32)
  places = jnp.searchsorted(ranks, jnp.arange(1, most + 1, dtype=jnp.int32), method="scan").astype(jnp.int32)
  inside = jnp.minimum(places, weights.size - 1)
  kept = jnp.where(places < weights.size, weights[inside], 0)
  return Taps(inside // kernel.shape[1], inside % kernel.shape[1], kept, ranks[-1])


def framed(image: jax.Array, above: int, below: int, beside: int, mode: str = "edge") -> jax.Array:
  """A picture [H, W, C] in a frame, as `jnp.pad` calls it: [H + above + below + a rest, (W + 2 beside) C].

  The rest completes the bands that `shifted_sum` works on.
  """
  height, width, channels = image.shape
  rest = -height % _band(height, width * channels)
  wider = jnp.pad(image, ((above, below), (beside, beside), (0, 0)), mode)
  wider = jnp.pad(wider, ((0, rest), (0, 0), (0, 0)))
  return wider.reshape(wider.shape[0], -1)


def shifted_sum(frame: jax.Array, taps: Taps, shape: tuple[int, ...]) -> jax.Array:
  """The weighted sum of the windows of a frame that begin at the taps' offsets.

  Args:
    frame: uint8 or float32, as `framed` makes it.
    taps: rows and columns within the frame's margins.
    shape: (H, W, C) of the picture within.

  Returns:
    float32 [H, W, C].
  """
  height, width, channels = shape
  band = _band(height, width * channels)
  rest = -taps.rows.size % _AT_ONCE
  rows, columns, weights = (jnp.pad(values, (0, rest)) for values in taps[:3])

  def summed(top: jax.Array) -> jax.Array:
    def add(turn: jax.Array, total: jax.Array) -> jax.Array:
      for i in range(_AT_ONCE):
        tap = turn * _AT_ONCE + i
        start = top + rows[tap], columns[tap] * channels
        total += weights[tap] * lax.dynamic_slice(frame, start, (band, width * channels)).astype(jnp.float32)
      return total

    turns = (taps.count + (_AT_ONCE - 1)) // _AT_ONCE
    return lax.fori_loop(0, turns, add, jnp.zeros((band, width * channels), jnp.float32))

  bands = lax.map(summed, jnp.arange(0, height, band))
  return bands.reshape(-1, width, channels)[:height]


def running_sums(frame: jax.Array) -> jax.Array:
  """Sums of a frame's rows from the first to each: float32 [...], exact below 2^24.

  With them a kernel is filtered by its differences along the columns, which are few where the kernel is flat.
  """

  def add(total: jax.Array, row: jax.Array) -> tuple[jax.Array, jax.Array]:
    total += row.astype(jnp.float32)
    return total, total

  return lax.scan(add, jnp.zeros(frame.shape[1], jnp.float32), frame)[1]


def _band(height: int, row: int) -> int:
  return max(1, min(height, _BAND // row))
