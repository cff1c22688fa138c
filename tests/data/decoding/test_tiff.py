"""Levels of TIFF: of any depth, form and arrangement, by what the tags say or by the stated rules."""

import struct
import sys

import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import BrokenPicture, read_picture, to_rgb
from tests.data.builders import saved, tiff, with_entry

_RNG = np.random.default_rng(3)
GREY = np.append(_RNG.integers(0, 255, 39 * 30), [255] * 30).astype(np.uint8).reshape(40, 30)
RGB = np.append(_RNG.integers(0, 255, (39 * 30, 3)), np.full((30, 3), 255), axis=0).astype(np.uint8).reshape(40, 30, 3)
ALPHA = _RNG.integers(1, 256, (40, 30, 1), np.uint8)
_DEPTHS = {
  "16 bits": lambda x: x.astype(np.uint16) * 257,
  "12 bits in 16": lambda x: x.astype(np.uint16) * 16 + 7,
  "15 bits with a sign": lambda x: x.astype(np.int16) << 7,
  "16 bits in 32": lambda x: x.astype(np.uint32) << 8,
  "16 bits in 32 with a sign": lambda x: x.astype(np.int32) << 8,
  "halves": lambda x: (x / 255).astype(np.float16),
  "floats": lambda x: (x / 255).astype(np.float32),
  "doubles": lambda x: (x / 255).astype(np.float64),
  "floats of 8 bits": lambda x: x.astype(np.float32),
}
_FORMS = [
  {},
  {"compression": "zlib"},
  {"compression": "zlib", "tile": (16, 16), "byteorder": ">"},
  {"rowsperstrip": 7, "byteorder": ">"},
  {"bigtiff": True},
]


def _assert_reads(content, expected, atol=0):
  expected = np.broadcast_to(expected if expected.ndim == 3 else expected[..., None], (40, 30, 3))
  np.testing.assert_allclose(np.asarray(read_picture(content), int), expected, atol=atol, rtol=0)


