"""The 9/7 wavelet transform of JPEG 2000, scaled so that it is nearly orthonormal, for planes of any size."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

# Half of each symmetric filter, from the middle. Between them a coefficient of 1 adds 0.97..1.09 to a plane's energy.
_LOW = 2**0.5 * np.array(
  [0.602949018236360, 0.266864118442875, -0.078223266528990, -0.016864118442875, 0.026748757410810]
)
_HIGH = 0.5**0.5 * np.array([1.115087052456994, -0.591271763114250, -0.057543526228500, 0.091271763114250])
# Back: each filter with the signs of the other's alternate taps changed; where both halves lie in turn, as they meet.
_LOW_BACK, _HIGH_BACK = _HIGH * [1, -1, 1, -1], _LOW * [1, -1, 1, -1, 1]
_EVEN_BACK = np.array([_LOW_BACK[0], _HIGH_BACK[1], _LOW_BACK[2], _HIGH_BACK[3]])
_ODD_BACK = np.array([_HIGH_BACK[0], _LOW_BACK[1], _HIGH_BACK[2], _LOW_BACK[3], _HIGH_BACK[4]])

_SHORT = 128  # px: shorter axes are transformed by one product with a matrix, which compiles and runs faster


def analyse(planes: jax.Array, levels: int) -> jax.Array:
  """Transforms planes, beyond whose edges lies their mirror image, edge pixels once.

  Args:
    planes: float32 [C, H, W], any H, W >= 1.
    levels: how often the low-pass quarter is transformed again; an axis of one pixel stays as it is.

  Returns:
    Coefficients float32 [C, H, W]. The low-pass quarter [ceil(H / 2), ceil(W / 2)] lies in the upper left corner, and
    in it that of the next level; right of it the high frequencies across, below it those down, then those in both.

  Source: ITU-T T.800, Annex F; Cohen, Daubechies and Feauveau, Biorthogonal bases of compactly supported wavelets
  (Communications on Pure and Applied Mathematics 45, 1992).
  """
  if levels == 0:
    return planes
  whole = _split(_split(planes, 1), 2)
  low = (slice(None), *(slice(-(-side // 2)) for side in planes.shape[1:]))
  return whole.at[low].set(analyse(whole[low], levels - 1))


def synthesise(coefficients: jax.Array, levels: int) -> jax.Array:
  """The inverse of `analyse`."""
  if levels == 0:
    return coefficients
  low = (slice(None), *(slice(-(-side // 2)) for side in coefficients.shape[1:]))
  whole = coefficients.at[low].set(synthesise(coefficients[low], levels - 1))
  return _join(_join(whole, 2), 1)


def subbands(coefficients: jax.Array, levels: int) -> list[jax.Array]:
  """The parts of what `analyse` gives that are not empty: those of the first level, then of the next, the last low."""
  height, width = (-(-side // 2) for side in coefficients.shape[1:])
  if levels == 0:
    return [coefficients]
  rows, columns = (slice(height), slice(height, None)), (slice(width), slice(width, None))
  (low, across), (down, both) = ([coefficients[:, r, c] for c in columns] for r in rows)
  return [*(part for part in (across, down, both) if part.size), *subbands(low, levels - 1)]


def _split(planes: jax.Array, axis: int) -> jax.Array:
  """Low-pass coefficients along an axis, 1 or 2, then the high-pass ones."""
  length = planes.shape[axis]
  if length <= _SHORT:
    return _product(_matrix(length), planes, axis)
  if axis == 2:
    return _turned(_split(_turned(planes), 1))
  at = _mirrored(planes)
  low = _weighted(_LOW, lambda by: at(by, -(-length // 2)))
  return jnp.concatenate([low, _weighted(_HIGH, lambda by: at(1 + by, length // 2))], axis=1)


def _join(planes: jax.Array, axis: int) -> jax.Array:
  """The inverse of `_split`."""
  length = planes.shape[axis]
  if length <= _SHORT:
    return _product(np.linalg.inv(_matrix(length)), planes, axis)
  if axis == 2:
    return _turned(_join(_turned(planes), 1))
  at = _mirrored(_mixed(planes[:, : -(-length // 2)], planes[:, -(-length // 2) :]))

  phases = ((_EVEN_BACK, 0, -(-length // 2)), (_ODD_BACK, 1, length // 2))
  return _mixed(*(_weighted(half, lambda by, f=first, n=count: at(f + by, n)) for half, first, count in phases))


def _weighted(half: np.ndarray, taken: Callable[[int], jax.Array]) -> jax.Array:
  """The sum of what is taken at every distance, weighted by a symmetric filter."""
  terms = [
    np.float32(weight) * (taken(by) + taken(-by) if by else taken(0)) for by, weight in enumerate(half) if weight
  ]
  return functools.reduce(jnp.add, terms)


def _mirrored(planes: jax.Array) -> Callable[[int, int], jax.Array]:
  """A function (first, count) that gives every second row from the first, which may lie 4 rows outside."""
  framed = jnp.pad(planes, ((0, 0), (4, 5), (0, 0)), mode="reflect")
  return lambda first, count: framed[:, 4 + first : 4 + first + 2 * count : 2]


def _mixed(even: jax.Array, odd: jax.Array) -> jax.Array:
  """Rows of two arrays [C, n, m] in turn; the first may have one more."""
  length = even.shape[1] + odd.shape[1]
  odd = jnp.pad(odd, ((0, 0), (0, even.shape[1] - odd.shape[1]), (0, 0)))
  return jnp.stack([even, odd], axis=2).reshape(even.shape[0], -1, even.shape[2])[:, :length]


def _turned(planes: jax.Array) -> jax.Array:
  return planes.transpose(0, 2, 1)


def _product(matrix: np.ndarray, planes: jax.Array, axis: int) -> jax.Array:
  form = "kn,cnm->ckm" if axis == 1 else "km,cnm->cnk"
  return jnp.einsum(form, matrix.astype(np.float32), planes, precision=lax.Precision.HIGHEST)


@functools.cache
def _matrix(length: int) -> np.ndarray:
  """The transform of an axis as a matrix [length, length]: rows of low-pass coefficients, then of high-pass ones."""
  if length == 1:
    return np.ones((1, 1))
  matrix = np.zeros((length, length))
  middles = [*range(0, length, 2), *range(1, length, 2)]
  for row, middle in zip(matrix, middles, strict=True):
    half = _HIGH if middle % 2 else _LOW
    for by in range(1 - len(half), len(half)):
      place = (middle + by) % (2 * length - 2)
      row[min(place, 2 * length - 2 - place)] += half[abs(by)]
  return matrix
