"""Files on which readers of pictures fail, with the levels that they should give."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageFile

from jaxdistort.data import BrokenPicture, read_picture

_CASES = Path(__file__).parent / "cases"


def _read(name):
  return np.asarray(read_picture(_CASES / name))


def _grey(levels):
  return np.broadcast_to(np.asarray(levels, np.uint8)[..., None], (*levels.shape, 3))


@pytest.mark.parametrize(
  "name", ["exif_srational_minus_one_over_zero", "exif_xresolution_ascii", "exif_orientation_as_byte"]
)
def test_senseless_exif_leaves_the_picture_and_its_orientation(name):
  with Image.open(_CASES / f"{name}.jpg") as stored:
    np.testing.assert_array_equal(_read(f"{name}.jpg"), np.rot90(np.asarray(stored), 3))


@pytest.mark.parametrize("name", ["png_ztxt_3mb", "png_text_wrong_crc", "png_gama_short"])
def test_odd_ancillary_chunks_leave_the_pixels(name, monkeypatch):
  monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
  with Image.open(_CASES / f"{name}.png") as lenient:
    expected = np.asarray(lenient.convert("RGB"))
  monkeypatch.undo()
  np.testing.assert_array_equal(_read(f"{name}.png"), expected)


def test_a_bitmap_whose_alpha_is_0_throughout_is_opaque():
  content = (_CASES / "bmp_v4_alpha_all_zero.bmp").read_bytes()
  begin, width, height = (int.from_bytes(content[place : place + 4], "little") for place in (10, 18, 22))
  rows = np.frombuffer(content, np.uint8, offset=begin).reshape(height, width, 4)
  assert not rows[..., 3].any()
  np.testing.assert_array_equal(_read("bmp_v4_alpha_all_zero.bmp"), rows[::-1, :, 2::-1])


def test_one_highlight_or_nan_does_not_darken_a_float_picture():
  for name in ("tiff_float_overshoot.tif", "tiff_float_one_nan.tif"):
    levels = np.clip(np.nan_to_num(tifffile.imread(_CASES / name), nan=0), 0, 1)
    assert levels.mean() > 0.4
    np.testing.assert_array_equal(_read(name), _grey((levels * 255).round()))


def test_twelve_bits_in_sixteen():
  levels = tifffile.imread(_CASES / "tiff_uint16_of_12_bits.tif")
  np.testing.assert_array_equal(_read("tiff_uint16_of_12_bits.tif"), _grey(levels // 16))


def test_a_range_that_nothing_tells_is_refused():
  with pytest.raises(BrokenPicture, match="levels up to 200 as int32, and nothing in the file says how many bits"):
    _read("tiff_int32_dark.tif")


def test_planes_of_sixteen_bits():
  levels = np.moveaxis(tifffile.imread(_CASES / "tiff_rgb16_planar.tif"), 0, -1)
  np.testing.assert_array_equal(_read("tiff_rgb16_planar.tif"), levels >> 8)
