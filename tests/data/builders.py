"""Files built byte by byte, in forms that Pillow does not write."""

import io
import struct
import zlib

import numpy as np
import tifffile
from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"


def saved(picture: Image.Image, kind: str, **options) -> bytes:
  file = io.BytesIO()
  picture.save(file, kind, **options)
  return file.getvalue()


def tiff(levels: np.ndarray, **options) -> bytes:
  """By tifffile; `planarconfig="separate"` takes [H, W, C] as well."""
  file = io.BytesIO()
  if options.get("planarconfig") == "separate":
    levels = np.moveaxis(levels, -1, 0)
  tifffile.imwrite(file, levels, metadata=None, **options)
  return file.getvalue()


def chunk(kind: bytes, data: bytes, checksum: int | None = None) -> bytes:
  """A chunk of PNG; its checksum is right unless it is given."""
  check = zlib.crc32(kind + data) if checksum is None else checksum
  return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", check)


def png(levels: np.ndarray, depth: int, colour: int, *, before: bytes = b"", after: bytes = b"") -> bytes:
  """A PNG of levels [H, W] or [H, W, C] of any depth and type of colour.

  Args:
    levels: of the file.
    depth: bits of a level.
    colour: 0 grey, 2 RGB, 3 palette (grey, whose index is its level, but for `before`), 4 grey and alpha, 6 RGBA.
    before: chunks before the pixels.
    after: chunks after the pixels.
  """
  height, width = levels.shape[:2]
  rows = levels.reshape(height, -1)
  if depth == 16:
    packed = rows.astype(">u2").view(np.uint8)
  else:
    bits = np.unpackbits(rows.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
    packed = np.packbits(bits.reshape(height, -1), axis=-1)
  lines = b"".join(b"\0" + row.tobytes() for row in packed)
  palette = chunk(b"PLTE", np.repeat(np.arange(2**depth), 3).astype(np.uint8).tobytes()) if colour == 3 else b""
  head = chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, 0))
  return PNG + head + palette + before + chunk(b"IDAT", zlib.compress(lines)) + after + chunk(b"IEND", b"")


def bmp(
  pixels: bytes,
  size: tuple[int, int],
  depth: int,
  head: int,
  masks: tuple[int, ...] | None,
  palette: bytes = b"",
  profile: bytes = b"",
) -> bytes:
  """A bitmap of rows and columns, its lines from below; with masks, or compressed by runs where there are none.

  Args:
    pixels: as they stand in the file.
    size: rows, columns.
    depth: bits of a pixel.
    head: bytes of the header: 40, 108, 124.
    masks: of red, green, blue, alpha.
    palette: blue, green, red, 0 of each colour.
    profile: for a header of 124 bytes.
  """
  begin = 14 + head + len(palette)
  fields = struct.pack("<LllHHLLllLL", head, size[1], size[0], 1, depth, 3 if masks else 1, len(pixels), 0, 0, 0, 0)
  fields += struct.pack("<4L", *masks) if masks else b""
  if profile:
    fields = (fields + b"DEBM").ljust(112, b"\0") + struct.pack("<LL", begin - 14 + len(pixels), len(profile))
  body = fields.ljust(head, b"\0") + palette + pixels + profile
  return struct.pack("<2sLHHL", b"BM", 14 + len(body), 0, 0, begin) + body


def exif(*entries: tuple[int, int, int, bytes], order: str = "<") -> bytes:
  """An EXIF block of entries (tag, type, count, value as it stands in the file)."""
  head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}LH", 8, len(entries))
  rows = [struct.pack(f"{order}HHL4s", tag, kind, count, value) for tag, kind, count, value in entries]
  return head + b"".join(rows) + bytes(4)


def segment(marker: int, data: bytes) -> bytes:
  """A segment of JPEG."""
  return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
  """A JPEG whose segments of applications are these alone."""
  place = 2
  while 0xE0 <= jpeg[place + 1] <= 0xEF:
    place += 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")
  return jpeg[:2] + b"".join(segments) + jpeg[place:]


def with_entry(tiff_file: bytes, tag: int, kind: int, count: int, value: bytes) -> bytes:
  """A TIFF (little-endian, classic) whose first directory has one entry more, or another in the place of one."""
  (start,) = struct.unpack_from("<L", tiff_file, 4)
  (number,) = struct.unpack_from("<H", tiff_file, start)
  table = tiff_file[start + 2 : start + 2 + 12 * number]
  rows = {row[:2]: row for row in (table[i : i + 12] for i in range(0, len(table), 12))}
  rows[struct.pack("<H", tag)] = struct.pack("<HHL4s", tag, kind, count, value)
  ordered = [rows[key] for key in sorted(rows, key=lambda key: struct.unpack("<H", key))]
  body = tiff_file + bytes(len(tiff_file) % 2)
  directory = struct.pack("<H", len(ordered)) + b"".join(ordered) + bytes(4)
  return body[:4] + struct.pack("<L", len(body)) + body[8:] + directory


def profile(space: bytes, tags: dict[bytes, bytes], *, kind: bytes = b"mntr", pcs: bytes = b"XYZ ") -> bytes:
  """An ICC profile of version 2."""
  d50 = struct.pack(">3l", *(round(65536 * x) for x in (0.9642, 1.0, 0.8249)))
  table, body = b"", b""
  for name, data in tags.items():
    table += name + struct.pack(">LL", 132 + 12 * len(tags) + len(body), len(data))
    body += data + bytes(-len(data) % 4)
  head = struct.pack(">L4sL4s4s4s", 132 + len(table) + len(body), b"lcms", 0x02400000, kind, space, pcs)
  head += bytes(12) + b"acsp" + bytes(28) + d50
  return head.ljust(128, b"\0") + struct.pack(">L", len(tags)) + table + body


def curve(gamma: float) -> bytes:
  return b"curv" + bytes(4) + struct.pack(">LH", 1, round(256 * gamma)) + bytes(2)


def rgb_profile(primaries: np.ndarray, gamma: float) -> bytes:
  """A profile of primaries in XYZ under D50, float [3, 3], one in each column."""
  columns = zip((b"rXYZ", b"gXYZ", b"bXYZ"), np.asarray(primaries).T, strict=True)
  xyz = {name: b"XYZ " + bytes(4) + struct.pack(">3l", *(round(65536 * x) for x in values)) for name, values in columns}
  return profile(b"RGB ", xyz | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve(gamma)))


def ink_profile(corners: np.ndarray) -> bytes:
  """A profile of CMYK, linear between the 16 corners of no and all of each ink: 8-bit Lab [2, 2, 2, 2, 3]."""
  ramp, matrix = bytes(range(256)), struct.pack(">9l", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
  table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + ramp * 4 + corners.astype(np.uint8).tobytes() + ramp * 3
  return profile(b"CMYK", {b"A2B0": table}, kind=b"prtr", pcs=b"Lab ")
