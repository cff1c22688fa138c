"""Random numbers of ops: flat arrays, several independent sequences from one key, fast on CPU."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import in_a_loop, in_tiles


def uniform(key: jax.Array, count: int, stream: int) -> jax.Array:
  """Independent numbers float32 [count], uniform in [0, 1), multiples of 2^-24.

  Args:
    key: a PRNG key of any implementation.
    count: static. Shaped arrays are made from flat ones: a last axis of 3 does not vectorise.
    stream: static; a sequence of its own for every key and stream.
  """
  return _fractions(random_words(key, count, stream))


def normal(key: jax.Array, count: int, stream: int, *, stored: bool = False) -> jax.Array:
  """Independent standard normal numbers float32 [count]; otherwise like `uniform`.

  Args:
    key, count, stream: as of `uniform`.
    stored: static; computed once and written to memory, for a consumer that takes each several times or in another
      order (within it XLA would compute it anew each time).
  """
  draws = uniform(key, count, stream)
  return in_a_loop(quantiles, draws) if stored else quantiles(draws)


def quantiles(draws: jax.Array) -> jax.Array:
  """Of the standard normal distribution, float32, at the middles of [draws, draws + 2^-24)."""
  # At odd multiples of 2^-24 the inverse of the distribution function is never infinite.
  return np.float32(np.sqrt(2)) * lax.erf_inv(draws * 2 + np.float32(2.0**-24 - 1))


def random_words(key: jax.Array, count: int, stream: int) -> jax.Array:
  """Independent random uint32 [count], a sequence of its own for every key and stream."""
  low, high = jax.random.bits(key, (2,), jnp.uint32)
  return in_tiles(lambda i: threefry_2x32(low, high, i.astype(jnp.uint32), np.uint32(stream)), count, tiles=4)


def _fractions(words: jax.Array) -> jax.Array:
  """24 random bits to float32 in [0, 1)."""
  return (words >> np.uint32(8)).astype(jnp.float32) * np.float32(2.0**-24)


def threefry_2x32(key_low: jax.Array, key_high: jax.Array, counter_low: jax.Array, counter_high: Any) -> jax.Array:
  """First word of Threefry-2x32 with 20 rounds: uint32 like `counter_low`.

  The cipher behind `jax.random`, here with its rounds unrolled into one elementwise chain: on CPU
  `jax.random.bits` loops over memory and takes three times as long.

  Source: Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (SC 2011).
  """
  keys = (key_low, key_high, key_low ^ key_high ^ np.uint32(0x1BD11BDA))
  x, y = counter_low + keys[0], jnp.full_like(counter_low, counter_high) + keys[1]
  for group in range(5):
    for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[group % 2]:
      x = x + y
      y = x ^ ((y << np.uint32(turn)) | (y >> np.uint32(32 - turn)))
    x = x + keys[(group + 1) % 3]
    y = y + keys[(group + 2) % 3] + np.uint32(group + 1)
  return x
