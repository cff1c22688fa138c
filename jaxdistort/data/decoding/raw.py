"""Raw files of cameras, by LibRaw: what the camera made of them where that lies in them, else developed."""

import io
import os
from typing import Any, BinaryIO

from PIL import Image

from jaxdistort.data.decoding.sizes import check_pixels
from jaxdistort.errors import BrokenPicture, raising_broken

RAW_SUFFIXES = frozenset(
  (".dng", ".nef", ".nrw", ".cr2", ".cr3", ".arw", ".sr2", ".raf", ".orf", ".rw2", ".pef", ".srw", ".3fr", ".iiq")
)
_LEAST_PREVIEW = 1024  # pixels of the longer side of a preview that says as much as the picture


def is_raw(file: str | os.PathLike[str] | bytes) -> bool:
  """By the suffix: inside most are TIFFs, of which Pillow would show a stamp. Bytes have none, and never are."""
  return not isinstance(file, bytes) and os.path.splitext(os.fspath(file))[1].lower() in RAW_SUFFIXES


def preview_or_pixels(stream: BinaryIO) -> bytes | Image.Image:
  """The JPEG that the camera made of it, if it is no stamp; else the raw pixels developed plainly, upright.

  Developed means: the camera's white balance, sRGB, no brightening of its own, which would hide a wrong exposure.

  Raises:
    BrokenPicture: it is damaged, too large, or rawpy is not there.
  """
  try:
    import rawpy
  except ImportError as error:
    raise BrokenPicture(
      "a raw file of a camera is read by rawpy, which is not installed (jaxdistort[raw] brings it)"
    ) from error
  stream.seek(0)
  with raising_broken(), rawpy.imread(stream) as raw:
    check_pixels(raw.sizes.raw_width, raw.sizes.raw_height)
    preview = _preview(rawpy, raw)
    if preview:
      return preview
    return Image.fromarray(raw.postprocess(use_camera_wb=True, no_auto_bright=True, output_bps=8))


def _preview(rawpy: Any, raw: Any) -> bytes:
  """A JPEG; empty where there is none, or a small one."""
  try:
    thumb = raw.extract_thumb()
  except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
    return b""
  if thumb.format != rawpy.ThumbFormat.JPEG:
    return b""
  with Image.open(io.BytesIO(thumb.data), formats=["JPEG"]) as opened:
    return thumb.data if max(opened.size) >= _LEAST_PREVIEW else b""
