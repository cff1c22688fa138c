"""Whether a picture that the reader accepts is what Pillow reads."""

import io
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tifffile
from PIL import Image, ImageFile

from jaxdistort.data import BrokenPicture, collected_remarks, read_picture, to_rgb
from jaxdistort.data.decoding.ancillary import strip
from jaxdistort.data.decoding.orientation import upright

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF")


class Reading(NamedTuple):
  """What the reader made of a file.

  Attributes:
    levels: uint8 [H, W, 3]; None if it refused it.
    reason: why it did.
    starved: whether for lack of memory.
  """

  levels: np.ndarray | None
  reason: str
  starved: bool


def read(content: bytes) -> Reading:
  with collected_remarks():
    try:
      return Reading(np.asarray(read_picture(content)), "", False)
    except BrokenPicture as error:
      causes = [error, error.__cause__, error.__context__]
      return Reading(None, str(error), any(isinstance(cause, MemoryError) for cause in causes))


def agreement(content: bytes, levels: np.ndarray) -> str:
  """With what the levels of an accepted file agree; "" with nothing.

  strict, lenient: with Pillow's reading of the file (lenient: LOAD_TRUNCATED_IMAGES), converted by `to_rgb`, in any of
  the eight orientations, with the profile or without, and with 0 as white where a TIFF says it. BMP and TIFF whose
  alpha is 0 throughout are taken as opaque. Where one level of a PNG is transparent it is spread like the others (2
  and 4 bits), and may be any of 16-bit RGB.
  bare: the same of the file that `strip` leaves, with the profile that it took away.
  order: with the levels of a deep TIFF as tifffile or Pillow read them, by the order of their values: the rules of
  range are for other tests.
  """
  for lenient in (False, True):
    if any(_same(levels, one) for one in _by_pillow(content, lenient, levels)):
      return "lenient" if lenient else "strict"
  stripped = strip(io.BytesIO(content))
  if stripped and any(_same(levels, one) for one in _by_pillow(stripped.content, False, levels, stripped.icc_profile)):
    return "bare"
  return "order" if _ranks_agree(content, levels) else ""


def _by_pillow(
  content: bytes, lenient: bool, levels: np.ndarray, icc_profile: bytes | None = None
) -> Iterator[np.ndarray]:
  ImageFile.LOAD_TRUNCATED_IMAGES = lenient
  try:
    with warnings.catch_warnings():
      warnings.simplefilter("ignore")
      with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
        raw, clear = opened.tile[0].args if opened.tile else "", opened.info.get("transparency")
        opened.load()
        if icc_profile is not None:
          opened.info["icc_profile"] = icc_profile
        if raw in ("L;2", "L;4") and isinstance(clear, int):
          opened.info["transparency"] = clear * (85 if raw == "L;2" else 17)
        if raw == "RGB;16B" and clear is not None:
          del opened.info["transparency"]
          white = np.all(levels == 255, axis=-1, keepdims=True)
          yield from (np.where(white, np.uint8(255), one) for one in _converted(opened) if one.shape == levels.shape)
        yield from _converted(opened)
        if opened.mode in ("I", "F") and "B" in raw[0]:  # unpacked by libtiff, Pillow takes them in the wrong order
          swapped = Image.fromarray(np.asarray(opened).byteswap())
          swapped.format, swapped.tag_v2 = opened.format, opened.tag_v2
          yield from _converted(swapped)
  except Exception:  # foreign files raise anything
    return
  finally:
    ImageFile.LOAD_TRUNCATED_IMAGES = False


def _converted(opened: Image.Image) -> Iterator[np.ndarray]:
  if opened.mode == "RGBA" and opened.format in ("BMP", "DIB", "TIFF") and not opened.getchannel("A").getbbox():
    opened = opened.convert("RGB")
  tags = getattr(opened, "tag_v2", {})
  for info in (opened.info, {k: v for k, v in opened.info.items() if k in ("transparency",)}):
    picture = opened.copy()
    picture.format, picture.info = opened.format, dict(info)
    with collected_remarks():
      try:
        rgb = to_rgb(picture)
      except Exception:  # as above: Pillow's reading may be of no mode
        continue
    levels = np.asarray(rgb)
    if opened.format == "TIFF" and tags.get(262) == 0 and opened.mode in ("I", "F", "I;16"):
      levels = ~levels  # which Pillow forgets
    yield from (np.asarray(upright(Image.fromarray(levels), turn)) for turn in range(1, 9))


def _same(a: np.ndarray, b: np.ndarray) -> bool:
  return a.shape == b.shape and np.array_equal(a, b)


def _ranks_agree(content: bytes, levels: np.ndarray) -> bool:
  """Whether brighter levels of a deep TIFF are brighter, or darker, in each channel of the picture."""
  high = _high_bytes(content)
  if high is not None and high.shape == levels.shape and all(_monotone(levels[..., c], high[..., c]) for c in range(3)):
    return True
  try:
    with tifffile.TiffFile(io.BytesIO(content)) as file:
      page = file.pages[0]
      stored = page.asarray(maxworkers=1)
      stored = np.moveaxis(stored, 0, -1) if page.planarconfig == 2 and stored.ndim == 3 else stored
  except Exception:  # as above
    return False
  stored = np.nan_to_num(stored.reshape(*stored.shape[:2], -1).astype(float), nan=0)
  seen_through = stored.shape[2] in (2, 4)  # the last is alpha, and what it hides does not compare
  opaque = stored[..., -1] == stored[..., -1].max() if seen_through else np.ones(stored.shape[:2], bool)
  stored = stored[..., : 3 if stored.shape[2] > 2 else 1]
  for turn in range(1, 9):
    seen = np.asarray(upright(Image.fromarray(levels), turn))
    if seen.shape[:2] == stored.shape[:2]:
      channels = range(stored.shape[2])
      if all(_monotone(stored[opaque, c], seen[opaque, c]) for c in channels):
        return True
  return False


def _high_bytes(content: bytes) -> np.ndarray | None:
  """Of 16-bit RGB, which is all that Pillow reads."""
  try:
    with warnings.catch_warnings(), Image.open(io.BytesIO(content), formats=("TIFF",)) as opened:
      warnings.simplefilter("ignore")
      return np.asarray(opened) if opened.mode == "RGB" else None
  except Exception:  # as above
    return None


def _monotone(stored: np.ndarray, seen: np.ndarray) -> bool:
  steps = np.diff(seen.ravel()[np.argsort(stored.ravel(), kind="stable")].astype(int))
  return bool(np.all(steps >= 0) or np.all(steps <= 0))
