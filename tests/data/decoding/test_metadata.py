"""What lies beside the pixels: used where it makes sense, and never a reason to refuse a good picture."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from jaxdistort.data import BrokenPicture, read_noting, read_picture
from jaxdistort.data.decoding.orientation import upright
from tests.data.builders import PNG, chunk, exif, png, saved, segment, tiff, with_entry, with_segments

_PICTURE = Image.fromarray(np.random.default_rng(5).integers(0, 256, (5, 8, 3), np.uint8)).resize((48, 30))
_JPEG = saved(_PICTURE, "JPEG", quality=95)
_LEVELS = np.asarray(_PICTURE)
_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _SIGNED = 1, 2, 3, 4, 5, 10


def _turned(orientation, picture=None):
  with Image.open(io.BytesIO(_JPEG)) as stored:
    return np.asarray(upright(stored if picture is None else picture, orientation))


def _app1(block):
  return segment(0xE1, b"Exif\0\0" + block)


def _orientation(order, kind, value, count=1):
  width = {_BYTE: "B", 6: "b", 7: "B", _SHORT: "H", 8: "h", _LONG: "L", 9: "l"}[kind]
  return exif((0x112, kind, count, struct.pack(order + width, value).ljust(4, b"\0")), order=order)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [_BYTE, _SHORT, _LONG, 6, 7, 8, 9])
def test_orientation_in_any_type(kind, order):
  for value in range(1, 9):
    jpeg = with_segments(_JPEG, _app1(_orientation(order, kind, value)))
    np.testing.assert_array_equal(np.asarray(read_picture(jpeg)), _turned(value))


@pytest.mark.parametrize(
  "block",
  [
    _orientation("<", _SHORT, 0),
    _orientation("<", _SHORT, 9),
    _orientation(">", _LONG, 2**31),
    exif((0x112, _ASCII, 2, b"6\0\0\0")),
    exif((0x112, _RATIONAL, 1, b"\xff\xff\0\0")),
    b"",
    b"II",
    b"II*\0\xff\xff\xff\xff",
    b"II*\0\x08\0\0\0\xff\xff",
    b"MM\0*\0\0\0\x08\0\x01",
    b"nonsense of no known kind",
  ],
)
def test_an_orientation_without_sense_leaves_the_picture_as_it_is(block):
  np.testing.assert_array_equal(np.asarray(read_picture(with_segments(_JPEG, _app1(block)))), _turned(1))


@pytest.mark.parametrize("count", [0, 2, 3, 2**32 - 1])
def test_an_orientation_with_a_wrong_count(count):
  jpeg = with_segments(_JPEG, _app1(_orientation("<", _SHORT, 6, count)))
  np.testing.assert_array_equal(np.asarray(read_picture(jpeg)), _turned(6))


@pytest.mark.parametrize(
  "entry",
  [
    (0x11A, _SIGNED, 1, struct.pack("<L", 200)),  # beyond the end
    (0x11A, _SIGNED, 1, struct.pack("<L", 0)),
    (0x11A, _ASCII, 4, b"72\0\0"),
    (0x128, _RATIONAL, 2**31, b"\xff\xff\xff\xff"),
    (0x8769, _SHORT, 1, b"\xff\xff\0\0"),
    (0x8769, _LONG, 1, b"\xff\xff\xff\xff"),
    (0x8825, _ASCII, 4, b"here"),
    (0x132, 99, 7, b"\0\0\0\0"),
    (0x13B, 0, 0, b"\0\0\0\0"),
  ],
)
def test_senseless_entries_beside_an_orientation(entry):
  block = exif((0x112, _SHORT, 1, b"\x06\0\0\0"), entry)
  jpeg = with_segments(_JPEG, _app1(block))
  np.testing.assert_array_equal(np.asarray(read_picture(jpeg)), _turned(6))
  in_png = png(_LEVELS, 8, 2, before=chunk(b"eXIf", block))
  np.testing.assert_array_equal(np.asarray(read_picture(in_png)), _turned(6, _PICTURE))
  in_webp = saved(_PICTURE, "WEBP", lossless=True, exif=block)
  np.testing.assert_array_equal(np.asarray(read_picture(in_webp)), _turned(6, _PICTURE))
  in_tiff = with_entry(with_entry(tiff(_LEVELS, photometric="rgb"), 0x112, _SHORT, 1, b"\x06\0\0\0"), *entry)
  np.testing.assert_array_equal(np.asarray(read_picture(in_tiff)), _turned(6, _PICTURE))


@pytest.mark.parametrize("kind", [_BYTE, _LONG, _SHORT])
def test_orientation_of_tiff_in_any_type(kind):
  content = with_entry(tiff(_LEVELS, photometric="rgb"), 0x112, kind, 1, b"\x06\0\0\0")
  np.testing.assert_array_equal(np.asarray(read_picture(content)), _turned(6, _PICTURE))


def test_orientation_in_xmp_and_in_a_text():
  xmp = b"http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation='1' " + b'tiff:Orientation="6"/>'
  np.testing.assert_array_equal(np.asarray(read_picture(with_segments(_JPEG, segment(0xE1, xmp)))), _turned(6))
  block = b"Exif\0\0" + _orientation("<", _SHORT, 6)
  for text, orientation in ((f"\nexif\n{len(block)}\n{block.hex()}\n", 6), ("\nexif\n8\nnot hexadecimal\n", 1)):
    content = png(_LEVELS, 8, 2, before=chunk(b"tEXt", b"Raw profile type exif\0" + text.encode()))
    np.testing.assert_array_equal(np.asarray(read_picture(content)), _turned(orientation, _PICTURE))


_ODD_SEGMENTS = {
  "short JFIF": segment(0xE0, b"JFIF\0"),
  "long JFIF": segment(0xE0, b"JFIF\0\1\2\1\0\1\0\1\1\1"),
  "short Adobe": segment(0xEE, b"Adobe"),
  "short profile": segment(0xE2, b"ICC_PROFILE\0"),
  "MPF that is none": segment(0xE2, b"MPF\0" + b"II*\0\x08\0\0\0\xff\xff"),
  "MPF of two": segment(0xE2, b"MPF\0" + exif((0xB001, _LONG, 1, b"\2\0\0\0"), (0xB002, 7, 32, b"\0\0\0\0"))),
  "Photoshop": segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed"),
  "comment": segment(0xFE, b"\xff\xd9" * 50),
  "empty": b"\xff\xfe\0\2\xff\xe5\0\2",
}


@pytest.mark.parametrize("name", _ODD_SEGMENTS)
def test_odd_segments(name):
  turned = _app1(_orientation("<", _SHORT, 6))
  for jpeg in (with_segments(_JPEG, turned, _ODD_SEGMENTS[name]), with_segments(_JPEG, _ODD_SEGMENTS[name], turned)):
    np.testing.assert_array_equal(np.asarray(read_noting(None, read_picture, jpeg)[0]), _turned(6))


def test_colours_are_those_that_adobe_says_without_the_other_segments():
  cmyk = saved(_PICTURE.convert("CMYK"), "JPEG", quality=95)
  (place,) = [i for i in range(len(cmyk)) if cmyk[i : i + 2] == b"\xff\xee"]
  odd = cmyk[:place] + _ODD_SEGMENTS["short profile"] + cmyk[place:]
  picture, _, remarks = read_noting(None, read_picture, odd)
  np.testing.assert_array_equal(np.asarray(picture), np.asarray(read_picture(cmyk)))
  assert remarks == "the colour profile cannot be used (it is damaged); the colours were taken as they are"


_BIG_TEXT = zlib.compress(b"x" * 3_000_000)
_ODD_CHUNKS = {
  "3 MB of zTXt": chunk(b"zTXt", b"Comment\0\0" + _BIG_TEXT),
  "3 MB of iTXt": chunk(b"iTXt", b"Comment\0\1\0\0\0" + _BIG_TEXT),
  "3 MB of tEXt": chunk(b"tEXt", b"Comment\0" + b"x" * 3_000_000),
  "70 MB of text": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 1_000_000)) * 70,
  "unknown compression": chunk(b"zTXt", b"Comment\0\7abc"),
  "a profile of unknown compression": chunk(b"iCCP", b"name\0\7abc"),
  "a profile of one byte": chunk(b"iCCP", b"x"),
  "short gAMA": chunk(b"gAMA", b"\0\1"),
  "short cHRM": chunk(b"cHRM", b"\0\1"),
  "short sRGB": chunk(b"sRGB", b""),
  "short pHYs": chunk(b"pHYs", b"\0\1"),
  "short acTL": chunk(b"acTL", b"\0\1"),
  "short fcTL": chunk(b"fcTL", b"\0\1"),
  "acTL of nothing": chunk(b"acTL", bytes(8)),
  "tIME of nothing": chunk(b"tIME", b""),
  "unknown": chunk(b"quUx", b"\xff" * 100),
  **{
    f"{kind} with a wrong checksum": chunk(kind.encode(), b"\0\0\0\1", 1)
    for kind in ("gAMA", "tEXt", "tIME", "sBIT", "quUx")
  },
  **{
    f"a text of the name {name}": chunk(b"tEXt", name.encode() + b"\0nonsense")
    for name in ("transparency", "icc_profile", "interlace", "bbox", "gamma", "default_image", "xmp")
  },
}


@pytest.mark.parametrize("name", _ODD_CHUNKS)
def test_odd_chunks_of_png(name):
  turn = chunk(b"eXIf", _orientation("<", _SHORT, 6), 0 if "fcTL" in name else None)
  for content in (
    png(_LEVELS, 8, 2, before=_ODD_CHUNKS[name] + turn),
    png(_LEVELS, 8, 2, before=turn, after=_ODD_CHUNKS[name]),
  ):
    np.testing.assert_array_equal(np.asarray(read_noting(None, read_picture, content)[0]), _turned(6, _PICTURE))


def test_chunks_behind_the_pixels_may_be_cut():
  content = png(_LEVELS, 8, 2, after=chunk(b"tEXt", b"Comment\0" + b"x" * 100))
  for end in (-1, -12, -30, -110):
    np.testing.assert_array_equal(np.asarray(read_picture(content[:end])), _LEVELS)


def test_transparency_with_a_wrong_checksum_counts():
  content = png(_LEVELS, 8, 2, before=chunk(b"tRNS", struct.pack(">3H", *_LEVELS[3, 4]), 1))
  expected = np.where((_LEVELS[3, 4] == _LEVELS).all(-1, keepdims=True), 255, _LEVELS)
  np.testing.assert_array_equal(np.asarray(read_picture(content)), expected)


def test_odd_chunks_of_webp():
  plain = saved(_PICTURE, "WEBP", lossless=True, exif=_orientation("<", _SHORT, 6), xmp=b"x" * 50)
  for content in (plain[:-20], plain.replace(b"EXIF", b"QQQQ", 1)[:-1]):
    orientation = 6 if b"EXIF" in content else 1
    np.testing.assert_array_equal(np.asarray(read_picture(content)), _turned(orientation, _PICTURE))


@pytest.mark.parametrize(
  "entry",
  [
    (282, _ASCII, 4, b"72\0\0"),
    (296, _ASCII, 4, b"inch"),
    (700, _SHORT, 1, b"\1\0\0\0"),
    (34675, _SHORT, 1, b"\1\0\0\0"),
    (34675, 7, 2**31, b"\1\0\0\0"),
    (33723, _LONG, 2**31, b"\xff\xff\xff\xff"),
  ],
)
def test_odd_entries_of_tiff(entry):
  for levels in (_LEVELS, _LEVELS.astype(np.uint16) * 257):
    picture, reason, _ = read_noting(None, read_picture, with_entry(tiff(levels, photometric="rgb"), *entry))
    assert reason == ""
    np.testing.assert_array_equal(np.asarray(picture), _LEVELS)


def test_damage_to_the_pixels_stays_damage():
  whole = png(_LEVELS, 8, 2)
  place = whole.index(b"IDAT") + 4
  size = int.from_bytes(whole[place - 8 : place - 4], "big")
  for content in (whole[: place + size // 2], whole[: place + 10] + b"\xff\xff\xff" + whole[place + 13 :]):
    for odd in (b"", _ODD_CHUNKS["short gAMA"], _ODD_CHUNKS["3 MB of zTXt"]):
      with pytest.raises(BrokenPicture):
        read_picture(content[:33] + odd + content[33:])
  with pytest.raises(BrokenPicture, match="truncated"):
    read_picture(with_segments(_JPEG, _ODD_SEGMENTS["short JFIF"])[:-200])
  head = chunk(b"IHDR", struct.pack(">LLBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0))
  bomb = PNG + head + _ODD_CHUNKS["short gAMA"] + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
  with pytest.raises(BrokenPicture, match="decompression bomb"):
    read_picture(bomb)


def test_depths_and_colours_of_png_are_whole():
  rng = np.random.default_rng(0)
  for depth in (1, 2, 4, 8, 16):
    levels = rng.integers(0, 2**depth, (9, 13))
    expected = (levels >> 8 if depth == 16 else levels * (255 // (2**depth - 1)))[..., None]
    for content in (png(levels, depth, 0), png(levels, depth, 0, before=chunk(b"sBIT", b"\1"))):
      np.testing.assert_array_equal(np.asarray(read_picture(content)), np.broadcast_to(expected, (9, 13, 3)))
    clear = png(levels, depth, 0, before=chunk(b"tRNS", struct.pack(">H", levels[2, 3])))
    over_white = np.where(levels[..., None] == levels[2, 3], 255, expected)
    np.testing.assert_array_equal(np.asarray(read_picture(clear)), np.broadcast_to(over_white, (9, 13, 3)))
  levels = rng.integers(0, 2**16, (9, 13, 3))
  levels[4] = levels[2, 3] + [[1, 0, 0]]  # other colours with the same high bytes
  for content, seen in (
    (png(levels, 16, 2), levels >> 8),
    (
      png(levels, 16, 2, before=chunk(b"tRNS", struct.pack(">3H", *levels[2, 3]))),
      np.where((levels == levels[2, 3]).all(-1, keepdims=True), 255, levels >> 8),
    ),
  ):
    np.testing.assert_array_equal(np.asarray(read_picture(content)), seen)


def test_limits_of_texts_are_pillow_s_own():
  assert PngImagePlugin.MAX_TEXT_CHUNK == 2**20  # what the cases above go beyond
