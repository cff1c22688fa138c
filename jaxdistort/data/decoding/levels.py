"""Levels of any depth as levels of 8 bits: the range is what the file says, or follows from stated rules."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from jaxdistort.errors import BrokenPicture

_SHARE = 0.99  # of the levels that must lie in a range for it to be theirs
_SLACK = 0.1  # by which the levels of a picture overshoot when it is scaled or sharpened, in ranges


def eight_bits(levels: np.ndarray, largest: float | None = None) -> np.ndarray:
  """Levels as 8 bits.

  Whole numbers keep their eight highest bits of those that the range has. Without a known range, levels
  up to 16384..65535 have 16 bits (15, if their type has no more), up to 1024..4095 have 12 bits, and
  nothing but 0 is black. Fractions are of the known range; without one, of 1 where 99 % of them are (within a tenth,
  by which scaling and sharpening overshoot), of 255 where their 99th percentile is within 64..255. What overshoots is
  cut, NaN is black, and no more than 1 % may be infinite or NaN.

  Args:
    levels: integers or floats of any shape.
    largest: what white is, if it is known: 1, or 2**n - 1 with n of at least 8.

  Returns:
    uint8, of the same shape.

  Raises:
    BrokenPicture: the range cannot be known.
  """
  if levels.dtype == np.uint8:
    return levels
  if np.issubdtype(levels.dtype, np.floating):
    return _of_fractions(levels, largest)
  if not np.issubdtype(levels.dtype, np.integer):
    raise BrokenPicture(f"levels of the type {levels.dtype} cannot be read")
  return _of_integers(levels, largest)


def _of_integers(levels: np.ndarray, largest: float | None) -> np.ndarray:
  low, high = int(levels.min()), int(levels.max())
  if low == high == 0:
    return np.zeros(levels.shape, np.uint8)
  if low < 0:
    raise BrokenPicture(f"levels from {low} to {high}, and nothing in the file says which of them is black")
  bits = round(math.log2(largest + 1)) if largest and largest >= max(high, 255) else None
  if bits is None and levels.dtype.itemsize > 1:
    if 16384 <= high <= 65535:
      bits = min(16, np.iinfo(levels.dtype).bits - (levels.dtype.kind == "i"))
    elif 1024 <= high <= 4095:
      bits = 12
  if bits is None:
    raise BrokenPicture(f"levels up to {high} as {levels.dtype}, and nothing in the file says how many bits they have")
  return (levels >> (bits - 8)).astype(np.uint8)


def _of_fractions(levels: np.ndarray, largest: float | None) -> np.ndarray:
  finite = np.isfinite(levels)
  if np.count_nonzero(finite) < _SHARE * levels.size:
    raise BrokenPicture("more than 1 % of the levels are infinite or no numbers")
  if largest is None:
    known = levels[finite]
    if np.count_nonzero((known >= -_SLACK) & (known <= 1 + _SLACK)) >= _SHARE * known.size:
      largest = 1
    elif 64 <= np.percentile(known, 100 * _SHARE) <= 255:
      largest = 255
    else:
      raise BrokenPicture(
        f"levels from {known.min():.4g} to {known.max():.4g} as {levels.dtype}, and nothing in the file says which of "
        "them is white"
      )
  scaled = np.nan_to_num(levels.astype(np.float32), nan=0, posinf=largest, neginf=0)
  np.clip(scaled, 0, largest, out=scaled)
  scaled *= 255 / largest
  return scaled.round(out=scaled).astype(np.uint8)


def is_deep_grey(picture: Image.Image) -> bool:
  """Whether a picture has one channel of 16 or 32 bits."""
  return picture.mode in ("I", "F") or picture.mode.startswith("I;16")


def eight_bit_grey(picture: Image.Image, largest: float | None = None) -> Image.Image:
  """Such a picture as L, or LA where one level is transparent; see `eight_bits`."""
  levels, clear = np.asarray(picture), picture.info.get("transparency")
  grey = Image.fromarray(eight_bits(levels, largest))
  grey.info = {key: value for key, value in picture.info.items() if key != "transparency"}
  if isinstance(clear, int):
    grey.putalpha(Image.fromarray(np.where(levels == clear, 0, 255).astype(np.uint8)))
  return grey


def numbers(value: Any) -> tuple[float, ...]:
  """The value of a tag, which is one number or several; nothing if it is no number."""
  values = value if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str | bytes) else (value,)
  return tuple(v for v in values if isinstance(v, int | float | np.integer | np.floating))


def white_of(least: Sequence[float], bits: int) -> float | None:
  """What white is, where the tags of the largest value say it: 1, or 2**n - 1 for n from 8 to `bits`.

  Other values are of the pixels, which a writer has counted, and tell no range.
  """
  said = max(least, default=0)
  exact = {1.0, *(2.0**n - 1 for n in range(8, bits + 1))}
  return said if said in exact else None
