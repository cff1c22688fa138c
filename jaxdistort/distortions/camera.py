"""What cameras leave of noise: noise that was demosaiced and partly denoised, and the traces of denoising."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import compiled, lookup
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.colour_spaces import rounded
from jaxdistort.distortions.filtering import at_least, filter_axes, gaussian_taps
from jaxdistort.distortions.randomness import normal
from jaxdistort.distortions.registry import Distortion, Parameter, register

_LUMA = np.array([0.25, 0.5, 0.25])  # shares of R, G, B in luma: as of a mosaic's pixels
_LUMA_TAPS = np.array([0.12, 0.76, 0.12], np.float32)  # how far luma is denoised, along each axis
_CHROMA = 0.68  # standard deviation of R - luma and B - luma as a share of luma's
_READ_NOISE = 0.005  # of the sensor: its variance as a share of photon noise's at white
_CURVE = 0.7  # share of the smooth step 3 v^2 - 2 v^3 in the camera's tone curve
_REACHES = (9, 18)  # px, of the Gaussian that chroma is smoothed with
_COARSEST = 6.0  # px


def camera_noise(key: jax.Array, image: jax.Array, amount: Any, coarseness: Any) -> jax.Array:
  """Adds the noise that is left in a camera's picture: it depends on the level, and neighbours and channels share it.

  One number for each pixel of a Bayer mosaic is demosaiced bilinearly; luma is smoothed by (.12, .76, .12) along rows
  and columns; its differences from R and B, by a Gaussian, and are scaled to .68 of luma's standard deviation. The
  sensor's variance is light + .005 (white is 1) in linear light; sRGB's curve, and after it .7 (3 v^2 - 2 v^3) + .3 v,
  make of it the noise of a level. It is taken at the clean picture's level, so noise does not leak across edges.

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    amount: standard deviation in levels at level 128 in each channel, 0..64; traced. At 0 the picture stays as it is.
    coarseness: standard deviation of the Gaussian that smooths chroma in pixels, 0..6; traced. Cameras with a strong
      noise filter leave large, faint blotches of colour.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: the photon transfer model (Janesick 2007) and bilinear demosaicing; the constants are fitted to noise measured
  on photographs of PolyU (Xu and others 2018): correlation .7 of neighbours, .4 at two pixels, .65 between channels.
  """
  check_image("camera_noise", image)
  amount = bounded("camera_noise", "amount", amount, 0, 64, "levels")
  return _camera_noise(key, image, amount, bounded("camera_noise", "coarseness", coarseness, 0, _COARSEST, "px"))


register(
  Distortion(
    "camera_noise",
    camera_noise,
    (Parameter("amount", "levels", 0, 24, 6, weakest=0), Parameter("coarseness", "px", 0, 6, 2.5, weakest=0)),
    random=True,
    group="noise",
  )
)


@compiled(group_on_cpu=1)
def _camera_noise(key: jax.Array, image: jax.Array, amount: jax.Array, coarseness: jax.Array) -> jax.Array:
  amount, coarseness, brightest = known(amount, coarseness)
  height, width, _ = image.shape
  # The noise repeats at the borders of a frame of whole mosaic cells, so that it is alike everywhere.
  rows, columns = height + height % 2, width + width % 2
  luma, differences = _split(_demosaiced(normal(key, rows * columns, stream=0, stored=True).reshape(rows, columns)))
  luma = _smoothed(luma[None], jnp.asarray(_LUMA_TAPS))[0]

  def smoothed(reach: int, planes: jax.Array) -> jax.Array:
    return _smoothed(planes, gaussian_taps(coarseness, reach))

  differences = at_least(3 * coarseness, _REACHES, smoothed, differences)
  gains = [jnp.interp(coarseness, jnp.asarray(_COARSENESSES), jnp.asarray(gain)) for gain in _gains()]
  red, blue = gains[0] * differences
  noise = jnp.stack([gains[1] * (luma + red), gains[2] * (luma - (red + blue) * 0.5), gains[3] * (luma + blue)])
  planes = jnp.moveaxis(image, -1, 0)
  strengths = amount * lookup(jnp.asarray(noise_by_level()), planes.astype(jnp.int32))
  noisy = planes.astype(jnp.float32) + strengths * noise[:, :height, :width]
  levels = rounded(noisy, brightest)
  return jnp.moveaxis(levels, 0, -1)


def _demosaiced(mosaic: jax.Array) -> list[jax.Array]:
  """R, G, B [H, W] of a Bayer mosaic [H, W], R at its first pixel, B diagonal to it, by bilinear interpolation."""
  framed = jnp.pad(mosaic, 1, "wrap")
  odd_row, odd_column = (jnp.arange(n) % 2 == 0 for n in framed.shape)  # the frame shifts them by one
  odd = odd_row[:, None].astype(jnp.int32) + odd_column[None, :].astype(jnp.int32)  # how many of the two: 0 is R, 2 B
  red, green, blue = (jnp.where(odd == count, framed, 0) for count in range(3))

  def around(plane: jax.Array, axis: int) -> jax.Array:
    size = plane.shape[axis]
    sides = lax.slice_in_dim(plane, 0, size - 2, axis=axis) + lax.slice_in_dim(plane, 2, size, axis=axis)
    return 0.5 * sides

  def interpolated(plane: jax.Array) -> jax.Array:
    along = plane[:, 1:-1] + around(plane, 1)
    return along[1:-1] + around(along, 0)

  cross = around(green, 0)[:, 1:-1] + around(green, 1)[1:-1]
  return [interpolated(red), green[1:-1, 1:-1] + 0.5 * cross, interpolated(blue)]


def _split(planes: list[jax.Array]) -> tuple[jax.Array, jax.Array]:
  """Luma [H, W], and R and B less luma [2, H, W]."""
  red, green, blue = planes
  luma = float(_LUMA[0]) * red + float(_LUMA[1]) * green + float(_LUMA[2]) * blue
  return luma, jnp.stack([red - luma, blue - luma])


def _smoothed(planes: jax.Array, taps: jax.Array) -> jax.Array:
  return filter_axes(planes, taps, "wrap")


@functools.cache
def noise_by_level() -> np.ndarray:
  """Standard deviation of a camera's noise at every level, float32 [256], that at 128 being 1."""
  scene = np.linspace(0, 1, 4097)  # in sRGB's curve, before the camera's own
  encoded = np.arange(256) / 255
  values = np.interp(encoded, (1 - _CURVE) * scene + _CURVE * scene**2 * (3 - 2 * scene), scene)
  light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
  slope = np.where(values <= 0.04045, 12.92, (1.055 / 2.4) * np.maximum(light, 1e-6) ** (1 / 2.4 - 1))
  deviation = np.sqrt(light + _READ_NOISE) * slope * (1 - _CURVE + 6 * _CURVE * values * (1 - values))
  return (deviation / deviation[128]).astype(np.float32)


