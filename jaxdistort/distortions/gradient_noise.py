"""Lattice gradient noise in its classic form (K. Perlin, An image synthesizer, SIGGRAPH 1985)."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxdistort.distortions.backend import lookup

GridLines = Callable[[jax.Array], tuple[jax.Array, jax.Array]]
"""Cells int32 [H] along y -> a, b, [H, W] each: at distance d from a cell's upper grid line, it adds a + d b."""


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
  return interpolate(y, grid_lines(x, tables))


def lattice_cell(v: jax.Array) -> jax.Array:
  """The cell along one axis that float32 coordinates lie in: int32, 4096 for 0 (so that few are negative)."""
  return (v + 4096).astype(jnp.int32)


def grid_lines(x: jax.Array, tables: NoiseTables) -> GridLines:
  """The grid lines at x float32 [W], from gradients that are looked up as they are asked for."""
  permutation, gradients = tables
  hashed_gradients = lookup(gradients, permutation)  # the second permutation and the gradient in one look-up
  columns = lattice_cell(x)
  offsets, ease = _within_cell(x)

  def at(cells: jax.Array) -> tuple[jax.Array, jax.Array]:
    def corner(side: int) -> tuple[jax.Array, jax.Array]:
      hashes = lookup(permutation, (columns + side) & 255)[None, :] + (cells & 255)[:, None]
      gradient = lookup(hashed_gradients, hashes)
      return offsets[side][None, :] * gradient[..., 0], gradient[..., 1]

    (left_a, left_b), (right_a, right_b) = corner(0), corner(1)
    return left_a + ease[None, :] * (right_a - left_a), left_b + ease[None, :] * (right_b - left_b)

  return at


def stored_lines(x: jax.Array, count: int, tables: NoiseTables) -> GridLines:
  """The same as `grid_lines`, made once for each of the `count` rows of cells from y = 0 on."""
  first = lattice_cell(jnp.float32(0))
  a, b = grid_lines(x, tables)(first + jnp.arange(count + 1))
  return lambda cells: (lookup(a, cells - first), lookup(b, cells - first))


def interpolate(y: jax.Array, lines: GridLines) -> jax.Array:
  """Noise float32 [H, W] at y float32 [H] from the grid lines above and below."""
  offsets, ease = _within_cell(y)
  cells = lattice_cell(y)

  def from_line(j: int) -> jax.Array:
    a, b = lines(cells + j)
    return a + offsets[j][:, None] * b

  above, below = from_line(0), from_line(1)
  return 1.5 * (above + ease[:, None] * (below - above))


def _within_cell(v: jax.Array) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
  """Distances from the grid line before and after, and the smooth step between them."""
  fraction = v + 4096 - lattice_cell(v).astype(jnp.float32)
  return (fraction, fraction - 1), fraction * fraction * (3 - 2 * fraction)
