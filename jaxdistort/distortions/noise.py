"""Additive Gaussian noise, as JH Labs' NoiseFilter adds it."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import compiled, in_tiles
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.registry import Distortion, Parameter, register


def gaussian_noise(
  key: jax.Array, image: jax.Array, amount: Any, density: Any, *, monochrome: bool = False
) -> jax.Array:
  """Adds trunc(amount N(0, 1)) to each channel of a share of the pixels, and clamps.

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    amount: standard deviation in levels, 0..1,000,000; traced.
    density: probability that a pixel is touched, 0..1,000 (above 1 counts as 1); traced.
    monochrome: one draw shared by the three channels instead of one each; static.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest
    bound, and NaN a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: JH Labs filters 2.0.235, NoiseFilter with the Gaussian distribution.
  """
  check_image("gaussian_noise", image)
  amount = bounded("gaussian_noise", "amount", amount, 0, 1e6, "levels")
  density = bounded("gaussian_noise", "density", density, 0, 1000)
  return _gaussian_noise(key, image, amount, density, monochrome=monochrome)


_PARAMETERS = (
  Parameter("amount", "levels", 0, 100, 25, weakest=0),
  Parameter("density", "", 0, 1.1, 1, weakest=0),  # up to 1.1, above 1 counting as 1: the study's range
)
_MONOCHROME = (("monochrome", True),)

register(Distortion("gaussian_noise", gaussian_noise, _PARAMETERS, random=True, group="noise"))
register(Distortion("monochrome_noise", gaussian_noise, _PARAMETERS, random=True, options=_MONOCHROME, group="noise"))


@compiled(group_on_cpu=1)
def _gaussian_noise(
  key: jax.Array, image: jax.Array, amount: jax.Array, density: jax.Array, *, monochrome: bool
) -> jax.Array:
  amount, density, brightest = known(amount, density)
  pixels, channels = image.shape[0] * image.shape[1], 1 if monochrome else 3
  # Flat arrays throughout: a last axis of 3 does not vectorise.
  uniforms = _uniform(_random_words(key, pixels, stream=0))
  touched = jnp.repeat(uniforms < density, channels)
  normals = _normal(_random_words(key, pixels * channels, stream=1))
  levels = jnp.where(touched, (normals * amount).astype(jnp.int32), 0)
  levels = jnp.repeat(levels, 3 // channels)
  noisy = jnp.clip(image.reshape(-1).astype(jnp.int32) + levels, 0, brightest.astype(jnp.int32))
  return noisy.astype(jnp.uint8).reshape(image.shape)


def _uniform(words: jax.Array) -> jax.Array:
  """24 random bits to float32 in [0, 1)."""
  return (words >> np.uint32(8)).astype(jnp.float32) * np.float32(2.0**-24)


def _normal(words: jax.Array) -> jax.Array:
  """24 random bits to a standard normal number, by the inverse of its distribution function."""
  symmetric = _uniform(words) * 2 + np.float32(2.0**-24 - 1)  # odd multiples of 2^-24: never -1 or 1
  return np.float32(np.sqrt(2)) * lax.erf_inv(symmetric)


def _random_words(key: jax.Array, count: int, stream: int) -> jax.Array:
  """Independent random uint32 [count], a sequence of its own for every key and stream."""
  low, high = jax.random.bits(key, (2,), jnp.uint32)
  return in_tiles(lambda i: threefry_2x32(low, high, i.astype(jnp.uint32), np.uint32(stream)), count, tiles=4)


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
