"""Noise of sensors and channels: impulses, speckle, photons, noise of luma and chroma, noise that neighbours share."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import compiled, in_a_loop
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.colour_spaces import from_ycbcr, rounded
from jaxdistort.distortions.randomness import normal, quantiles, uniform
from jaxdistort.distortions.registry import Distortion, Parameter, register

_FEW = 8.0  # photons on average, up to which they are counted one by one
_TURNS = 27  # more than so many come with a probability below 2^-24 where 8 are expected


def impulse_noise(key: jax.Array, image: jax.Array, share: Any) -> jax.Array:
  """Turns a share of all values, each channel by itself, into 0 or 255 (salt and pepper, half and half).

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    share: probability that a value is replaced, 0..1; traced.

  Returns:
    uint8 [H, W, 3]. Where `share` is traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: `share` is concrete and outside its bounds.

  Source: the noise "s&p" of scikit-image's random_noise (ImageNet-C), and MATLAB's imnoise (KADIS).
  """
  check_image("impulse_noise", image)
  return _impulse_noise(key, image, bounded("impulse_noise", "share", share, 0, 1))


register(
  Distortion(
    "impulse_noise", impulse_noise, (Parameter("share", "", 0, 1, 0.09, weakest=0),), random=True, group="noise"
  )
)


@compiled(group_on_cpu=1)
def _impulse_noise(key: jax.Array, image: jax.Array, share: jax.Array) -> jax.Array:
  share, brightest = known(share)
  draws = uniform(key, image.size, stream=0)
  values = image.reshape(-1)
  values = jnp.where(draws < share, jnp.where(draws < 0.5 * share, 0, 255).astype(jnp.uint8), values)
  return jnp.minimum(values, brightest.astype(jnp.uint8)).reshape(image.shape)


def speckle_noise(key: jax.Array, image: jax.Array, amount: Any, *, uniformly: bool = False) -> jax.Array:
  """Multiplies every value by 1 + amount n, n of mean 0 and variance 1, rounded and clipped.

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    amount: standard deviation as a share of the value, 0..10; traced.
    uniformly: n is drawn from a uniform distribution, not from a normal one; static.

  Returns:
    uint8 [H, W, 3]. Where `amount` is traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: `amount` is concrete and outside its bounds.

  Source: the speckle noise of ImageNet-C (normal); that of MATLAB's imnoise (uniform), with which KADIS multiplies.
  """
  check_image("speckle_noise", image)
  return _speckle_noise(key, image, bounded("speckle_noise", "amount", amount, 0, 10), uniformly=uniformly)


_SPECKLE = (Parameter("amount", "", 0, 2, 0.35, weakest=0),)
_UNIFORMLY = (("uniformly", True),)

register(Distortion("speckle_noise", speckle_noise, _SPECKLE, random=True, group="noise"))
register(Distortion("uniform_speckle_noise", speckle_noise, _SPECKLE, random=True, options=_UNIFORMLY, group="noise"))


@compiled(group_on_cpu=1)
def _speckle_noise(key: jax.Array, image: jax.Array, amount: jax.Array, *, uniformly: bool) -> jax.Array:
  amount, brightest = known(amount)
  values = image.reshape(-1).astype(jnp.float32)
  if uniformly:
    noise = (uniform(key, image.size, stream=0) - np.float32(0.5 - 2.0**-25)) * np.float32(np.sqrt(12))
  else:
    noise = normal(key, image.size, stream=0, stored=True)
  return rounded(values + values * (amount * noise), brightest).reshape(image.shape)


def shot_noise(key: jax.Array, image: jax.Array, amount: Any) -> jax.Array:
  """Counts photons: every value becomes a Poisson number with its mean, so brighter ones are noisier.

  White has n = (255 / amount)^2 photons on average, a value v has v n / 255; v becomes 255 / n times their number,
  rounded and clipped. At a value v the standard deviation is amount sqrt(v / 255).

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    amount: standard deviation at white in levels, 0..255 (one photon); traced. At 0 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `amount` is traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: `amount` is concrete and outside its bounds.

  Source: the shot noise of ImageNet-C, whose c is n. Means up to 8 by inversion of the distribution function, step by
  step; above by the expansion Q_N3 of Giles, Algorithm 955 (ACM TOMS 42, 2016), which misplaces a mass of 7e-4 at a
  mean of 8, less above.
  """
  check_image("shot_noise", image)
  return _shot_noise(key, image, bounded("shot_noise", "amount", amount, 0, 255, "levels"))


register(
  Distortion(
    "shot_noise", shot_noise, (Parameter("amount", "levels", 0, 255, 73, weakest=0),), random=True, group="noise"
  )
)


@compiled(group_on_cpu=1)
def _shot_noise(key: jax.Array, image: jax.Array, amount: jax.Array) -> jax.Array:
  amount, brightest = known(amount)
  step = jnp.square(jnp.maximum(amount, 1e-3)) / 255  # levels a photon
  values = image.reshape(-1).astype(jnp.float32)
  # Fused with the work before and after it this would not vectorise.
  photons = in_a_loop(lambda means: poisson(uniform(key, image.size, stream=0), means), values / step)
  noisy = jnp.where(amount > 0, photons * step, values)
  return rounded(noisy, brightest).reshape(image.shape)


def poisson(draws: jax.Array, means: jax.Array) -> jax.Array:
  """The quantiles float32 of Poisson distributions, at uniform numbers in [0, 1) that are multiples of 2^-24."""
  few = jnp.minimum(means, _FEW)
  mass = jnp.exp(-few)
  below, counted = mass, jnp.zeros_like(means)
  for photons in range(1, _TURNS + 1):
    counted += jnp.where(draws >= below, 1.0, 0.0)
    mass *= few * np.float32(1 / photons)
    below += mass
  many = jnp.maximum(means, _FEW)
  w = quantiles(draws)
  square, root = w * w, lax.rsqrt(many)
  third = np.float32(-8 / 405) + square * (np.float32(7 / 810) + square * np.float32(1 / 270))
  second = w * (np.float32(-1 / 36) - square * np.float32(1 / 72))
  first = np.float32(1 / 3) + square * np.float32(1 / 6)
  expanded = jnp.floor(many + (many * root * w + first + root * (second + root * third)))
  return jnp.where(means <= _FEW, counted, expanded)


def ycbcr_noise(key: jax.Array, image: jax.Array, luma: Any, chroma: Any) -> jax.Array:
  """Adds Gaussian noise in Y'CbCr (JPEG's, full range), and rounds and clips in R'G'B'.

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    luma: standard deviation of the noise of Y' in levels, 0..255; traced.
    chroma: standard deviation of the noise of Cb, and of that of Cr, in levels, 0..255; traced.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: KADIS's noise in colour components, where one variance is meant for all three components in 16..235 (luma)
  and 16..240 (chroma); DQ-495K's, whose chroma has a strength of its own.
  """
  check_image("ycbcr_noise", image)
  luma, chroma = (bounded("ycbcr_noise", n, v, 0, 255, "levels") for n, v in (("luma", luma), ("chroma", chroma)))
  return _ycbcr_noise(key, image, luma, chroma)


register(
  Distortion(
    "ycbcr_noise",
    ycbcr_noise,
    (Parameter("luma", "levels", 0, 100, 9, weakest=0), Parameter("chroma", "levels", 0, 100, 18, weakest=0)),
    random=True,
    graded=("luma", "chroma"),
    group="noise",
  )
)


@compiled(group_on_cpu=1)
def _ycbcr_noise(key: jax.Array, image: jax.Array, luma: jax.Array, chroma: jax.Array) -> jax.Array:
  luma, chroma, brightest = known(luma, chroma)
  pixels = image.shape[0] * image.shape[1]
  noise = normal(key, 3 * pixels, stream=0, stored=True).reshape(3, pixels)
  noise = from_ycbcr(noise * jnp.stack([luma, chroma, chroma])[:, None])
  return rounded(image.reshape(pixels, 3).T.astype(jnp.float32) + noise, brightest).T.reshape(image.shape)


def correlated_noise(key: jax.Array, image: jax.Array, amount: Any) -> jax.Array:
  """Adds noise that neighbours share: the sum of nine white ones, those of 3 x 3 pixels, each channel by itself.

  With w of variance 1, the noise is amount / 3 times the sum of w over a pixel and its eight neighbours: its
  correlation is 2/3 at one pixel along an axis, 1/3 at two. The picture itself is not smoothed.

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    amount: standard deviation of the noise in levels, 0..255; traced.

  Returns:
    uint8 [H, W, 3]. Where `amount` is traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: `amount` is concrete and outside its bounds.

  Source: the spatially correlated noise of DQ-495K, which smooths the noisy picture: its standard deviations are three
  times ours.
  """
  check_image("correlated_noise", image)
  return _correlated_noise(key, image, bounded("correlated_noise", "amount", amount, 0, 255, "levels"))


register(
  Distortion(
    "correlated_noise",
    correlated_noise,
    (Parameter("amount", "levels", 0, 100, 12, weakest=0),),
    random=True,
    group="noise",
  )
)


@compiled(group_on_cpu=1)
def _correlated_noise(key: jax.Array, image: jax.Array, amount: jax.Array) -> jax.Array:
  amount, brightest = known(amount)
  height, width, _ = image.shape
  wider = 3 * (width + 2)
  noise = normal(key, (height + 2) * wider, stream=0, stored=True).reshape(height + 2, wider)
  noise = noise[:-2] + noise[1:-1] + noise[2:]
  noise = noise[:, :-6] + noise[:, 3:-3] + noise[:, 6:]
  values = image.reshape(height, 3 * width).astype(jnp.float32)
  return rounded(values + noise * (amount / 3), brightest).reshape(image.shape)
