"""Files as pictures of 8 bits, upright: by Pillow, and where it gives up, again without what lies beside the pixels."""

import io
import os
import stat
import struct
import warnings
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from jaxdistort.data.decoding import bmp, heif, tiff
from jaxdistort.data.decoding.ancillary import png_chunks, strip
from jaxdistort.data.decoding.levels import eight_bit_grey, eight_bits, is_deep_grey
from jaxdistort.data.decoding.orientation import orientation_of, orientation_of_tiff, upright
from jaxdistort.data.decoding.remarks import remark
from jaxdistort.data.decoding.sizes import check_pixels
from jaxdistort.errors import BrokenPicture, reason_of

# Only these decoders may look at a foreign file: others start programs, or take anything for theirs.
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF", "GIF", "AVIF", "JPEG2000", "PPM", "QOI")
_KINDS = {stat.S_IFDIR: "folder", stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket"}
_NO_TEXTS = (
  "transparency",
  "icc_profile",
  "gamma",
  "exif",
  "interlace",
  "bbox",
  "default_image",
  "duration",
  "disposal",
  "blend",
)
_ORIENTATION, _COLOUR_MAP, _EXTRA = 274, 320, 338  # tags of TIFF
_SRGB_POINTS = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)  # white, red, green, blue, in 1/100,000


def open_plain(file: str | os.PathLike[str] | bytes) -> BinaryIO:
  """A file, or bytes as one.

  Raises:
    BrokenPicture: it cannot be opened, is empty, or is no plain file: opening a pipe or device may take for ever.
  """
  if isinstance(file, bytes):
    stream: BinaryIO = io.BytesIO(file)
  else:
    try:
      _check_plain(os.stat(file))
      stream = open(file, "rb", opener=_open_without_waiting)  # noqa: SIM115, its caller closes it
    except OSError as error:
      raise BrokenPicture(reason_of(error)) from error
  if not stream.seek(0, os.SEEK_END):
    stream.close()
    raise BrokenPicture("empty file")
  stream.seek(0)
  return stream


def _check_plain(status: os.stat_result) -> None:
  if not stat.S_ISREG(status.st_mode):
    raise BrokenPicture(f"no plain file, but a {_KINDS.get(stat.S_IFMT(status.st_mode), 'device')}")


def _open_without_waiting(path: str, flags: int) -> int:
  """Opens a file that may have become a pipe since it was looked at."""
  number = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
  try:
    _check_plain(os.fstat(number))
  except BrokenPicture:
    os.close(number)
    raise
  return number


class _Undecodable(BrokenPicture):
  """Pillow gave up, for which what lies beside the pixels may be the reason."""


class _Unidentified(_Undecodable):
  """Pillow did not get as far as the pixels."""


def decode(stream: BinaryIO) -> Image.Image:
  """The picture of a file, upright, of at most 8 bits a level.

  Raises:
    BrokenPicture: its pixels cannot be had.
  """
  try:
    return _decode(stream, stream, {})
  except _Undecodable as error:
    reason = error
  stripped = strip(stream)
  if stripped is not None:
    beside = {"exif": stripped.exif, "icc_profile": stripped.icc_profile}
    try:
      return _decode(io.BytesIO(stripped.content), stream, {k: v for k, v in beside.items() if v is not None})
    except _Undecodable as error:
      reason = error
  if heif.is_heif(stream):
    picture = heif.read_heif(stream)
    return upright(picture, orientation_of(picture.info))
  if isinstance(reason, _Unidentified) and tiff.is_tiff(stream):
    return _upright_tiff(tiff.read_unknown(stream), stream)
  raise reason


def _decode(stream: BinaryIO, whole: BinaryIO, beside: dict[str, bytes]) -> Image.Image:
  """The picture of a file, or of what was left of it by `strip`.

  Args:
    stream: read for the pixels.
    whole: the file, read for what says how they are meant.
    beside: what `strip` took away.
  """
  stream.seek(0)
  with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # large pictures and odd metadata are fine as long as the pixels decode
    try:
      opened: Any = Image.open(stream, formats=_FORMATS)
    except Image.UnidentifiedImageError as error:
      raise _Unidentified("not a picture that can be identified") from error
    except Exception as error:  # decoders of foreign files raise anything; nothing of ours runs here
      raise _Undecodable(reason_of(error)) from error
    with opened:
      check_pixels(*opened.size)
      if opened.format in ("PNG", "TIFF") and not opened.tile:
        raise _Undecodable("no pixels in the file")
      opened.info |= beside
      return _PIXELS[opened.format](opened, stream, whole)


def _load(opened: Any) -> Any:
  try:
    opened.load()
  except Exception as error:  # as above
    raise _Undecodable(reason_of(error)) from error
  if opened.mode in ("P", "PA") and opened.palette is None:
    raise _Undecodable("indices of colours, but no colours")
  return opened


def _of_any(opened: Any, stream: BinaryIO, whole: BinaryIO) -> Image.Image:
  del stream, whole
  return upright(_load(opened), orientation_of(opened.info))


