"""Which way up a picture is, by the entries that say so, however they are written."""

import io
import re
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from PIL import Image

_ORIENTATION = 0x0112
_MOST_ENTRIES = 4096
_INTEGERS = {
  1: "B",
  6: "b",
  7: "B",
  3: "H",
  8: "h",
  4: "L",
  9: "l",
}  # TIFF's types of whole numbers, as `struct` has them
_TURNS = {
  2: Image.Transpose.FLIP_LEFT_RIGHT,
  3: Image.Transpose.ROTATE_180,
  4: Image.Transpose.FLIP_TOP_BOTTOM,
  5: Image.Transpose.TRANSPOSE,
  6: Image.Transpose.ROTATE_270,
  7: Image.Transpose.TRANSVERSE,
  8: Image.Transpose.ROTATE_90,
}
_IN_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')


class Entry(NamedTuple):
  """An entry of a TIFF directory.

  Attributes:
    tag: its number.
    kind: TIFF's number of its type.
    count: of its values, as the file says.
    field: the bytes of its value, if they fit; else of its offset.
    whole: all bytes of the entry.
  """

  tag: int
  kind: int
  count: int
  field: bytes
  whole: bytes


def directory(stream: BinaryIO) -> tuple[str, int, list[Entry]]:
  """Byte order as `struct` has it, place and entries of the first directory of a TIFF file (which EXIF is as well).

  Nothing is taken for granted: a directory that is cut short has the entries that are whole, what is no TIFF none.
  """
  stream.seek(0)
  head = stream.read(16)
  order = {b"II": "<", b"MM": ">"}.get(head[:2])
  if order is None or len(head) < 8:
    return "<", 0, []
  big = head[2:4] in (b"\x2b\x00", b"\x00\x2b") and len(head) == 16
  (start,) = struct.unpack_from(f"{order}{'Q' if big else 'L'}", head, 8 if big else 4)
  return order, start, list(_entries(stream, start, order, big))


def _entries(stream: BinaryIO, start: int, order: str, big: bool) -> Iterator[Entry]:
  if start >= stream.seek(0, io.SEEK_END):
    return
  stream.seek(start)
  counted = stream.read(8 if big else 2)
  if len(counted) < (8 if big else 2):
    return
  (count,) = struct.unpack(f"{order}{'Q' if big else 'H'}", counted)
  form = struct.Struct(f"{order}HH{'Q8s' if big else 'L4s'}")
  content = stream.read(form.size * min(count, _MOST_ENTRIES))
  for place in range(0, len(content) - form.size + 1, form.size):
    yield Entry(*form.unpack_from(content, place), content[place : place + form.size])


def orientation_of_tiff(stream: BinaryIO) -> int | None:
  """1..8; None if the first directory says nothing that makes sense."""
  order, _, entries = directory(stream)
  for entry in entries:
    if entry.tag == _ORIENTATION and entry.kind in _INTEGERS:
      form = struct.Struct(order + _INTEGERS[entry.kind])
      for content in (_elsewhere(stream, entry, order, form.size), entry.field):
        if len(content) >= form.size and 1 <= form.unpack_from(content)[0] <= 8:
          return form.unpack_from(content)[0]
  return None


def _elsewhere(stream: BinaryIO, entry: Entry, order: str, size: int) -> bytes:
  """The first value of an entry whose values do not fit into it; nothing where they do, or are not there."""
  if entry.count * size <= len(entry.field):
    return b""
  (offset,) = struct.unpack(f"{order}{'Q' if len(entry.field) == 8 else 'L'}", entry.field)
  if offset + entry.count * size > stream.seek(0, io.SEEK_END):
    return b""
  stream.seek(offset)
  return stream.read(size)


def orientation_of(info: dict[Any, Any]) -> int:
  """1..8, by what Pillow (or `strip`) found beside the pixels; 1 where nothing says another in a way that makes sense.

  EXIF goes before XMP, as in Pillow.
  """
  exif = info.get("exif")
  if not isinstance(exif, bytes):
    exif = _from_text(info.get("Raw profile type exif"))
  while exif.startswith(b"Exif\0\0"):
    exif = exif[6:]
  found = orientation_of_tiff(io.BytesIO(exif)) if exif else None
  if found is None:
    xmp = info.get("xmp", info.get("XML:com.adobe.xmp", b""))
    match = _IN_XMP.search(xmp.encode() if isinstance(xmp, str) else xmp if isinstance(xmp, bytes) else b"")
    found = int(match[1]) if match else 1
  return found


def _from_text(text: Any) -> bytes:
  """EXIF as ImageMagick writes it into PNG: a name and a length in lines of their own, then hexadecimal digits."""
  if not isinstance(text, str):
    return b""
  try:
    return bytes.fromhex("".join(text.split("\n")[3:]))
  except ValueError:
    return b""


def upright(picture: Image.Image, orientation: int) -> Image.Image:
  turn = _TURNS.get(orientation)
  if turn is None:
    return picture
  turned = picture.transpose(turn)
  turned.info = picture.info
  return turned
