"""Raw files of cameras, by LibRaw: what the camera made of them where that lies in them, else developed."""

import io
import os
import struct
from typing import Any, BinaryIO

from PIL import Image

from jaxdistort.data.decoding.sizes import check_pixels
from jaxdistort.errors import NOT_INSTALLED, BrokenPicture, raising_broken

RAW_SUFFIXES = frozenset(
  (".dng", ".nef", ".nrw", ".cr2", ".cr3", ".arw", ".sr2", ".raf", ".orf", ".rw2", ".pef", ".srw", ".3fr", ".iiq")
)
_HEADS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"II*\0\x10\0\0\0CR")  # RAF, ORF, RW2, CR2
_CR3 = b"ftypcrx "
_NEVER_RAW = (b"\xff\xd8\xff", b"\x89PNG\r\n")  # whatever the name says
_HEAD, _ENTRY = 16, 12  # bytes: of a file, by which it is told; of an entry of a TIFF's directory
_SUBFILE_TYPE, _SUB_DIRECTORIES, _DNG_VERSION = 254, 330, 50706  # tags of TIFF
_LEAST_PREVIEW = 1024  # pixels of the longer side of a preview that says as much as the picture


def is_raw(stream: BinaryIO, name: str = "") -> bool:
  """By what a file begins with, and by its name: most are TIFFs, of which Pillow would show a stamp.

  Args:
    stream: of the file; it is rewound.
    name: of the file; "" where it has none.
  """
  head = stream.read(_HEAD)
  try:
    if head.startswith(_NEVER_RAW):
      return False
    is_named = os.path.splitext(name)[1].lower() in RAW_SUFFIXES
    return is_named or head.startswith(_HEADS) or head[4:12] == _CR3 or _is_raw_tiff(stream, head)
  finally:
    stream.seek(0)


def _is_raw_tiff(stream: BinaryIO, head: bytes) -> bool:
  """Whether the first directory of a TIFF is a DNG's, or of a stamp, with the picture in a directory below it."""
  if not head.startswith((b"II*\0", b"MM\0*")):
    return False
  order = "<" if head.startswith(b"II") else ">"
  try:
    (start,) = struct.unpack(f"{order}I", head[4:8])
    stream.seek(start)
    (count,) = struct.unpack(f"{order}H", stream.read(2))
    entries = list(struct.iter_unpack(f"{order}HHII", stream.read(_ENTRY * count)))
  except struct.error:  # it is cut off
    return False
  values = {tag: value for tag, _, _, value in entries}
  return _DNG_VERSION in values or bool(values.get(_SUBFILE_TYPE, 0) & 1 and _SUB_DIRECTORIES in values)


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
      f"a raw file of a camera is read by rawpy, {NOT_INSTALLED} (jaxdistort[raw] brings it)"
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
