"""TIFF files whose levels are deeper than 8 bits: all their bits, with what their tags say of them.

Pillow keeps the high bytes of such levels, which are no picture where fewer bits are used than stored. What it cannot
read right, tifffile reads.
"""

import logging
import math
import sys
import threading
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import Image

from jaxdistort.data.decoding.levels import eight_bits, numbers, white_of
from jaxdistort.data.decoding.sizes import check_pixels
from jaxdistort.errors import NOT_INSTALLED, BrokenPicture, raising_broken, reason_of

MISSING = "parts of the pixels are missing"
_WIDTH, _HEIGHT = 256, 257
_BITS, _PHOTOMETRIC, _PLANAR, _EXTRA, _FORMAT, _ICC = 258, 262, 284, 338, 339, 34675
_LARGEST, _LARGEST_ALSO = 281, 341  # MaxSampleValue, SMaxSampleValue
_READ = (_BITS, _PHOTOMETRIC, _EXTRA, _FORMAT, _ICC, _LARGEST, _LARGEST_ALSO)
_COLOURS = {0: 1, 1: 1, 2: 3, 5: 4}  # photometric interpretation -> channels of its colours
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_UNSIGNED = 1
_MOST_SAMPLES = 16  # a pixel
# What libtiff decodes comes in the order of this machine, which Pillow forgets for these.
_NATIVE = {"I;16BS": "I;16NS", "I;32BS": "I;32NS", "F;32BF": "F;32NF"}


class _Tags(NamedTuple):
  """What a file says of its pixels.

  Attributes:
    photometric: 0: white is 0; 1: grey; 2: RGB; 5: CMYK; others.
    bits: of a level.
    extra: what each channel beyond the colours is; 1: alpha, premultiplied; 2: alpha; 0: anything.
    white: the level of white, if it is known.
    icc_profile: if there is one.
  """

  photometric: int
  bits: int
  extra: tuple[int, ...]
  white: float | None
  icc_profile: bytes | None

  @classmethod
  def of(cls, values: dict[int, Any]) -> "_Tags":
    bits = min(int(max(numbers(values.get(_BITS)), default=1)), 64)
    formats = set(numbers(values.get(_FORMAT))) or {_UNSIGNED}
    white = white_of(numbers(values.get(_LARGEST)) or numbers(values.get(_LARGEST_ALSO)), bits)
    if formats == {_UNSIGNED} and (8 < bits < 16 or 16 < bits < 32):
      white = 2.0**bits - 1
    photometric = numbers(values.get(_PHOTOMETRIC)) or (-1,)
    extra, profile = tuple(map(int, numbers(values.get(_EXTRA)))), values.get(_ICC)
    return cls(int(photometric[0]), bits, extra, white, profile if isinstance(profile, bytes) else None)


def is_tiff(stream: BinaryIO) -> bool:
  stream.seek(0)
  return stream.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def tag_of(opened: Any, tag: int) -> Any:
  """The value of a tag of a file that Pillow has opened; None where there is none that can be read."""
  try:
    return opened.tag_v2.get(tag)
  except Exception:  # foreign entries hold anything, and are read when they are asked for
    return None


def is_whole(opened: Any) -> bool:
  """Whether strips or tiles reach the end of the picture, or of each plane; Pillow leaves black what none reaches."""
  if opened.tile[0].codec_name == "libtiff":  # which sees to it
    return True
  width, height = (tag_of(opened, tag) for tag in (_WIDTH, _HEIGHT))
  planes = len(opened.getbands()) if numbers(tag_of(opened, _PLANAR)) == (2,) else 1
  return sum(tile.extents[2] >= width and tile.extents[3] >= height for tile in opened.tile) >= planes


def is_deep(opened: Any) -> bool:
  """Whether a file that Pillow has opened has levels of more than 8 bits, or others that Pillow does not read right."""
  bits, formats = (numbers(tag_of(opened, tag)) for tag in (_BITS, _FORMAT))
  if max(bits, default=1) > 8 or set(formats) - {_UNSIGNED}:
    return True
  # Planes of these come mixed, or not at all.
  mixed = opened.mode in ("LA", "La", "PA") or any(tile.args[0] == "a" for tile in opened.tile)
  return mixed and numbers(tag_of(opened, _PLANAR)) == (2,)


def read_deep(stream: BinaryIO, opened: Any) -> Image.Image:
  """The picture of a file that Pillow has opened but may not read right.

  Returns:
    L, LA, RGB, RGBA or CMYK, turned as it is stored.

  Raises:
    BrokenPicture: the range of its levels cannot be known, or nothing installed here reads it.
  """
  levels = _whole_levels(stream, opened)
  if levels is None:
    return read_unknown(stream)
  return _picture(levels, _Tags.of({tag: tag_of(opened, tag) for tag in _READ}))


def _whole_levels(stream: BinaryIO, opened: Any) -> np.ndarray | None:
  """Levels [H, W, C] by Pillow; None where it would not read them right."""
  raw = opened.tile[0].args[0]
  if numbers(tag_of(opened, _PLANAR)) == (2,):
    return None
  if raw.endswith((";16L", ";16B", ";16N")) and opened.mode in ("RGB", "RGBA", "CMYK"):
    return both_bytes(stream, opened)
  if opened.mode not in ("I", "F") and not opened.mode.startswith("I;16"):
    return None
  levels = _decoded(stream, opened, _NATIVE.get(raw, raw) if opened.tile[0].codec_name == "libtiff" else raw)
  stored = {"I;32N": np.uint32, "I;16S": np.int16, "I;16BS": np.int16}.get(raw)  # Pillow has but one kind of integers
  return (levels if stored is None else levels.astype(stored))[..., None]


