"""Additive Gaussian noise, as JH Labs' NoiseFilter adds it."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxdistort.distortions.backend import compiled
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.randomness import normal, uniform
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
  Parameter("amount", "levels", 0, 512, 25, weakest=0),
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
  uniforms = uniform(key, pixels, stream=0)
  touched = jnp.repeat(uniforms < density, channels)
  normals = normal(key, pixels * channels, stream=1)
  levels = jnp.where(touched, (normals * amount).astype(jnp.int32), 0)
  levels = jnp.repeat(levels, 3 // channels)
  noisy = jnp.clip(image.reshape(-1).astype(jnp.int32) + levels, 0, brightest.astype(jnp.int32))
  return noisy.astype(jnp.uint8).reshape(image.shape)
