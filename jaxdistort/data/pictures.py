"""One picture from a file: decoded, turned upright, made 8-bit RGB, brought to a standard size."""

import io
import os
from collections.abc import Callable
from typing import Any, BinaryIO, TypeVar

import numpy as np
from PIL import Image, ImageOps

from jaxdistort.data.decoding import (
  RAW_SUFFIXES,
  collected_remarks,
  decode,
  eight_bit_grey,
  is_deep_grey,
  is_raw,
  open_plain,
  preview_or_pixels,
  remark,
  to_srgb,
)
from jaxdistort.errors import NO_MEMORY, BrokenPicture, reason_of

SUFFIXES = RAW_SUFFIXES | {
  *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff"),
  *(".gif", ".avif", ".heic", ".heif", ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".pnm", ".qoi"),
}

T = TypeVar("T")

_SCALED = ("PNG", "PPM", "JPEG2000")  # formats whose deep levels Pillow gives as 16 bits
_THIN = 16  # longer side in shorter sides, of pictures that are cut to their middle before they are scaled


def read_picture(file: str | os.PathLike[str] | bytes) -> Image.Image:
  """Decodes a picture: EXIF orientation applied, 8-bit RGB.

  Grey and palette pictures become RGB, and transparency is laid over white (a BMP whose alpha is 0 throughout is
  opaque). Colour profiles are applied, CMYK without one is converted plainly, everything else counts as sRGB; PNG's
  cICP, gAMA and cHRM are not applied.

  Levels of more than 8 bits become 8 by the range that the file has: PNG, PGM and JPEG 2000 the whole, TIFF what its
  tags say (bits, sample format, a largest value of 1 or 2**n - 1). Where no tag says it: integers up to 16384..65535
  have 16 bits, up to 1024..4095 have 12, and 0 is black; floats are fractions of 1 if 99 % are within -0.1..1.1,
  levels of 8 bits if their 99th percentile is within 64..255; NaN is black.

  Of an animation it is the first picture. HEIC wants the package pillow-heif, and raw files of cameras rawpy: of these
  it is the camera's own JPEG in the file, where that is no stamp.

  What of a picture cannot be had though its pixels can (a damaged profile, another colour space) is remarked on: see
  `collected_remarks`. Metadata that cannot be read is left aside.

  Args:
    file: path of a plain file, or the bytes of one.

  Raises:
    BrokenPicture: empty, truncated, of an unknown format, no plain file, with levels whose range cannot be known, or
      with so many pixels (over 179 million) that it must be an accident or an attack.

  Warns:
    PictureWarning: a remark that nobody collects.
  """
  with open_plain(file) as stream, collected_remarks() as remarks:
    name = "" if isinstance(file, bytes) else os.fspath(file)
    try:
      picture = to_rgb(_developed(stream) if is_raw(stream, name) else decode(stream))
    except MemoryError as error:
      raise BrokenPicture(NO_MEMORY) from error
  for text in remarks:
    remark(text, name)
  return picture


def _developed(stream: BinaryIO) -> Image.Image:
  made = preview_or_pixels(stream)
  return decode(io.BytesIO(made)) if isinstance(made, bytes) else made


def read_or(otherwise: T, load: Callable[..., T], *arguments: Any) -> tuple[T, str]:
  """`load(*arguments)` and ""; or, for a picture that cannot be read, `otherwise` and the reason: never fatal."""
  try:
    return load(*arguments), ""
  except BrokenPicture as error:
    return otherwise, reason_of(error)


def read_noting(otherwise: T, load: Callable[..., T], *arguments: Any) -> tuple[T, str, str]:
  """The same, and the remarks on a picture that was read, in one line."""
  with collected_remarks() as remarks:
    value, reason = read_or(otherwise, load, *arguments)
  return value, reason, "" if reason else "; ".join(remarks)


def to_rgb(picture: Image.Image) -> Image.Image:
  """A picture of any mode as 8-bit RGB, as `read_picture` says of files, turned as it is.

  Levels of 16 or 32 bits are read as those of a TIFF without tags, but whole ones of formats that Pillow scales to 16
  bits (PNG, PGM, JPEG 2000) with all of them.

  Raises:
    BrokenPicture: its colours cannot be converted, or the range of its levels cannot be known.
  """
  if is_deep_grey(picture):
    is_scaled = picture.format in _SCALED and picture.mode != "F"
    picture = eight_bit_grey(picture, 65535 if is_scaled else None)
  return to_srgb(picture)


def standardise(picture: Image.Image, size: int) -> np.ndarray:
  """The study's standard form: shorter side to `size` (bicubic), then the central square.

  Returns:
    uint8 [size, size, 3].
  """
  scale = size / min(picture.size)
  longest = _THIN * min(picture.size)
  if max(picture.size) > longest:  # scaled whole, a thin strip could fill the memory
    picture = ImageOps.fit(picture, (min(picture.width, longest), min(picture.height, longest)))
  scaled = picture.resize([max(size, round(side * scale)) for side in picture.size], Image.Resampling.BICUBIC)
  left, top = ((side - size) // 2 for side in scaled.size)
  return np.asarray(scaled.crop((left, top, left + size, top + size)))


def training_side(image_size: int) -> int:
  """Side in pixels at which training pictures are kept, so that squares of `image_size` can be cut: 256 for 224."""
  return round(image_size * 8 / 7)


def random_view(picture: Image.Image, size: int, rng: np.random.Generator, smallest: float) -> np.ndarray:
  """A random square of the picture, brought to `size` (bicubic), flipped left to right half the time.

  Args:
    picture: RGB.
    size: side of the result in pixels.
    rng: draws side (log-uniform), place and flip.
    smallest: least side of the square in pixels of the file; the largest is the picture's shorter side.

  Returns:
    uint8 [size, size, 3].
  """
  shorter = min(picture.size)
  side = np.exp(rng.uniform(np.log(min(shorter, max(1.0, smallest))), np.log(shorter)))
  left, top = (rng.uniform(0, max(0.0, extent - side)) for extent in picture.size)
  box = (left, top, left + side, top + side)
  # The gap lets Pillow average whole pixels first where the square shrinks much: as sharp, and faster.
  view = picture.resize((size, size), Image.Resampling.BICUBIC, box, reducing_gap=2.0)
  return np.asarray(ImageOps.mirror(view) if rng.random() < 0.5 else view)
