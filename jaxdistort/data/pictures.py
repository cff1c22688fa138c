"""One picture from a file: decoded, turned upright, made 8-bit RGB, brought to a standard size."""

import io
import os
import warnings
from collections.abc import Callable
from typing import Any, BinaryIO, TypeVar

import numpy as np
from PIL import Image, ImageOps

from jaxdistort.errors import reason_of

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff"})
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF")  # only these decoders may look at a foreign file

T = TypeVar("T")

_THIN = 16  # longer side in shorter sides, of pictures that are cut to their middle before they are scaled


class BrokenPicture(Exception):
  """A file that should be a picture cannot be read as one; the message is the reason."""


def read_picture(file: str | os.PathLike[str] | bytes) -> Image.Image:
  """Decodes a picture: EXIF orientation applied, 8-bit RGB.

  Grey and palette pictures become RGB, CMYK is converted, transparency is laid over white, 16-bit levels keep
  their high byte, 32-bit levels are scaled to 8 bits.

  Args:
    file: path, or the bytes of the file.

  Raises:
    BrokenPicture: empty, truncated, of an unknown format, or with so many pixels (over 179 million)
      that it must be an accident or an attack.
  """
  with _stream(file) as stream:
    return to_rgb(_decode(stream))


def read_or(otherwise: T, load: Callable[..., T], *arguments: Any) -> tuple[T, str]:
  """`load(*arguments)` and ""; or, for a picture that cannot be read, `otherwise` and the reason: never fatal."""
  try:
    return load(*arguments), ""
  except BrokenPicture as error:
    return otherwise, reason_of(error)


def _stream(file: str | os.PathLike[str] | bytes) -> BinaryIO:
  try:
    stream = io.BytesIO(file) if isinstance(file, bytes) else open(file, "rb")  # noqa: SIM115, its caller closes it
  except OSError as error:
    raise BrokenPicture(reason_of(error)) from error
  if not stream.seek(0, os.SEEK_END):
    stream.close()
    raise BrokenPicture("empty file")
  stream.seek(0)
  return stream


def _decode(stream: BinaryIO) -> Image.Image:
  """The picture, upright."""
  try:
    with warnings.catch_warnings():
      warnings.simplefilter("ignore")  # large pictures and odd metadata are fine as long as the pixels decode
      with Image.open(stream, formats=_FORMATS) as opened:
        opened.load()
        return ImageOps.exif_transpose(opened)
  except Image.UnidentifiedImageError as error:
    raise BrokenPicture("not a picture that can be identified") from error
  except Exception as error:  # decoders of foreign files raise anything; nothing of ours runs here
    raise BrokenPicture(reason_of(error)) from error


def to_rgb(picture: Image.Image) -> Image.Image:
  """A picture of any mode as 8-bit RGB, as `read_picture` says.

  Raises:
    BrokenPicture: its colours cannot be converted.
  """
  if picture.mode.startswith("I;16"):
    return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
  if picture.mode in ("I", "F"):  # 32-bit levels: of 16 bits, or fractions, or 8 bits
    levels = np.asarray(picture, np.float64)
    scale = 1 / 257 if levels.max() > 256 else 255 if picture.mode == "F" and levels.max() <= 1 else 1
    return Image.fromarray(np.clip(levels * scale, 0, 255).round().astype(np.uint8)).convert("RGB")
  if picture.has_transparency_data:
    layer = _convert(picture, "RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
  return _convert(picture, "RGB")


def _convert(picture: Image.Image, mode: str) -> Image.Image:
  try:
    return picture.convert(mode)
  except ValueError as error:  # Pillow decodes a few colour spaces that it cannot convert
    raise BrokenPicture(f"colours of the kind {picture.mode} cannot be converted") from error


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
