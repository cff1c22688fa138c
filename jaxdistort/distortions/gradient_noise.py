"""Lattice gradient noise in its classic form (K. Perlin, An image synthesizer, SIGGRAPH 1985)."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxdistort.distortions.backend import lookup

CornerGradients = Callable[[int, jax.Array], tuple[jax.Array, jax.Array]]
"""(0 left or 1 right of each x, cells int32 [H] along y) -> the two components of the gradients there, [H, W] each."""


class NoiseTables(NamedTuple):
  """Tables of lattice gradient noise.

  Attributes:
    permutation: int32 [514], a permutation of 0..255, then itself again, then its first two entries.
    gradients: float32 [514, 2], 256 unit vectors (x, y), repeated in the same way.
  """

  permutation: jax.Array
  gradients: jax.Array


@jax.jit
def noise_tables(key: jax.Array) -> NoiseTables:
  """Draws the tables of gradient noise: a permutation and 256 unit gradients (Perlin 1985)."""
  permutation_key, gradient_key = jax.random.split(key)
  permutation = jax.random.permutation(permutation_key, 256).astype(jnp.int32)
  # Directions of points on a square grid, as the reference draws them; (0, 0) has none and stays 0.
  points = jax.random.randint(gradient_key, (256, 2), -256, 256).astype(jnp.float32)
  gradients = points / jnp.maximum(jnp.sqrt(jnp.sum(points * points, axis=1, keepdims=True)), 1)
  return NoiseTables(*(jnp.concatenate([t, t, t[:2]]) for t in (permutation, gradients)))


def gradient_noise(x: jax.Array, y: jax.Array, tables: NoiseTables) -> jax.Array:
  """Gradient noise on the grid of x float32 [W] and y float32 [H]: float32 [H, W], about -1..1."""
  return interpolate(x, y, column_gradients(x, tables))


def lattice_cell(v: jax.Array) -> jax.Array:
  """The cell along one axis that float32 coordinates lie in: int32, 4096 for 0 (so that few are negative)."""
  return (v + 4096).astype(jnp.int32)


def column_gradients(x: jax.Array, tables: NoiseTables) -> CornerGradients:
  """Gradients at the corners of the cells of x float32 [W], looked up as they are asked for."""
  permutation, gradients = tables
  hashed_gradients = lookup(gradients, permutation)  # the second permutation and the gradient in one look-up
  columns = lattice_cell(x)

  def at(side: int, rows: jax.Array) -> tuple[jax.Array, jax.Array]:
    gradient = lookup(hashed_gradients, lookup(permutation, (columns + side) & 255)[None, :] + (rows & 255)[:, None])
    return gradient[..., 0], gradient[..., 1]

  return at


def stored_gradients(x: jax.Array, count: int, tables: NoiseTables) -> CornerGradients:
  """The same as `column_gradients`, looked up once for each of the `count` rows of cells from y = 0 on."""
  look_up, first = column_gradients(x, tables), lattice_cell(jnp.float32(0))
  rows = [look_up(side, first + jnp.arange(count + 1)) for side in (0, 1)]

  def at(side: int, cells: jax.Array) -> tuple[jax.Array, jax.Array]:
    x_component, y_component = rows[side]
    return lookup(x_component, cells - first), lookup(y_component, cells - first)

  return at


def interpolate(x: jax.Array, y: jax.Array, gradients: CornerGradients) -> jax.Array:
  """Noise float32 [H, W] on the grid of x float32 [W] and y float32 [H] from the gradients at the corners of cells."""

  def within_cell(v: jax.Array) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
    shifted = v + 4096
    fraction = shifted - lattice_cell(v).astype(jnp.float32)
    return (fraction, fraction - 1), fraction * fraction * (3 - 2 * fraction)

  x_offsets, x_ease = within_cell(x)
  y_offsets, y_ease = within_cell(y)
  rows = lattice_cell(y)

  def corner(i: int, j: int) -> jax.Array:
    gradient = gradients(i, rows + j)
    return x_offsets[i][None, :] * gradient[0] + y_offsets[j][:, None] * gradient[1]

  def along_x(j: int) -> jax.Array:
    left, right = corner(0, j), corner(1, j)
    return left + x_ease[None, :] * (right - left)

  top, bottom = along_x(0), along_x(1)
  return 1.5 * (top + y_ease[:, None] * (bottom - top))
