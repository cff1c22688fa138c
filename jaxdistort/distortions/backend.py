"""How the ops reach the speed of the backend they run on; nothing here changes a result."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Op = Callable[..., jax.Array]


def compiled(*, group_on_cpu: int) -> Callable[[Op], Op]:
  """Compiles an op, and has `jax.vmap` take few pictures at a time on CPU (all at once on accelerators).

  A filter whose taps or offsets differ from picture to picture would otherwise be a grouped convolution
  or a gather, 3 to 50 times slower; small groups fit the cache; and a picture rounds alike alone and in
  a batch, because the same code works on both (left to itself, XLA contracts multiplications and
  additions here and not there).

  Args:
    group_on_cpu: pictures at a time.

  Returns:
    A decorator for functions of arrays (positional) and static options (keywords).
  """

  def decorate(op: Op) -> Op:
    @functools.cache  # one compilation for each set of options
    def build(**options: Any) -> Op:
      return _in_groups(jax.jit(functools.partial(op, **options)), group_on_cpu)

    @functools.wraps(op)
    def wrapped(*arrays: Any, **options: Any) -> jax.Array:
      return build(**options)(*arrays)

    return wrapped

  return decorate


def _in_groups(single: Op, group: int) -> Op:
  batchable = jax.custom_batching.custom_vmap(single)

  @batchable.def_vmap
  def over_pictures(axis_size: int, is_mapped: Any, *arguments: Any) -> tuple[jax.Array, bool]:
    del axis_size
    mapped = [a for a, m in zip(arguments, is_mapped, strict=True) if m]

    def one(picture: list[Any]) -> jax.Array:
      values = iter(picture)
      return single(*(next(values) if m else a for a, m in zip(arguments, is_mapped, strict=True)))

    def grouped(pictures: list[Any]) -> jax.Array:
      return lax.map(one, pictures, batch_size=group if group > 1 else None)

    return lax.platform_dependent(mapped, cpu=grouped, default=jax.vmap(one)), True

  return batchable


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


def in_a_loop(function: Callable[[Any], Any], operand: Any) -> Any:
  """`function(operand)`, of the operand's own shape and dtype, in a loop of one turn that XLA cannot see through.

  Outside loops XLA's CPU backend hands a convolution to a library that is 50 times slower on a single
  channel than the code that it generates itself.
  """
  once = lax.optimization_barrier(jnp.int32(1))
  return lax.fori_loop(0, once, lambda _, value: function(value), operand)


def stored(function: Callable[..., Any], *operands: Any) -> Any:
  """`function(*operands)` as it is, computed once and stored: see `in_tiles`, whose loop this is with one turn."""
  once = lax.optimization_barrier(jnp.int32(1))
  empty = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(function, *operands))
  return lax.fori_loop(0, once, lambda *_: function(*operands), empty)


def one_by_one(function: Callable[..., Any], *arguments: Any) -> Any:
  """`jax.vmap(function)(*arguments)`; on CPU element by element, which rounds alike whatever their number.

  Among many, XLA vectorises the first ones and not the rest, and takes other forms of powers and exponentials for them.
  """
  return lax.platform_dependent(
    arguments, cpu=lambda own: lax.map(lambda each: function(*each), own), default=lambda own: jax.vmap(function)(*own)
  )


def lookup(table: jax.Array, *indices: jax.Array) -> jax.Array:
  """`table[indices]` without bounds handling, for indices that are in range by construction."""
  return table.at[indices].get(mode="promise_in_bounds")
