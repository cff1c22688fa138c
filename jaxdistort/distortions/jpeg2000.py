"""What JPEG 2000 does to a picture, without the bits: they are estimated, and the quantiser made to fit."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import compiled
from jaxdistort.distortions.checks import bounded, check_image
from jaxdistort.distortions.colour_spaces import from_ycbcr, rounded, to_ycbcr
from jaxdistort.distortions.registry import Distortion, Parameter, register
from jaxdistort.distortions.wavelet import analyse, subbands, synthesise

_LEVELS = 5
_STRONGEST = 400
_LENGTHS = np.array([1.732, 1.805, 1.573], np.float32)[:, None, None]  # of what 1 in Y, Cb, Cr adds to R, G, B

# The size of an OpenJPEG file in bits, least squares over 46 photographs of 64 to 224 px at ratios of 4 to 400.
_HEADER_BITS = 2087
_BITS_PER_SUBBAND = 13.1  # for every one, of a colour, in which not all are 0
_BITS_PER_RUN = 9.87  # for every run of coefficients in which not all are 0
_BITS_PER_DOUBLING = 1.98  # for every doubling by which a coefficient exceeds the step
_RUN = 8
_LEAST_BITS = 110  # that files have for coefficients, even where their headers exceed what was asked for

_FINEST, _TURNS = -4, 13  # log2 of the finest step; halvings of the range of steps


def jpeg2000(image: jax.Array, ratio: Any) -> jax.Array:
  """Returns the picture as it comes back from a JPEG 2000 file of a given size.

  Irreversible colour transform, the 9/7 wavelet in up to five levels, a quantiser with a dead zone whose step is the
  same for all subbands in units of what a coefficient adds to the picture, and the middle of its interval for what
  is not 0. Instead of coding the coefficients, the finest step is found whose estimated file is small enough. The
  estimate grows with the coefficients that are not 0 (He and Mitra), with how scattered they are and how large; its
  constants fit the files of OpenJPEG, headers included (261 bytes: a small picture never reaches a high ratio).

  At 224 px and ratios of 8 to 120 the error is that of an OpenJPEG file of the same size with its colour transform
  (Pillow: `mct=1`) within 1 dB in 15 of 16 photographs, and 1.3 dB greater in one with much plain sky. Below a ratio of
  about 4 OpenJPEG may write less than it is asked for; this does not.

  Args:
    image: uint8 [H, W, 3].
    ratio: bytes of the picture / bytes of the file, 1..400, so 24 / ratio bits per pixel; traced. At 1 the picture
      stays as it is.

  Returns:
    uint8 [H, W, 3]. Where `ratio` is traced, one outside its bounds gives the picture of the nearest bound, and NaN a
    black picture.

  Raises:
    ValueError: `ratio` is concrete and outside its bounds.

  Source: ITU-T T.800, Annexes E to G; He and Mitra, A unified rate-distortion analysis framework for transform coding
  (IEEE Transactions on Circuits and Systems for Video Technology 11, 2001).
  """
  check_image("jpeg2000", image)
  return _jpeg2000(image, bounded("jpeg2000", "ratio", ratio, 1, _STRONGEST))


register(Distortion("jpeg2000", jpeg2000, (Parameter("ratio", "", 1, _STRONGEST, 45, weakest=1),), group="coding"))


@compiled(group_on_cpu=1)
def _jpeg2000(image: jax.Array, ratio: jax.Array) -> jax.Array:
  planes = to_ycbcr(jnp.moveaxis(image, -1, 0).astype(jnp.float32) - 128) * _LENGTHS
  depth = min(_LEVELS, (max(image.shape[:2]) - 1).bit_length())
  coefficients = analyse(planes, depth)
  bits = jnp.maximum(8 * image.size / ratio - _HEADER_BITS, _LEAST_BITS)
  step = jnp.exp2(_finest_step(coefficients, depth, bits))
  whole = jnp.floor(jnp.abs(coefficients) / step)
  coefficients = jnp.where(whole > 0, jnp.sign(coefficients) * (whole + 0.5) * step, 0)
  levels = from_ycbcr(synthesise(coefficients, depth) / _LENGTHS) + 128
  coded = jnp.where(jnp.isnan(ratio), 0, rounded(jnp.moveaxis(levels, 0, -1)))
  return jnp.where(ratio <= 1, image, coded)


def _finest_step(coefficients: jax.Array, depth: int, bits: jax.Array) -> jax.Array:
  """log2 of the finest step with which coefficients float32 [3, H, W] are estimated to take no more than `bits`."""
  sizes = _log2_sizes(coefficients).ravel()
  largest = jnp.concatenate([_log2_sizes(jnp.max(jnp.abs(part), (1, 2))) for part in subbands(coefficients, depth)])
  # Columns are added up side by side: a sum of all in turn would take four times as long.
  columns = _RUN * min(64, -(-len(sizes) // _RUN))
  sizes = jnp.pad(sizes, (0, -len(sizes) % columns), constant_values=_FINEST).reshape(-1, columns)
  runs = jnp.max(sizes.reshape(len(sizes), -1, _RUN), axis=2)

  def halve(_: Any, bounds: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
    low, high = bounds
    middle = (low + high) / 2
    doublings = jnp.sum(jnp.sum(jnp.maximum(sizes - middle, 0), axis=0))
    used_runs, used_subbands = (jnp.sum(part > middle, dtype=jnp.float32) for part in (runs, largest))
    taken = _BITS_PER_DOUBLING * doublings + _BITS_PER_RUN * used_runs + _BITS_PER_SUBBAND * used_subbands
    return jnp.where(taken <= bits, low, middle), jnp.where(taken <= bits, middle, high)

  coarsest = math.log2(256 * math.sqrt(coefficients.size))
  return lax.fori_loop(0, _TURNS, halve, (jnp.float32(_FINEST), jnp.float32(coarsest)))[1]


def _log2_sizes(coefficients: jax.Array) -> jax.Array:
  return jnp.log2(jnp.maximum(jnp.abs(coefficients), 2.0**_FINEST))
