"""What baseline JPEG does to a picture, without the bits: libjpeg's arithmetic, on the device."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import compiled
from jaxdistort.distortions.checks import bounded, check_image
from jaxdistort.distortions.registry import Distortion, Parameter, register

# Quantisation steps, ITU-T T.81 Annex K, tables K.1 (luminance) and K.2 (chrominance), in row order.
_LUMINANCE_STEPS = np.array([
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
  14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
  18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
  49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
], np.int32)  # fmt: skip
_CHROMINANCE_STEPS = np.array([
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
  24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
  *[99] * 32,
], np.int32)  # fmt: skip


def _dct_matrix() -> np.ndarray:
  """The 8-point DCT as libjpeg's accurate integer method has it: int64 [8, 8], scaled by 2^13 sqrt 8.

  The method is the factored transform of Loeffler, Ligtenberg and Moschytz (ICASSP 1989) with its
  constants rounded to 13 bits. It rounds only at the end of a pass, so a pass is this one matrix.
  """

  def constant(value: float) -> int:
    return round(value * 2**13)

  d = np.eye(8, dtype=np.int64)
  even, odd = d[:4] + d[:3:-1], d[:4] - d[:3:-1]
  outer, inner = even[0] - even[3], even[1] - even[2]
  shared = (inner + outer) * constant(0.541196100)
  z1, z2, z3, z4 = odd[3] + odd[0], odd[2] + odd[1], odd[3] + odd[1], odd[2] + odd[0]
  z5 = (z3 + z4) * constant(1.175875602)
  z1, z2 = -z1 * constant(0.899976223), -z2 * constant(2.562915447)
  z3, z4 = z5 - z3 * constant(1.961570560), z5 - z4 * constant(0.390180644)
  return np.stack(
    [
      even.sum(0) * 2**13,
      odd[0] * constant(1.501321110) + z1 + z4,
      shared + outer * constant(0.765366865),
      odd[1] * constant(3.072711026) + z2 + z3,
      (even[0] + even[3] - even[1] - even[2]) * 2**13,
      odd[2] * constant(2.053119869) + z2 + z4,
      shared - inner * constant(1.847759065),
      odd[3] * constant(0.298631336) + z1 + z3,
    ]
  )


# A pass over rows or columns of 8 x 8 blocks that lie as rows of 64: block @ matrix.
_ROWS = np.kron(np.eye(8), _dct_matrix()).T.astype(np.float32)
_COLUMNS = np.kron(_dct_matrix(), np.eye(8)).T.astype(np.float32)


def jpeg(image: jax.Array, quality: Any) -> jax.Array:
  """Returns the picture as it comes back from a baseline JPEG file with 4:2:0 chroma.

  Follows libjpeg (6b and turbo, defaults): colour conversion in 16-bit fixed point, chroma averaged
  over 2 x 2 pixels, the accurate integer DCT, Annex K tables scaled by quality, triangle upsampling.
  Equal to the pixel to Pillow's encoder and decoder except where float32 rounds an inner sum the
  other way (about one pixel in a million, by a level or so).

  Args:
    image: uint8 [H, W, 3].
    quality: libjpeg's 1..100, whole; traced.

  Returns:
    uint8 [H, W, 3]. Where `quality` is traced, one outside its bounds gives the picture of the nearest
    bound, a fraction is dropped, and NaN gives a flat grey picture.

  Raises:
    ValueError: a concrete `quality` is outside 1..100 or not whole.

  Source: ITU-T T.81; libjpeg 6b and libjpeg-turbo.
  """
  check_image("jpeg", image)
  return _jpeg(image, bounded("jpeg", "quality", quality, 1, 100, whole=True))


register(Distortion("jpeg", jpeg, (Parameter("quality", "", 1, 100, 75, weakest=100, whole=True),), group="coding"))


@compiled(group_on_cpu=8)
def _jpeg(image: jax.Array, quality: jax.Array) -> jax.Array:
  height, width, _ = image.shape
  half_height, half_width = -(-height // 2), -(-width // 2)
  # The encoder repeats edge pixels to whole blocks: columns before it averages chroma, rows after.
  padded = jnp.pad(image, ((0, height % 2), (0, -width % 16), (0, 0)), mode="edge")
  luma, blue, red = _to_ycc(jnp.moveaxis(padded, -1, 0).astype(jnp.float32))
  luma = _through_blocks(_fill_rows(luma), _steps(_LUMINANCE_STEPS, quality))[:height, :width]
  steps = _steps(_CHROMINANCE_STEPS, quality)
  chroma = (_through_blocks(_fill_rows(_halve(plane)), steps)[:half_height, :half_width] for plane in (blue, red))
  blue, red = (_double(plane)[:height, :width] for plane in chroma)
  return jnp.moveaxis(_to_rgb(luma, blue, red), 0, -1).astype(jnp.uint8)


def _fill_rows(plane: jax.Array) -> jax.Array:
  """Repeats the last row of a plane [H, W] until H is a multiple of 8."""
  return jnp.pad(plane, ((0, -plane.shape[0] % 8), (0, 0)), mode="edge")


def _to_ycc(rgb: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
  """Float32 planes [3, H, W] to Y, Cb, Cr 0..255 in whole levels; every sum is below 2^24, so exact."""
  r, g, b = rgb
  half, centre = 2**15, 2**23 + 2**15 - 1
  luma = 19595 * r + 38470 * g + 7471 * b + half
  blue = -11059 * r - 21709 * g + 32768 * b + centre
  red = 32768 * r - 27439 * g - 5329 * b + centre
  return jnp.floor(luma * 2**-16), jnp.floor(blue * 2**-16), jnp.floor(red * 2**-16)


def _to_rgb(luma: jax.Array, blue: jax.Array, red: jax.Array) -> jax.Array:
  """Y, Cb, Cr [H, W] to float32 planes [3, H, W] in whole levels 0..255."""
  blue, red = blue - 128, red - 128
  shifts = (91881 * red, -22554 * blue - 46802 * red, 116130 * blue)
  return jnp.clip(jnp.stack([luma + jnp.floor(s * 2**-16 + 0.5) for s in shifts]), 0, 255)


def _halve(plane: jax.Array) -> jax.Array:
  """Means of 2 x 2 pixels; halves and quarters round down and up in turn along a row."""
  total = plane[0::2, 0::2] + plane[0::2, 1::2] + plane[1::2, 0::2] + plane[1::2, 1::2]
  bias = (1 + jnp.arange(total.shape[1]) % 2).astype(jnp.float32)
  return jnp.floor((total + bias[None, :]) * 0.25)


def _double(plane: jax.Array) -> jax.Array:
  """Upsamples [h, w] to [2h, 2w]: weights 3/4 and 1/4 along each axis; plain copies when w <= 2."""
  height, width = plane.shape
  if width <= 2:
    return jnp.repeat(jnp.repeat(plane, 2, axis=0), 2, axis=1)
  framed = jnp.pad(plane, 1, mode="edge")
  middle = 3 * framed[1:-1]
  rows = jnp.stack([middle + framed[:-2], middle + framed[2:]], axis=1).reshape(2 * height, width + 2)
  middle = 3 * rows[:, 1:-1]
  pairs = [jnp.floor((middle + rows[:, :-2] + 8) / 16), jnp.floor((middle + rows[:, 2:] + 7) / 16)]
  return jnp.stack(pairs, axis=2).reshape(2 * height, 2 * width)


def _steps(base: np.ndarray, quality: jax.Array) -> jax.Array:
  """Quantisation steps float32 [64] at a quality, within 1..255 as baseline JPEG demands."""
  unknown = jnp.isnan(quality)
  quality = jnp.where(unknown, 1, quality).astype(jnp.int32)
  scale = jnp.where(quality < 50, 5000 // quality, 200 - 2 * quality)
  steps = jnp.clip((base * scale + 50) // 100, 1, 255).astype(jnp.float32)
  return jnp.where(unknown, 1e9, steps)  # so coarse that nothing is left


def _through_blocks(plane: jax.Array, steps: jax.Array) -> jax.Array:
  """DCT, quantisation and back, on a plane [H, W] whose sides are multiples of 8."""
  height, width = plane.shape
  blocks = plane.reshape(height // 8, 8, width // 8, 8).transpose(0, 2, 1, 3).reshape(-1, 64) - 128
  coefficients = _pass(_pass(blocks, _ROWS, 11), _COLUMNS, 15)  # scaled by 8
  # Half a unit keeps an exact quotient from falling below itself: XLA may multiply by a reciprocal.
  magnitude = jnp.floor((jnp.abs(coefficients) + jnp.floor(4 * steps)[None, :] + 0.5) / (8 * steps)[None, :])
  coefficients = jnp.sign(coefficients) * magnitude * steps[None, :]
  blocks = _pass(_pass(coefficients, _COLUMNS.T, 11), _ROWS.T, 18)
  blocks = jnp.clip(blocks + 128, 0, 255)
  return blocks.reshape(height // 8, width // 8, 8, 8).transpose(0, 2, 1, 3).reshape(height, width)


def _pass(blocks: jax.Array, matrix: np.ndarray, shift: int) -> jax.Array:
  """One pass of the transform, divided by 2^shift and rounded half up."""
  sums = jnp.dot(blocks, matrix, precision=lax.Precision.HIGHEST)
  return jnp.floor(sums * 2.0**-shift + 0.5)