@pytest.mark.parametrize("form", _FORMS, ids=str)
@pytest.mark.parametrize("depth", _DEPTHS)
def test_grey_of_any_depth(depth, form):
  levels = _DEPTHS[depth](GREY)
  _assert_reads(tiff(levels, photometric="minisblack", **form), GREY)
  if depth != "floats of 8 bits":
    white = {"12 bits in 16": 4095, "16 bits": 65535, "15 bits with a sign": 32767}.get(
      depth, 1 if levels.dtype.kind == "f" else 65535
    )
    _assert_reads(tiff((white - levels).astype(levels.dtype), photometric="miniswhite", **form), GREY, atol=1)


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("form", _FORMS, ids=str)
@pytest.mark.parametrize("depth", ["16 bits", "12 bits in 16", "floats", "16 bits in 32"])
def test_colours_of_any_depth(depth, form, planes):
  deepen, options = _DEPTHS[depth], {"planarconfig": planes, **form}
  _assert_reads(tiff(deepen(RGB), photometric="rgb", **options), RGB)
  with_extra = np.concatenate([RGB, ALPHA], -1)
  unknown = tiff(deepen(with_extra), photometric="rgb", extrasamples=("unspecified",), **options)
  _assert_reads(unknown, RGB)
  ink = np.concatenate([255 - RGB, np.zeros_like(ALPHA)], -1)
  ink[0, 0] = 255
  _assert_reads(tiff(deepen(ink), photometric="separated", **options), np.where(ink[..., 3:] == 255, 0, RGB), atol=1)


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("deepen", [lambda x: x, _DEPTHS["16 bits"], _DEPTHS["floats"]], ids=["8", "16", "float"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_transparency_of_any_depth(planes, deepen, compression):
  options, share = {"planarconfig": planes, "compression": compression}, ALPHA / 255
  for colours, kind in ((RGB, "rgb"), (GREY[..., None], "minisblack")):
    over_white = colours * share + 255 - ALPHA
    plain = tiff(
      deepen(np.concatenate([colours, ALPHA], -1)), photometric=kind, extrasamples=("unassalpha",), **options
    )
    _assert_reads(plain, over_white, atol=1)
    ready = (colours * share).round().astype(np.uint8)
    ready = tiff(deepen(np.concatenate([ready, ALPHA], -1)), photometric=kind, extrasamples=("assocalpha",), **options)
    _assert_reads(ready, over_white, atol=2)


def test_alpha_that_no_tag_calls_so_and_is_0_throughout_is_none():
  for deepen in (lambda x: x, _DEPTHS["16 bits"]):
    whole = tiff(
      deepen(np.concatenate([RGB, np.zeros_like(ALPHA)], -1)), photometric="rgb", extrasamples=("unassalpha",)
    )
    _assert_reads(whole, np.full_like(RGB, 255))
    _assert_reads(_without(whole, 338), RGB)


def _without(content, tag):
  """Without an entry of its first directory: it gets a private number."""
  (start,) = struct.unpack_from("<L", content, 4)
  place = content.index(struct.pack("<H", tag), start + 2)
  return content[:place] + struct.pack("<H", 65000) + content[place + 2 :]


@pytest.mark.parametrize("tag", [281, 341])
@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
def test_a_largest_value_tells_the_bits(tag, bits):
  dark = GREY.astype(np.uint16) // 4 << bits - 8
  content = tiff(dark, photometric="minisblack")
  _assert_reads(with_entry(content, tag, 3, 1, struct.pack("<HH", 2**bits - 1, 0)), GREY // 4)


def test_a_largest_value_of_the_pixels_alone_tells_nothing():
  dark = tiff(GREY.astype(np.uint16), photometric="minisblack")
  for said in (254, 200, 300):  # 200: less than there is
    with pytest.raises(BrokenPicture, match="levels up to 255 as uint16, and nothing in the file says"):
      read_picture(with_entry(dark, 281, 3, 1, struct.pack("<HH", said, 0)))
  floats = tiff(GREY.astype(np.float32) * 257, photometric="minisblack")
  _assert_reads(with_entry(floats, 341, 11, 1, struct.pack("<f", 65535)), GREY)


@pytest.mark.parametrize("order", ["<", ">"])
def test_twelve_bits_packed(order):
  levels = GREY.astype(np.uint16) * 16 + 3
  bits = np.unpackbits(levels.astype(">u2").view(np.uint8).reshape(40, 30, 2), axis=-1)[..., 4:]
  packed = np.packbits(bits.reshape(40, -1), axis=-1).tobytes()
  entries = {256: 30, 257: 40, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 40, 279: len(packed)}
  table = b"".join(struct.pack("<HHLL", tag, 4 if tag in (273, 279) else 3, 1, value) for tag, value in entries.items())
  content = b"II*\0" + struct.pack("<L", 8 + len(packed)) + packed + struct.pack("<H", len(entries)) + table + bytes(4)
  if order == "<":
    _assert_reads(content, GREY)
  else:  # ten bits, which nothing here unpacks
    with pytest.raises(BrokenPicture, match=r"."):
      read_picture(content.replace(struct.pack("<HHLL", 258, 3, 1, 12), struct.pack("<HHLL", 258, 3, 1, 10)))


@pytest.mark.parametrize(
  ("levels", "reason"),
  [
    (GREY.astype(np.uint16), "levels up to 255 as uint16"),
    (GREY.astype(np.uint16) * 4, "levels up to 1020 as uint16"),
    (GREY.astype(np.uint16) * 64 // 2, "levels up to 8160 as uint16"),
    (GREY.astype(np.uint32) * 2**20, "levels up to 267386880 as uint32"),
    (GREY.astype(np.int16) - 5, "levels from -5 to 250"),
    (GREY.view(np.int8), "levels from -128 to 127"),
    (GREY.astype(np.float32) * 100, "levels from 0 to 2.55e.04 as float32"),
    (GREY.astype(np.float32) / 25, "levels from 0 to 10.2"),
    (np.where(GREY < 20, np.nan, GREY / np.float32(255)), "more than 1 %"),
  ],
)
def test_ranges_that_cannot_be_known_are_refused(levels, reason):
  for form in ({}, {"compression": "zlib"}):
    with pytest.raises(BrokenPicture, match=reason):
      read_picture(tiff(levels, photometric="minisblack", **form))
  with pytest.raises(BrokenPicture, match=reason):
    read_picture(tiff(np.stack([levels] * 3, -1), photometric="rgb"))


def test_nothing_but_0_is_black_and_floats_are_cut():
  _assert_reads(tiff(np.zeros((40, 30), np.uint16), photometric="minisblack"), 0 * GREY)
  _assert_reads(tiff(np.zeros((40, 30), np.int32), photometric="miniswhite"), 0 * GREY + 255)
  odd, expected = (GREY / 255).astype(np.float32), GREY.copy()
  for place, (value, level) in enumerate([(np.nan, 0), (np.inf, 255), (-np.inf, 0), (40, 255), (-40, 0)]):
    odd.flat[2 * place], expected.flat[2 * place] = value, level
  _assert_reads(tiff(odd, photometric="minisblack"), expected)
  _assert_reads(tiff(odd * 255, photometric="minisblack"), expected)
  overshoot = (GREY / 255 * 1.06 - 0.03).astype(np.float32)  # 3 % of the levels on either side
  _assert_reads(tiff(overshoot, photometric="minisblack"), (np.clip(overshoot, 0, 1) * 255).round())


def test_palettes_and_bilevel_pictures():
  ramp = np.tile(np.arange(256, dtype=np.uint16), (3, 1))
  for form in _FORMS:
    for colours in (ramp * 257, ramp):  # 16 bits, and 8 as some write them
      _assert_reads(tiff(GREY, photometric="palette", colormap=colours, **form), GREY)
    _assert_reads(tiff(GREY > 99, photometric="minisblack", **form), (GREY > 99) * 255)
    _assert_reads(tiff(GREY > 99, photometric="miniswhite", **form), (GREY <= 99) * 255)
    _assert_reads(tiff(255 - GREY, photometric="miniswhite", **form), GREY)
  for compression in ("group3", "group4", "packbits", "tiff_lzw"):
    _assert_reads(saved(Image.fromarray(GREY > 99), "TIFF", compression=compression), (GREY > 99) * 255)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "zstd", "lzma"])
def test_what_only_libtiff_unpacks(compression):
  for deepen in (_DEPTHS["16 bits"], _DEPTHS["16 bits in 32 with a sign"], _DEPTHS["floats"]):
    _assert_reads(saved(Image.fromarray(deepen(GREY)), "TIFF", compression=compression), GREY)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_pictures_are_turned(orientation):
  plain = np.asarray(
    read_picture(with_entry(tiff(GREY, photometric="minisblack"), 274, 3, 1, bytes([orientation, 0, 0, 0])))
  )
  for deepen in (_DEPTHS["16 bits"], _DEPTHS["floats"], _DEPTHS["doubles"]):
    deep = with_entry(tiff(deepen(GREY), photometric="minisblack"), 274, 3, 1, bytes([orientation, 0, 0, 0]))
    np.testing.assert_array_equal(np.asarray(read_picture(deep)), plain)
  assert plain.shape[:2] == ((40, 30) if orientation < 5 else (30, 40))


def test_the_first_of_several_pages_counts():
  for deepen in (lambda x: x, _DEPTHS["16 bits"], _DEPTHS["doubles"]):
    _assert_reads(tiff(deepen(np.stack([GREY, 255 - GREY])), photometric="minisblack"), GREY)


def test_what_cannot_be_read_right_is_refused(monkeypatch):
  cut = tiff(_DEPTHS["doubles"](GREY), photometric="minisblack", rowsperstrip=10)[:-2000]
  with pytest.raises(BrokenPicture, match=r"missing|read|fail|corrupt"):
    read_picture(cut)
  with pytest.raises(BrokenPicture, match="photometric interpretation 6 cannot be read"):
    read_picture(tiff(_DEPTHS["floats"](RGB), photometric="ycbcr"))
  monkeypatch.setitem(sys.modules, "tifffile", None)
  planes = tiff(_DEPTHS["16 bits"](RGB), photometric="rgb", planarconfig="separate")
  with pytest.raises(BrokenPicture, match="read by tifffile, which is not installed"):
    read_picture(planes)
  _assert_reads(tiff(_DEPTHS["16 bits"](RGB), photometric="rgb"), RGB)


def test_pictures_in_memory_follow_the_same_rules():
  for deepen in (_DEPTHS["16 bits"], _DEPTHS["12 bits in 16"], _DEPTHS["floats"]):
    np.testing.assert_array_equal(np.asarray(to_rgb(Image.fromarray(deepen(GREY))))[..., 0], GREY)
  with pytest.raises(BrokenPicture, match="levels up to 255"):
    to_rgb(Image.fromarray(GREY.astype(np.int32)))
