"""Every container that people keep pictures in gives its pixels, and says what it lacks."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import read_picture
from jaxdistort.data.listing import list_pictures
from jaxdistort.errors import BrokenPicture
from tests.data.builders import saved

_LEVELS = np.kron(np.random.default_rng(1).integers(40, 216, (6, 8, 3), np.uint8), np.ones((8, 8, 1), np.uint8))
_PICTURE = Image.fromarray(_LEVELS)


def _off(content):
  """Levels by which a file's picture is off, on average."""
  return np.abs(np.asarray(read_picture(content), int) - _LEVELS).mean()


@pytest.mark.parametrize(
  ("kind", "options", "most"),
  [
    ("AVIF", {"quality": 95}, 6),
    ("JPEG2000", {}, 0),
    ("PPM", {}, 0),
    ("QOI", {}, 0),
    ("GIF", {}, 8),
  ],
)
def test_containers(kind, options, most):
  assert _off(saved(_PICTURE, kind, **options)) <= most


def test_grey_and_deep_ones():
  grey = _PICTURE.convert("L")
  for kind in ("PPM", "JPEG2000", "GIF"):
    np.testing.assert_array_equal(np.asarray(read_picture(saved(grey, kind)))[..., 0], np.asarray(grey))
  deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
  for kind in ("PPM", "JPEG2000"):
    np.testing.assert_allclose(np.asarray(read_picture(saved(deep, kind)), int)[..., 0], np.asarray(grey), atol=1)


def test_dark_deep_ones_keep_the_range_of_their_format():
  dark = Image.fromarray(np.full((40, 48), 3000, np.uint16))  # of 65535, not of 4095
  for kind in ("PNG", "PPM", "JPEG2000"):
    assert set(np.asarray(read_picture(saved(dark, kind))).ravel().tolist()) == {11}, kind


def test_a_raw_file_is_not_judged_by_its_stamp(monkeypatch, tmp_path):
  monkeypatch.setitem(sys.modules, "rawpy", None)
  stamp = io.BytesIO()
  _PICTURE.resize((16, 12)).save(stamp, "TIFF", tiffinfo={254: 1, 330: 8})
  dng = io.BytesIO()
  _PICTURE.resize((16, 12)).save(dng, "TIFF", tiffinfo={50706: b"\x01\x04\x00\x00"})
  for content in (stamp.getvalue(), dng.getvalue(), b"FUJIFILMCCD-RAW 0201", b"\0\0\0\x18ftypcrx \0\0\0\1"):
    (tmp_path / "upload").write_bytes(content)
    for file in (content, tmp_path / "upload"):
      with pytest.raises(BrokenPicture, match="raw file of a camera is read by rawpy"):
        read_picture(file)
  (tmp_path / "no.dng").write_bytes(saved(_PICTURE, "JPEG"))
  assert read_picture(tmp_path / "no.dng").size == _PICTURE.size
  assert read_picture(saved(_PICTURE, "TIFF")).size == _PICTURE.size


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
def test_of_an_animation_the_first_picture(kind):
  content = io.BytesIO()
  lossless = {"lossless": True} if kind == "WEBP" else {}
  _PICTURE.save(content, kind, save_all=True, append_images=[Image.new("RGB", _PICTURE.size)], **lossless)
  assert _off(content.getvalue()) < 8


def test_what_is_clear_in_a_gif_is_white():
  picture = Image.new("P", (40, 40), 1)
  picture.putpalette([0, 0, 0, 200, 10, 10])
  picture.paste(0, (0, 0, 20, 40))
  levels = np.asarray(read_picture(saved(picture, "GIF", transparency=0)))
  assert levels[0, 0].tolist() == [255, 255, 255]
  assert levels[0, 30].tolist() == [200, 10, 10]


def test_heic():
  pillow_heif = pytest.importorskip("pillow_heif")
  content = io.BytesIO()
  pillow_heif.from_pillow(_PICTURE).save(content, quality=95)
  assert _off(content.getvalue()) < 8
  with pytest.raises(BrokenPicture):
    read_picture(content.getvalue()[:200])


def test_packages_that_are_missing_are_named(monkeypatch, tmp_path):
  for package in ("pillow_heif", "rawpy"):
    monkeypatch.setitem(sys.modules, package, None)
  with pytest.raises(BrokenPicture, match=r"jaxdistort\[heif\]"):
    read_picture(b"\0\0\0\x18ftypheic" + bytes(40))
  (tmp_path / "a.NEF").write_bytes(b"II*\0" + bytes(40))
  with pytest.raises(BrokenPicture, match=r"jaxdistort\[raw\]"):
    read_picture(tmp_path / "a.NEF")
  assert list_pictures(str(tmp_path)).names == ["a.NEF"]


def test_raw_files_give_the_cameras_jpeg_or_their_pixels(monkeypatch, tmp_path):
  pytest.importorskip("rawpy")
  tifffile = pytest.importorskip("tifffile")
  tags = [(33421, 3, 2, (2, 2), False), (33422, 1, 4, bytes((0, 1, 1, 2)), False), (50706, 1, 4, (1, 4, 0, 0), False)]
  tags += [(50708, 2, 0, "camera", False), (50714, 4, 1, 0, False), (50717, 4, 1, 65535, False)]
  tags += [
    (50721, 10, 9, (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1), False),
    (50728, 5, 3, (1, 1) * 3, False),
  ]
  mosaic = np.full((64, 96), 16384, np.uint16)
  tifffile.imwrite(tmp_path / "a.dng", mosaic, photometric=32803, extratags=tags, metadata=None)
  picture = read_picture(tmp_path / "a.dng")
  assert picture.size == (96, 64)
  levels = np.asarray(picture)[8:-8, 8:-8]
  assert levels.std() < 1  # even, as it was
  (tmp_path / "b.dng").write_bytes(b"II*\0" + bytes(100))
  with pytest.raises(BrokenPicture):
    read_picture(tmp_path / "b.dng")
