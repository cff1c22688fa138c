"""Small picture files of every format and mode, and what chance makes of them."""

import struct
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from tests.data.builders import bmp, chunk, exif, ink_profile, png, rgb_profile, saved, tiff, with_segments
from tests.data.builders import segment as jpeg_segment

_SIDES = (23, 17)  # rows, columns: no multiples of a block
_P3 = np.array([[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]])
_TURN = exif((0x11A, 5, 1, b"\x1a\0\0\0"), (0x112, 3, 1, b"\x06\0\0\0"))


def small_files() -> dict[str, bytes]:
  """Files by names that begin with their format."""
  rng = np.random.default_rng(0)
  smooth = Image.fromarray(rng.integers(0, 256, (4, 3, 3), np.uint8)).resize(_SIDES[::-1], Image.Resampling.BICUBIC)
  return dict([*_jpegs(smooth), *_pngs(smooth, rng), *_webps(smooth), *_bmps(smooth), *_tiffs(smooth, rng)])


def _jpegs(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
  icc = rgb_profile(_P3, 2.2)
  yield "JPEG baseline", saved(picture, "JPEG", quality=80)
  yield "JPEG progressive", saved(picture, "JPEG", quality=80, progressive=True)
  yield "JPEG grey", saved(picture.convert("L"), "JPEG", quality=80)
  yield "JPEG CMYK", saved(picture.convert("CMYK"), "JPEG", quality=80)
  yield "JPEG restarts", saved(picture, "JPEG", quality=80, restart_marker_blocks=1)
  yield "JPEG 4:4:4 profile", saved(picture, "JPEG", quality=80, subsampling=0, icc_profile=icc, comment=b"a comment")
  odd = jpeg_segment(0xE1, b"Exif\0\0" + _TURN) + jpeg_segment(0xE2, b"MPF\0" + exif((0xB001, 4, 1, b"\2\0\0\0")))
  yield "JPEG EXIF", with_segments(saved(picture, "JPEG", quality=80), odd)


def _pngs(picture: Image.Image, rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
  channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
  for colour, depths in ((0, (1, 2, 4, 8, 16)), (2, (8, 16)), (3, (1, 2, 4, 8)), (4, (8, 16)), (6, (8, 16))):
    for depth in depths:
      levels = rng.integers(0, 2**depth, (*_SIDES, channels[colour]))
      yield f"PNG {colour} {depth}", png(levels, depth, colour)
      clear = {0: b"\0\1", 2: bytes(6), 3: b"\0\x80\xff"}.get(colour)
      if clear:
        yield f"PNG {colour} {depth} tRNS", png(levels, depth, colour, before=chunk(b"tRNS", clear))
  beside = chunk(b"eXIf", _TURN) + chunk(b"gAMA", struct.pack(">L", 45455)) + chunk(b"tEXt", b"Comment\0text")
  yield "PNG beside", png(np.asarray(picture), 8, 2, before=beside, after=chunk(b"zTXt", b"Comment\0\0none"))
  yield "PNG profile", saved(picture, "PNG", icc_profile=rgb_profile(_P3, 2.2))
  yield "PNG animated", saved(picture, "PNG", save_all=True, append_images=[picture.rotate(180)])


def _webps(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
  clear = picture.copy()
  clear.putalpha(picture.convert("L"))
  for name, options in (("lossy", {"quality": 80}), ("lossless", {"lossless": True})):
    yield f"WEBP {name}", saved(picture, "WEBP", **options)
    yield f"WEBP {name} alpha", saved(clear, "WEBP", **options)
    yield f"WEBP {name} beside", saved(picture, "WEBP", exif=_TURN, icc_profile=rgb_profile(_P3, 2.2), **options)
  yield "WEBP animated", saved(picture, "WEBP", save_all=True, append_images=[picture.rotate(180)])


def _bmps(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
  for mode in ("1", "L", "P", "RGB"):
    yield f"BMP {mode}", saved(picture.convert(mode), "BMP")
    yield f"DIB {mode}", saved(picture.convert(mode), "DIB")
  height, width = _SIDES
  rows = np.zeros((height, width, 4), np.uint8)
  rows[..., :3] = np.asarray(picture)[::-1, :, ::-1]
  masks = {32: (0xFF0000, 0xFF00, 0xFF, 0xFF000000), 16: (0xF800, 0x7E0, 0x1F, 0)}
  for name, alpha in (("alpha 0", 0), ("alpha", 99)):
    rows[..., 3] = alpha
    yield f"BMP V4 {name}", bmp(rows.tobytes(), _SIDES, 32, 108, masks[32])
  padded = np.zeros((height, width + width % 2), "<u2")
  padded[:, :width] = rows[..., 2] >> 3 << 11
  yield "BMP 565", bmp(padded.tobytes(), _SIDES, 16, 124, masks[16])
  lines = b"".join(bytes([width, value]) + b"\0\0" for value in range(height)) + b"\0\1"
  yield "BMP RLE8", bmp(lines, _SIDES, 8, 40, None, palette=bytes(range(256)) * 4)


def _tiffs(picture: Image.Image, rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
  for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB"):
    for compression in (None, "tiff_lzw", "packbits", "tiff_adobe_deflate"):
      yield (
        f"TIFF {mode} {compression}",
        saved(
          picture.convert("RGB").convert(mode) if mode != "LAB" else Image.new(mode, (17, 23)),
          "TIFF",
          compression=compression,
        ),
      )
  for compression in ("group3", "group4"):
    yield f"TIFF 1 {compression}", saved(picture.convert("1"), "TIFF", compression=compression)
  yield "TIFF RGB jpeg", saved(picture, "TIFF", compression="jpeg")
  yield "TIFF profile", saved(picture, "TIFF", icc_profile=rgb_profile(_P3, 2.2), exif=Image.Exif())
  icc = ink_profile(rng.integers(0, 256, (2, 2, 2, 2, 3)))
  yield "TIFF ink", saved(picture.convert("CMYK"), "TIFF", icc_profile=icc)
  rgb = np.asarray(picture)
  for name, deep in _deepened(rgb).items():
    for form in ({}, {"compression": "zlib", "byteorder": ">"}, {"tile": (16, 16)}):
      label = f"TIFF {name} {' '.join(map(str, form.values()))}"
      yield f"{label} grey", tiff(deep[..., 0], photometric="minisblack", **form)
      yield f"{label} white", tiff(deep[..., 0], photometric="miniswhite", **form)
      yield f"{label} RGB", tiff(deep, photometric="rgb", **form)
      yield f"{label} planes", tiff(deep, photometric="rgb", planarconfig="separate", **form)
  yield "TIFF big", tiff(rgb, photometric="rgb", bigtiff=True)
  yield "TIFF pages", tiff(np.stack([rgb[..., 0], rgb[..., 1]]).astype(np.uint16) * 257, photometric="minisblack")
  turned = tiff(
    rgb.astype(np.uint16) * 257, photometric="rgb", extratags=[(274, "H", 1, 6, True), (281, "H", 1, 65535, True)]
  )
  yield "TIFF turned", turned


def _deepened(levels: np.ndarray) -> dict[str, np.ndarray]:
  whole = {"8": levels, "16": levels.astype(np.uint16) * 257, "12": levels.astype(np.uint16) * 16}
  return whole | {"int32": levels.astype(np.int32) * 256, "float": (levels / 255).astype(np.float32)}


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
  """The file after one stroke of fate, or two, or three."""
  for _ in range(rng.choice([1, 1, 1, 1, 2, 3])):
    content = _STROKES[rng.integers(len(_STROKES))](content, rng)
  return content


def _flip(content: bytes, rng: np.random.Generator) -> bytes:
  data = bytearray(content)
  for _ in range(rng.integers(1, 9)):
    if data:
      data[rng.integers(len(data))] ^= 1 << rng.integers(8)
  return bytes(data)


def _flip_early(content: bytes, rng: np.random.Generator) -> bytes:
  """In the header, where it tells most."""
  return _flip(content[:128], rng) + content[128:]


def _cut(content: bytes, rng: np.random.Generator) -> bytes:
  return content[: rng.integers(len(content) + 1)]


def _spans(content: bytes, rng: np.random.Generator) -> list[int]:
  """Four ascending places, between blocks of the file where it has such."""
  marks = [i for i in range(len(content) - 4) if _begins_block(content[i : i + 8])]
  places = marks if len(marks) > 4 and rng.random() < 0.7 else range(len(content) + 1)
  return sorted(int(places[i]) for i in rng.integers(len(places), size=4))


def _begins_block(head: bytes) -> bool:
  """Of JPEG (a marker), PNG (length and kind), RIFF (kind)."""
  name = head[4:8] if head[0] == 0 else head[:4]
  return (head[0] == 0xFF and head[1] >= 0xC0) or (len(name) == 4 and name.strip().isalnum() and name.isascii())


def _swap(content: bytes, rng: np.random.Generator) -> bytes:
  a, b, c, d = _spans(content, rng)
  return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def _double(content: bytes, rng: np.random.Generator) -> bytes:
  a, b, c, _ = _spans(content, rng)
  return content[:c] + content[a:b] + content[c:]


def _drop(content: bytes, rng: np.random.Generator) -> bytes:
  a, b, *_ = _spans(content, rng)
  return content[:a] + content[b:]


def _number(content: bytes, rng: np.random.Generator) -> bytes:
  """Another number of 1, 2, 4 or 8 bytes: a length, a size, an offset."""
  size, order = int(rng.choice([1, 2, 4, 8])), ("little", "big")[rng.integers(2)]
  place = int(rng.integers(min(len(content), 400) + 1)) if rng.random() < 0.7 else int(rng.integers(len(content) + 1))
  now = int.from_bytes(content[place : place + size], order)
  value = [0, 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), now + 1, now - 1, now * 2, int(rng.integers(2**16))]
  return content[:place] + (value[rng.integers(8)] % 2 ** (8 * size)).to_bytes(size, order) + content[place + size :]


_STROKES: list[Callable[[bytes, np.random.Generator], bytes]]
_STROKES = [_flip, _flip, _flip_early, _cut, _swap, _double, _drop, _number, _number]
