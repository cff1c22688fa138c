"""Bitmaps: what their fourth byte means, and the fields of their headers."""

import io

import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import BrokenPicture, read_noting, read_picture
from tests.data.builders import bmp, rgb_profile

_SIZE = (7, 9)
_RGB = np.random.default_rng(4).integers(0, 256, (*_SIZE, 3), np.uint8)
_MASKS = {
  "BGRA": (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
  "RGBA": (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
  "ABGR": (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
  "no masks": (0, 0, 0, 0),
}


def _rows(alpha, order):
  channels = {"R": 0, "G": 1, "B": 2, "A": 3}
  whole = np.concatenate([_RGB, np.broadcast_to(np.uint8(alpha), (*_SIZE, 1))], -1)
  return whole[::-1, :, [channels[c] for c in ("BGRA" if order == "no masks" else order)]].tobytes()


@pytest.mark.parametrize("head", [108, 124])
@pytest.mark.parametrize("order", _MASKS)
def test_alpha_counts_unless_it_is_0_throughout(order, head):
  for file in (
    bmp(_rows(0, order), _SIZE, 32, head, _MASKS[order]),
    bmp(_rows(255, order), _SIZE, 32, head, _MASKS[order]),
  ):
    np.testing.assert_array_equal(np.asarray(read_picture(file)), _RGB)
    np.testing.assert_array_equal(np.asarray(read_picture(file[14:])), _RGB)  # a DIB
  alpha = np.zeros((*_SIZE, 1), np.uint8)
  alpha[2] = 255
  seen = read_picture(bmp(_rows(alpha, order), _SIZE, 32, head, _MASKS[order]))
  np.testing.assert_array_equal(np.asarray(seen), np.where(alpha, _RGB, 255))


def test_a_fourth_byte_without_a_mask_means_nothing():
  for masks in ((0xFF0000, 0xFF00, 0xFF, 0), None):
    file = bmp(_rows(7, "BGRA"), _SIZE, 32, 108, masks)
    if masks is None:
      file = file[:30] + bytes(4) + file[34:]  # not compressed
    np.testing.assert_array_equal(np.asarray(read_picture(file)), _RGB)


@pytest.mark.parametrize(
  ("masks", "bits"), [((0xF800, 0x7E0, 0x1F, 0), (5, 6, 5)), ((0x7C00, 0x3E0, 0x1F, 0x8000), (5, 5, 5))]
)
def test_sixteen_bits_a_pixel(masks, bits):
  levels = _RGB >> [8 - b for b in bits]
  packed = np.zeros((7, 10), "<u2")
  packed[:, :9] = (levels.astype(np.uint16) << [bits[1] + bits[2], bits[2], 0]).sum(-1)
  seen = np.asarray(read_picture(bmp(packed[::-1].tobytes(), _SIZE, 16, 108, masks)))
  np.testing.assert_allclose(seen, levels * 255 / (2 ** np.array(bits) - 1), atol=1)


def _rle(body, size=_SIZE, halves=False):
  palette = b"".join(bytes([i, i, i, 0]) for i in range(16 if halves else 256))
  content = bytearray(bmp(body, size, 4 if halves else 8, 40, None, palette))
  content[30:34] = bytes([2 if halves else 1, 0, 0, 0])
  content[46:50] = (16 if halves else 256).to_bytes(4, "little")
  return bytes(content)


@pytest.mark.parametrize("halves", [False, True])
def test_runs_are_unpacked_as_pillow_does(halves):
  rows = [
    bytes([9, 0x12, 0, 0]),
    bytes([4, 0x34, 5, 0x56, 0, 0]),
    bytes([0, 9]) + bytes(range(5 if halves else 9)) + bytes(1) + bytes([0, 0]),
    bytes([20, 0x78, 0, 0]),  # too long
    bytes([2, 0x9A, 0, 0]),  # too short
    bytes([3, 0xBC, 0, 2, 2, 1]),  # skips to the next row
    bytes([9, 0xDE, 9, 0xF1, 0, 1]),
  ]
  content = _rle(b"".join(rows), halves=halves)
  with Image.open(io.BytesIO(content)) as opened:
    expected = np.asarray(opened.convert("RGB"))
  np.testing.assert_array_equal(np.asarray(read_picture(content)), expected)
  assert len(np.unique(expected)) > 8
  with pytest.raises(BrokenPicture, match="truncated"):
    read_picture(_rle(b"".join(rows[:3]), halves=halves))


def test_runs_that_skip_millions_of_pixels_take_no_time():
  body = b"\x09\x40" + b"\0\0\x01\x07" * 300  # a byte in each of 300 rows of 9,000
  seen = np.asarray(read_picture(_rle(body, (300, 9_000))))
  assert seen[-1, :9].tolist() == [[0x40] * 3] * 9
  assert np.count_nonzero(seen[..., 0] == 7) == 299


def test_a_profile_in_the_header():
  linear = rgb_profile(np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]]), 1.0)
  file = bmp(_rows(255, "BGRA"), _SIZE, 32, 124, _MASKS["BGRA"], profile=linear)
  light = _RGB / 255
  expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
  for content in (file, file[14:]):
    np.testing.assert_allclose(np.asarray(read_picture(content), float), expected, atol=2)
  picture, _, remarks = read_noting(None, read_picture, file[:-9])
  assert remarks == "the colour profile cannot be used (it is damaged); the colours were taken as they are"
  np.testing.assert_array_equal(np.asarray(picture), _RGB)