def _of_bmp(opened: Any, stream: BinaryIO, whole: BinaryIO) -> Image.Image:
  """Windows shows a picture whose alpha is 0 throughout as opaque: the byte is often there without a meaning."""
  (tile,) = opened.tile
  if tile.codec_name == "bmp_rle":
    opened.fp = io.BytesIO(bmp.unpacked_runs(stream, tile))
    opened.tile = [
      tile._replace(codec_name="raw", offset=0, args=("L" if opened.mode in "1L" else "P", 0, tile.args[-1]))
    ]
  picture = _load(opened)
  profile = bmp.embedded_profile(whole)
  if profile is not None:
    picture.info["icc_profile"] = profile
  opaque = picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (0, 0)
  return picture.convert("RGB") if opaque else picture


def _of_png(opened: Any, stream: BinaryIO, whole: BinaryIO) -> Image.Image:
  _check_texts(opened.info)
  depth, colours = opened.tile[0].args, opened.info.get("transparency")
  if depth == "RGB;16B" and isinstance(colours, tuple):
    levels = tiff.both_bytes(stream, opened)
    clear = np.all(levels == colours, axis=-1)
    picture = Image.fromarray(eight_bits(levels, 65535))
    picture.info = {k: v for k, v in opened.info.items() if k != "transparency"}
    picture.putalpha(Image.fromarray(np.where(clear, 0, 255).astype(np.uint8)))
  else:
    picture = _load(opened)
    _check_texts(opened.info)
    if is_deep_grey(picture):
      picture = eight_bit_grey(picture, 65535)
  if depth in ("L;2", "L;4") and isinstance(colours, int):
    picture.info["transparency"] = colours * {"L;2": 85, "L;4": 17}[depth]  # Pillow spreads the levels, not this one
  _remark_on_png(whole, picture.info)
  return upright(picture, orientation_of(picture.info))


def _check_texts(info: dict[Any, Any]) -> None:
  """Pillow takes a text of the name of a property for the property."""
  if any(isinstance(info.get(name), str) for name in _NO_TEXTS):
    raise _Undecodable("a text in the file has the name of a property")


def _remark_on_png(whole: BinaryIO, info: dict[Any, Any]) -> None:
  """Says where colours are meant otherwise than as sRGB, by other means than a profile."""
  chunks = dict(png_chunks(whole))
  said = chunks.get(b"cICP", b"")
  if len(said) == 4 and not (said[0] in (1, 2) and said[1] in (1, 2, 6, 13)):
    remark(f"its colours (cICP: primaries {said[0]}, transfer {said[1]}) were taken as sRGB")
  if said or b"iCCP" in chunks or b"sRGB" in chunks or "icc_profile" in info:
    return
  gamma, points = (chunks.get(kind, b"") for kind in (b"gAMA", b"cHRM"))
  if len(gamma) == 4 and not 43000 <= int.from_bytes(gamma, "big") <= 48000:
    remark(f"its colours (gAMA: {int.from_bytes(gamma, 'big') / 100_000:g}) were taken as sRGB")
  elif len(points) == 32 and any(
    abs(a - b) > 1000 for a, b in zip(struct.unpack(">8L", points), _SRGB_POINTS, strict=True)
  ):
    remark("its colours (cHRM: other primaries) were taken as sRGB")


def _of_tiff(opened: Any, stream: BinaryIO, whole: BinaryIO) -> Image.Image:
  if not tiff.is_whole(opened):
    raise BrokenPicture(tiff.MISSING)
  if tiff.is_deep(opened):
    picture = tiff.read_deep(stream, opened)
    picture.info |= {k: v for k, v in opened.info.items() if k in ("icc_profile", "xmp")}
    return _upright_tiff(picture, whole)
  stored, palette, alpha_said = (tiff.tag_of(opened, tag) for tag in (_ORIENTATION, _COLOUR_MAP, _EXTRA))
  picture = _load(opened)
  if not isinstance(stored, int | None):  # Pillow turns by itself what it understands
    picture = _upright_tiff(picture, whole)
  if picture.mode == "P" and palette and max(palette) < 256:  # libtiff reads such a colour map as of 8 bits, too
    picture.putpalette(np.array(palette, np.uint8).reshape(3, -1).T.tobytes())
  if picture.mode == "RGBA" and alpha_said is None and picture.getchannel("A").getextrema() == (0, 0):
    return picture.convert("RGB")  # a fourth channel of which nothing says that it is alpha
  return picture


def _upright_tiff(picture: Image.Image, whole: BinaryIO) -> Image.Image:
  said = orientation_of_tiff(whole)
  return upright(picture, orientation_of(picture.info) if said is None else said)


_PIXELS: dict[str, Callable[[Any, BinaryIO, BinaryIO], Image.Image]]
_PIXELS = {
  **dict.fromkeys((*_FORMATS, "MPO"), _of_any),
  "PNG": _of_png,
  "BMP": _of_bmp,
  "DIB": _of_bmp,
  "TIFF": _of_tiff,
}
