"""What lies beside the pixels of a file, taken away: good pictures are never refused for their metadata."""

import io
import struct
import zlib
from typing import BinaryIO, NamedTuple

from jaxdistort.data.decoding.orientation import directory

_MOST = 2**28  # bytes of a file that are held to be mended
_MOST_PROFILE = 2**24  # bytes of a colour profile
_PNG = b"\x89PNG\r\n\x1a\n"
_ICC_TAG = 34675
# The tags of TIFF that say what the pixels are and where: everything else can go.
_TIFF_PIXELS = frozenset(
  {254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 280, 281, 284, 292, 293, 317, 320}
)
_TIFF_PIXELS |= frozenset(
  {322, 323, 324, 325, 338, 339, 340, 341, 347, 512, 513, 514, 515, 519, 520, 521, 529, 530, 532}
)


class Stripped(NamedTuple):
  """A file without what lies beside its pixels.

  Attributes:
    content: the file, with its pixel data as they were.
    exif: that it held; empty if none.
    icc_profile: that it held; None if it held none, empty if it cannot be had.
  """

  content: bytes
  exif: bytes = b""
  icc_profile: bytes | None = None


def strip(stream: BinaryIO) -> Stripped | None:
  """The file without its metadata, checksums and lengths beside the pixels mended; None where that changes nothing."""
  if stream.seek(0, io.SEEK_END) > _MOST:
    return None
  stream.seek(0)
  content = stream.read()
  stripped = None
  if content.startswith(b"\xff\xd8"):
    stripped = _strip_jpeg(content)
  elif content.startswith(_PNG):
    stripped = _strip_png(content)
  elif content.startswith(b"RIFF"):
    stripped = _strip_webp(content)
  elif content[:2] in (b"II", b"MM"):
    stripped = _strip_tiff(content)
  return None if stripped is None or stripped.content == content else stripped


def _strip_jpeg(content: bytes) -> Stripped:
  """Without segments of applications and comments; but libjpeg needs JFIF's and Adobe's to know the colours."""
  kept, exif, profile = [content[:2]], b"", []
  place = 2
  while place + 4 <= len(content):
    if content[place] != 0xFF or content[place + 1] in (0x00, 0xFF):
      place += 1
      continue
    marker = content[place + 1]
    if marker == 0xDA:
      break
    if marker == 0x01 or 0xD0 <= marker <= 0xD9:  # stands alone
      place += 2
      continue
    end = place + 2 + max(2, int.from_bytes(content[place + 2 : place + 4], "big"))
    segment, data = content[place:end], content[place + 4 : end]
    if data.startswith(b"Exif\0\0") and marker == 0xE1:
      exif += data if not exif else data[6:]
    elif data.startswith(b"ICC_PROFILE\0") and marker == 0xE2:
      profile.append(data[12:])
    elif not (0xE0 <= marker <= 0xEF or marker == 0xFE) or _tells_colours(marker, data):
      kept.append(segment)
    place = end
  profile.sort()
  whole = all(len(part) > 2 and part[:2] == bytes([i + 1, len(profile)]) for i, part in enumerate(profile))
  joined = (b"".join(part[2:] for part in profile) if whole else b"") if profile else None
  return Stripped(b"".join([*kept, content[place:]]), exif, joined)


def _tells_colours(marker: int, data: bytes) -> bool:
  return (marker == 0xE0 and data.startswith(b"JFIF\0") and len(data) >= 14) or (
    marker == 0xEE and data.startswith(b"Adobe") and len(data) >= 12
  )


def png_chunks(stream: BinaryIO) -> list[tuple[bytes, bytes]]:
  """Kinds and contents of the ancillary chunks before the pixels of a PNG file, but of none above 4 KB the content."""
  chunks = []
  place = stream.seek(len(_PNG))
  while len(head := stream.read(8)) == 8 and head[4:] != b"IDAT":
    size = int.from_bytes(head[:4], "big")
    chunks.append((head[4:], stream.read(size) if size <= 4096 else b""))
    place = stream.seek(place + size + 12)
  return chunks


def _strip_png(content: bytes) -> Stripped:
  """Critical chunks as they are, transparency with a right checksum, and an end."""
  kept, exif, profile = [_PNG], b"", None
  place = len(_PNG)
  while place + 8 <= len(content):
    size, kind = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8]
    data, chunk = content[place + 8 : place + 8 + size], content[place : place + size + 12]
    place += size + 12
    if kind == b"IEND":
      break
    if kind == b"IDAT" and len(data) < size:
      return Stripped(b"".join([*kept, chunk]), exif, profile)  # what follows would be taken for pixels
    if kind == b"tRNS" and len(data) == size:
      kept.append(chunk[: size + 8] + zlib.crc32(chunk[4 : size + 8]).to_bytes(4, "big"))
    elif kind == b"eXIf":
      exif = data
    elif kind == b"iCCP":
      profile = _inflated(data.partition(b"\0")[2][1:])
    elif not kind[:1].islower():
      kept.append(chunk)
  kept.append(b"\0\0\0\0IEND\xaeB`\x82")
  return Stripped(b"".join(kept), exif, profile)


def _inflated(data: bytes) -> bytes:
  inflate = zlib.decompressobj()
  try:
    profile = inflate.decompress(data, _MOST_PROFILE)
  except zlib.error:
    return b""
  return profile if inflate.eof else b""


def _strip_webp(content: bytes) -> Stripped:
  kept, exif, profile = [], b"", None
  place = 12
  while place + 8 <= len(content):
    kind, size = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
    data, chunk = content[place + 8 : place + 8 + size], content[place : place + 8 + size + size % 2]
    place += 8 + size + size % 2
    if kind == b"EXIF":
      exif = data
    elif kind == b"ICCP":
      profile = data if len(data) == size else b""
    elif kind == b"VP8X" and data:
      kept.append(chunk[:8] + bytes([data[0] & ~0b101100]) + chunk[9:])  # it says that there are none
    elif kind in (b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"):
      kept.append(chunk)
  body = b"WEBP" + b"".join(kept)
  return Stripped(b"RIFF" + len(body).to_bytes(4, "little") + body, exif, profile)


def _strip_tiff(content: bytes) -> Stripped | None:
  """The first directory with the tags of the pixels alone, in the place where it was."""
  order, start, entries = directory(io.BytesIO(content))
  big, kept = len(entries) > 0 and len(entries[0].field) == 8, [e for e in entries if e.tag in _TIFF_PIXELS]
  if not kept or len(kept) == len(entries):
    return None
  count, offset = ("Q", "Q") if big else ("H", "L")
  profile = None
  for entry in entries:
    if entry.tag == _ICC_TAG:
      (place,) = struct.unpack(order + offset, entry.field)
      data = content[place : place + entry.count]
      profile = data if entry.kind in (1, 7) and len(data) == entry.count else b""
  table = struct.pack(order + count, len(kept)) + b"".join(e.whole for e in kept) + struct.pack(order + offset, 0)
  return Stripped(content[:start] + table + content[start + len(table) :], b"", profile)
