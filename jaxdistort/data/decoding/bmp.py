"""Bitmaps: what Pillow leaves aside of them, or takes very long for."""

import os
import struct
from typing import Any, BinaryIO


def embedded_profile(whole: BinaryIO) -> bytes | None:
  """The profile that a header of version 5 may embed; None if there is none, empty if it is not whole."""
  whole.seek(0)
  begin = 14 if whole.read(2) == b"BM" else 0
  whole.seek(begin)
  head = whole.read(124)
  if len(head) < 124 or head[:4] != b"\x7c\0\0\0" or head[56:60] != b"DEBM":
    return None
  place, size = struct.unpack_from("<LL", head, 112)
  if begin + place + size > whole.seek(0, os.SEEK_END):
    return b""
  whole.seek(begin + place)
  return whole.read(size)


def unpacked_runs(stream: BinaryIO, tile: Any) -> bytes:
  """Levels or indices of a bitmap that is compressed by runs (RLE8, RLE4), a byte each; fewer than pixels if it is cut.

  As Pillow unpacks them, which takes minutes where a few bytes skip millions of pixels.
  """
  stream.seek(tile.offset)
  content, place = stream.read(), 0
  (_, _, width, height), halves = tile.extents, tile.args[1]
  levels, total, x = bytearray(), width * height, 0
  while len(levels) < total and place + 2 <= len(content):
    count, value = content[place], content[place + 1]
    place += 2
    if count:  # of the same value, or of two that take turns; never beyond its row
      count = max(0, min(count, width - x))
      levels += (bytes([value >> 4, value & 15]) * 128 if halves else bytes([value]) * 255)[:count]
      x += count
    elif value == 0:  # the row ends
      levels += bytes(-len(levels) % width)
      x = 0
    elif value == 1:  # the bitmap ends
      break
    elif value == 2:  # pixels are skipped
      if place + 2 > len(content):
        break
      levels += bytes(min(total - len(levels), content[place] + content[place + 1] * width))
      x = len(levels) % width
      place += 2
    else:  # so many values follow, and perhaps a byte that makes their number even
      count = min(total - len(levels), value)
      size = (count + 1) // 2 if halves else count
      part = content[place : place + size]
      levels += bytes(half for byte in part for half in (byte >> 4, byte & 15))[:count] if halves else part
      if len(part) < size:
        break
      x += value
      place += size
      place += (tile.offset + place) % 2
  return bytes(levels)