_COARSENESSES = np.linspace(0, _COARSEST, 25, dtype=np.float32)


@functools.cache
def _gains() -> np.ndarray:
  """What chroma, R, G and B are multiplied by at each of `_COARSENESSES`, float32 [4, 25], for a variance of 1 in each.

  By the power spectra: a colour with a share p of the mosaic's pixels, whose noise is white, has p |D|^2 after
  demosaicing with a kernel whose spectrum is D; the three are independent, and mix linearly.
  """
  side = 64
  triangle = _spectrum([0.5, 1, 0.5], side)
  green = 1 + 0.5 * np.add.outer(_spectrum([0.5, 0, 0.5], side), _spectrum([0.5, 0, 0.5], side))
  colours = np.sqrt(_LUMA)[:, None, None] * np.stack(
    [np.outer(triangle, triangle), green, np.outer(triangle, triangle)]
  )
  luma_taps = np.outer(*[_spectrum(_LUMA_TAPS, side)] * 2)
  luma = _LUMA[:, None, None] * luma_taps * colours

  def deviation(mixed: np.ndarray) -> float:
    return np.sqrt(np.mean(np.sum(np.square(mixed), axis=0)))

  gains = []
  for coarseness in _COARSENESSES:
    offsets = np.arange(-_REACHES[-1], _REACHES[-1] + 1)
    taps = np.exp(-np.square(offsets / max(coarseness, 1e-3)) / 2)
    smoothing = np.outer(*[_spectrum(taps / taps.sum(), side)] * 2)
    differences = (np.eye(3) - _LUMA[None])[:, :, None, None] * (smoothing * colours)[None]
    chroma = _CHROMA * deviation(luma) / deviation(differences[0])
    gains.append([chroma, *(1 / deviation(luma + chroma * difference) for difference in differences)])
  return np.array(gains, np.float32).T


def _spectrum(taps: Any, side: int) -> np.ndarray:
  """The spectrum float64 [side] of symmetric taps."""
  reach = len(taps) // 2
  return np.array(taps, float) @ np.cos(2 * np.pi * np.outer(np.arange(-reach, reach + 1), np.arange(side) / side))


def denoise(key: jax.Array, image: jax.Array, amount: Any) -> jax.Array:
  """Adds white Gaussian noise and filters it out again: texture is smeared, blotches stay.

  The filter is Lee's, its coefficients averaged as in a guided filter: in the 7 x 7 pixels around each pixel, of mean m
  and variance s^2, a = max(0, 1 - amount^2 / s^2); the result is a x + (1 - a) m, with the means of a and of (1 - a) m
  over another 7 x 7. Each channel by itself; what lies outside is mirrored.

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    amount: standard deviation of the noise in levels, 0..255; traced. At 0 the picture stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `amount` is traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: `amount` is concrete and outside its bounds.

  Source: KADIS's denoising, whose filter is a network (DnCNN); here Lee, Digital image enhancement and noise filtering
  (PAMI 1980), and He and others, Guided image filtering (ECCV 2010).
  """
  check_image("denoise", image)
  return _denoise(key, image, bounded("denoise", "amount", amount, 0, 255, "levels"))


register(
  Distortion(
    "denoise", denoise, (Parameter("amount", "levels", 0, 120, 50, weakest=0),), random=True, group="processing"
  )
)


@compiled(group_on_cpu=1)
def _denoise(key: jax.Array, image: jax.Array, amount: jax.Array) -> jax.Array:
  amount, brightest = known(amount)
  height, width, _ = image.shape
  planes = jnp.moveaxis(image, -1, 0).astype(jnp.float32)
  noise = normal(key, image.size, stream=0, stored=True).reshape(3, height, width)
  noisy = jnp.clip(planes + amount * noise, 0, 255) - 128  # about grey, where squares lose least in float32
  mean, square = _box(noisy), _box(jnp.square(noisy))
  variance = square - jnp.square(mean)
  share = jnp.maximum(variance - jnp.square(amount), 0) / jnp.maximum(variance, 1e-3)
  smooth = _box(share) * noisy + _box((1 - share) * mean) + 128
  result = jnp.where(amount > 0, smooth, planes)
  return jnp.moveaxis(rounded(result, brightest), 0, -1)


def _box(planes: jax.Array) -> jax.Array:
  """The mean of 7 x 7 values, mirrored outside."""
  taps = jnp.full(7, 1 / 7, jnp.float32)
  return filter_axes(planes, taps, "symmetric")
