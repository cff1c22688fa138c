"""How the ops reach the speed of the backend they run on; nothing here changes a result."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


def sequential_on_cpu(op: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
  """Makes `jax.vmap(op)` go picture by picture on CPU, and stay one batched computation elsewhere.

  A filter whose taps or offsets differ from picture to picture becomes a grouped convolution or a
  gather under `vmap`: 3 to 50 times slower on CPU than the plain form, picture after picture, each of
  which fits the cache.

  Args:
    op: function of arrays (positional) and static options (keywords).
  """

  @functools.wraps(op)
  def wrapped(*arrays: Any, **options: Any) -> jax.Array:
    single = functools.partial(op, **options)
    batchable = jax.custom_batching.custom_vmap(single)

    @batchable.def_vmap
    def over_pictures(axis_size: int, is_mapped: Any, *arguments: Any) -> tuple[jax.Array, bool]:
      del axis_size
      mapped = [a for a, m in zip(arguments, is_mapped, strict=True) if m]

      def one(picture: list[Any]) -> jax.Array:
        values = iter(picture)
        return single(*(next(values) if m else a for a, m in zip(arguments, is_mapped, strict=True)))

      batch = lax.platform_dependent(mapped, cpu=functools.partial(lax.map, one), default=jax.vmap(one))
      return batch, True

    return batchable(*arrays)

  return wrapped


def in_tiles(function: Callable[[jax.Array], Any], length: int, tiles: int) -> Any:
  """Evaluates `function` on the indices 0..length-1, tile by tile, and joins the results.

  XLA recomputes an elementwise producer inside each of its consumers; the result of a loop is
  computed once and stored. Worth it where the producer is dearer than the memory it fills (random
  bits, gathered noise).

  Args:
    function: maps int32 indices [m] to arrays whose first axis is m.
    length: number of indices, static.
    tiles: number of turns of the loop, static; at least 2 (one turn would be unrolled and fused).

  Returns:
    The arrays of `function` with first axis `length`.
  """
  size = -(-length // tiles)
  parts = lax.map(lambda tile: function(tile * size + jnp.arange(size)), jnp.arange(tiles))
  return jax.tree.map(lambda x: x.reshape(tiles * size, *x.shape[2:])[:length], parts)