def both_bytes(stream: BinaryIO, opened: Any) -> np.ndarray:
  """Levels uint16 [H, W, C] of a picture whose 16 bits Pillow makes 8: decoded twice, for either byte."""
  args = opened.tile[0].args
  colours, order = (args[0] if isinstance(args, tuple) else args).upper().split(";16")
  little = order == "L" or (order == "N" and sys.byteorder == "little")
  high, low = (_decoded(stream, opened, f"{colours};16{o}").astype(np.uint16) for o in ("LB" if little else "BL"))
  return (high << 8) | low


def _decoded(stream: BinaryIO, opened: Any, raw: str) -> np.ndarray:
  """The levels of a file that Pillow has opened, read as its raw mode `raw`, and as they are stored: not turned."""
  stream.seek(0)
  try:
    with Image.open(stream, formats=(opened.format,)) as again:
      again.tile = [
        tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw) for tile in again.tile
      ]
      again.load_end = lambda: None  # it would turn the picture, by tags that may make no sense
      again.load()
      again._size = again.im.size
      return np.array(again)
  except Exception as error:  # decoders of foreign files raise anything; nothing of ours runs here
    raise BrokenPicture(reason_of(error)) from error


def read_unknown(stream: BinaryIO) -> Image.Image:
  """The picture of a file that Pillow cannot open or does not read right, by tifffile.

  Returns:
    L, LA, RGB, RGBA or CMYK, turned as it is stored.

  Raises:
    BrokenPicture: as `read_deep`.
  """
  try:
    import tifffile  # here: it takes a while to import
  except ImportError as error:
    raise BrokenPicture(
      f"a TIFF of this kind is read by tifffile, {NOT_INSTALLED} (jaxdistort[train] brings it)"
    ) from error
  logging.getLogger("tifffile").addFilter(_not_here)
  _READING.add(threading.get_ident())
  stream.seek(0)
  try:
    with raising_broken("a damaged TIFF, or one of a kind that cannot be read ({})"), tifffile.TiffFile(stream) as file:
      page: Any = file.pages[0]
      _check_size(page.imagewidth, page.imagelength, page.samplesperpixel)
      values = {tag: page.tags.valueof(tag) for tag in _READ}
      whole = page.planarconfig in (1, 2) and len(page.dataoffsets) == math.prod(page.chunked)
      if not (whole and all(page.dataoffsets) and all(page.databytecounts)):
        raise BrokenPicture(MISSING)  # tifffile would leave them black, or what the memory held before
      levels = page.asarray(maxworkers=1)
      shape, planar = (page.imagelength, page.imagewidth, page.samplesperpixel), page.planarconfig == 2
  finally:
    _READING.discard(threading.get_ident())
  if levels.size != math.prod(shape) or not levels.size:
    raise BrokenPicture(f"{levels.size} levels where {' x '.join(map(str, shape))} should be")
  if planar:
    levels = np.moveaxis(levels.reshape(shape[2], *shape[:2]), 0, -1)
  return _picture(levels.reshape(shape), _Tags.of(values))


_READING: set[int] = set()  # threads


def _not_here(_: logging.LogRecord) -> bool:
  """What tifffile has to say of foreign files belongs into no terminal; its other users shall hear it."""
  return threading.get_ident() not in _READING


def _check_size(width: Any, height: Any, samples: Any) -> None:
  if not all(isinstance(number, int) for number in (width, height, samples)):
    raise BrokenPicture("the size makes no sense")
  if samples > _MOST_SAMPLES:
    raise BrokenPicture(f"{samples} samples a pixel could be a decompression bomb")
  check_pixels(width, height, samples)


def _picture(levels: np.ndarray, tags: _Tags) -> Image.Image:
  """A picture of 8 bits from levels [H, W, C]."""
  count = _COLOURS.get(tags.photometric, 0)
  more = levels.shape[2] - count
  if not count or more < 0 or (more and count == 1 and not tags.extra):
    raise BrokenPicture(
      f"{levels.shape[2]} channels of {tags.bits} bits with the photometric interpretation {tags.photometric} "
      "cannot be read"
    )
  colours = eight_bits(levels[..., :count], tags.white)
  if tags.photometric == 0:
    colours = ~colours
  picture = Image.fromarray(colours.squeeze(-1) if count == 1 else colours, _MODES[count])
  extra = tags.extra[-more:] if more and tags.extra else ()
  if more == 1 and count == 3 and not extra and levels[..., 3].any():
    extra = (2,)  # as Pillow has it; but nothing says that it is alpha where it is 0 throughout
  place = next((place for place, kind in enumerate(extra) if kind in (1, 2)), None)
  if place is not None and count != 4:
    picture = _with_alpha(picture, levels[..., count + place], tags, premultiplied=extra[place] == 1)
  if tags.icc_profile:
    picture.info["icc_profile"] = tags.icc_profile
  return picture


def _with_alpha(colours: Image.Image, alpha: np.ndarray, tags: _Tags, premultiplied: bool) -> Image.Image:
  """Alpha has the range of the type: it is whole where nothing is to be seen through."""
  whole = None if alpha.dtype.kind == "f" else float(np.iinfo(alpha.dtype).max)
  if tags.white and alpha.max() <= tags.white:
    whole = tags.white
  layer = Image.fromarray(eight_bits(np.maximum(alpha, 0), whole), "L")
  if not premultiplied:
    colours.putalpha(layer)
    return colours
  merged = Image.merge("RGBA", (*colours.convert("RGB").split(), layer))
  return Image.frombytes("RGBa", merged.size, merged.tobytes()).convert("RGBA")
