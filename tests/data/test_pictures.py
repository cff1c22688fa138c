"""Decoding: every kind of file that people have, and every way in which one is broken."""

import io
import os
import socket
import zlib

import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import (
  BrokenPicture,
  LoadPictures,
  open_pictures,
  pictures,
  random_view,
  read_or,
  read_picture,
  standardise,
)


@pytest.fixture(scope="module")
def photograph(photographs):
  return Image.fromarray(photographs[0])


def _saved(picture, kind, **options):
  file = io.BytesIO()
  picture.save(file, kind, **options)
  return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "JPEG"])
def test_kinds_of_files(photograph, kind):
  options = {"lossless": True} if kind == "WEBP" else {"quality": 98, "subsampling": 0} if kind == "JPEG" else {}
  result = read_picture(_saved(photograph, kind, **options))
  assert result.mode == "RGB"
  assert np.abs(np.asarray(result, int) - np.asarray(photograph)).max() <= (30 if kind == "JPEG" else 0)


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "PA"])
def test_modes_become_rgb(photograph, mode):
  result = read_picture(
    _saved(
      photograph.convert("L").convert(mode) if mode in ("LA", "PA") else photograph.convert(mode),
      "TIFF" if mode == "PA" else "PNG",
    )
  )
  assert result.mode == "RGB"
  assert result.size == photograph.size
  if mode != "1":
    grey = np.asarray(photograph.convert("L"), int)
    assert np.abs(np.asarray(result.convert("L"), int) - grey).mean() < 12


def test_cmyk_comes_back_near(photograph):
  result = read_picture(_saved(photograph.convert("CMYK"), "JPEG", quality=98))
  assert np.abs(np.asarray(result, int) - np.asarray(photograph)).mean() < 4


def test_sixteen_bits_keep_their_high_byte(photograph):
  grey = np.asarray(photograph.convert("L"))
  deep = Image.fromarray(grey.astype(np.uint16) * 257)
  for kind in ("PNG", "TIFF"):
    np.testing.assert_array_equal(np.asarray(read_picture(_saved(deep, kind)))[..., 0], grey)


def test_wide_levels(photograph):
  grey = np.asarray(photograph.convert("L"))
  for levels in (
    grey.astype(np.int32) * 257,
    grey.astype(np.float32),
    grey.astype(np.float32) / 255,
  ):
    np.testing.assert_allclose(np.asarray(read_picture(_saved(Image.fromarray(levels), "TIFF")))[..., 1], grey, atol=1)


def test_transparency_lies_over_white():
  layer = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
  assert read_picture(_saved(layer, "PNG")).getpixel((0, 0)) == (255, 255, 255)
  palette = Image.new("P", (4, 4), 0)
  palette.putpalette([10, 20, 30])
  assert read_picture(_saved(palette, "PNG", transparency=0)).getpixel((0, 0)) == (255, 255, 255)
  assert read_picture(_saved(palette, "PNG")).getpixel((0, 0)) == (10, 20, 30)


@pytest.mark.parametrize(("orientation", "turn"), [(3, 2), (6, 3), (8, 1)])
def test_exif_orientation_is_applied(photograph, orientation, turn):
  exif = Image.Exif()
  exif[0x0112] = orientation
  wide = photograph.crop((0, 0, 64, 30))
  result = read_picture(_saved(wide, "PNG", exif=exif))
  np.testing.assert_array_equal(np.asarray(result), np.rot90(np.asarray(wide), turn))


def _bomb():
  """A PNG of 20,000 x 20,000 pixels in a few bytes."""

  def chunk(kind, data):
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

  header = (20_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
  return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
  ("damage", "reason"),
  [
    (lambda png, jpg: png[: len(png) // 2], "truncated|broken"),
    (lambda png, jpg: jpg[: len(jpg) // 2], "truncated"),
    (lambda png, jpg: b"", "empty file"),
    (lambda png, jpg: b"GIF89a" + bytes(100), "not a picture"),
    (lambda png, jpg: b"just text", "not a picture"),
    (lambda png, jpg: _bomb(), "decompression bomb"),
    (lambda png, jpg: png[:60] + bytes(40) + png[100:], "."),
  ],
)
def test_broken_files_say_why(photograph, damage, reason):
  with pytest.raises(BrokenPicture, match=reason):
    read_picture(damage(_saved(photograph, "PNG"), _saved(photograph, "JPEG")))


def test_empty_and_missing_files(tmp_path):
  (tmp_path / "empty.png").touch()
  with pytest.raises(BrokenPicture, match="empty file"):
    read_picture(tmp_path / "empty.png")
  with pytest.raises(BrokenPicture, match="No such file"):
    read_picture(tmp_path / "missing.png")
  with pytest.raises(BrokenPicture, match="no plain file, but a folder"):
    read_picture(tmp_path)


def test_only_plain_files_are_opened(photograph, tmp_path, monkeypatch):
  os.mkfifo(tmp_path / "pipe.jpg")
  with socket.socket(socket.AF_UNIX) as listening:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    listening.bind("socket.jpg")
  (tmp_path / "device.jpg").symlink_to("/dev/zero")
  for name, kind in (("pipe", "named pipe"), ("socket", "socket"), ("device", "device")):
    (tmp_path / f"link to {name}.jpg").symlink_to(f"{name}.jpg")
    for file in (f"{name}.jpg", f"link to {name}.jpg"):
      with pytest.raises(BrokenPicture, match=f"no plain file, but a {kind}"):
        read_picture(tmp_path / file)
  photograph.save(tmp_path / "whole.png")
  (tmp_path / "link.jpg").symlink_to("whole.png")
  np.testing.assert_array_equal(np.asarray(read_picture(tmp_path / "link.jpg")), np.asarray(photograph))
  (tmp_path / "loop.jpg").symlink_to("loop.jpg")
  with pytest.raises(BrokenPicture, match="symbolic links"):
    read_picture(tmp_path / "loop.jpg")


def test_a_file_that_becomes_a_pipe_does_not_hang(photograph, tmp_path, monkeypatch):
  os.mkfifo(tmp_path / "pipe.jpg")
  photograph.save(tmp_path / "whole.png")
  plain = os.stat(tmp_path / "whole.png")
  monkeypatch.setattr(os, "stat", lambda *_, **__: plain)
  with pytest.raises(BrokenPicture, match="no plain file, but a named pipe"):
    read_picture(tmp_path / "pipe.jpg")


def test_no_source_hangs_at_a_pipe(photograph, tmp_path):
  photograph.save(tmp_path / "a.png")
  os.mkfifo(tmp_path / "b.png")
  pictures = open_pictures(f"folder:{tmp_path}", "all")
  loaded = LoadPictures(pictures, 16)(np.arange(2))
  (pipe,) = loaded.broken[loaded.broken >= 0].tolist()
  assert pictures.short_name(pipe) == "b.png"
  assert pictures.what_is_wrong(pipe, 16) == "no plain file, but a named pipe"


def test_colours_that_cannot_be_converted_are_the_file_s_fault(monkeypatch):
  content = _saved(Image.new("LAB", (4, 4)), "TIFF")
  monkeypatch.setattr(Image.Image, "convert", lambda *_: int("conversion not supported"))
  with pytest.raises(BrokenPicture, match="colours of the kind LAB cannot be converted"):
    read_picture(content)


def test_our_own_bugs_are_not_broken_pictures(photograph, monkeypatch):
  with pytest.raises(TypeError):
    read_picture(None)
  monkeypatch.setattr(pictures, "to_rgb", lambda picture: picture.no_such_thing)
  with pytest.raises(AttributeError, match="no_such_thing"):
    read_picture(_saved(photograph, "PNG"))


def test_read_or():
  assert read_or(None, int, "7") == (7, "")
  black = Image.new("RGB", (4, 4))
  image, reason = read_or(black, read_picture, b"x")
  assert image is black
  assert reason == "not a picture that can be identified"
  with pytest.raises(ValueError, match="invalid literal"):
    read_or(None, int, "x")


@pytest.mark.parametrize("size", [(64, 64), (64, 41), (33, 64), (50, 20)])
@pytest.mark.parametrize("side", [32, 48])
def test_standard_form_is_resize_then_central_crop(photograph, size, side):
  picture = photograph.crop((0, 0, *size))
  scale = side / min(size)
  scaled = picture.resize(
    (max(side, round(size[0] * scale)), max(side, round(size[1] * scale))), Image.Resampling.BICUBIC
  )
  left, top = (scaled.width - side) // 2, (scaled.height - side) // 2
  expected = np.asarray(scaled.crop((left, top, left + side, top + side)), int)
  result = standardise(picture, side)
  assert result.shape == (side, side, 3)
  np.testing.assert_array_equal(result, expected)


def test_random_views_differ_and_stay_inside(photograph):
  views = [random_view(photograph, 16, np.random.default_rng(i), smallest=20) for i in range(8)]
  assert all(v.shape == (16, 16, 3) for v in views)
  assert len({v.tobytes() for v in views}) == 8
  np.testing.assert_array_equal(random_view(photograph, 16, np.random.default_rng(3), smallest=20), views[3])
  assert random_view(photograph.crop((0, 0, 3, 1)), 16, np.random.default_rng(0), smallest=20).shape == (16, 16, 3)


def test_a_thin_strip_costs_only_its_centre():
  picture = Image.new("RGB", (60_000, 1), (9, 8, 7))
  assert np.all(standardise(picture, 224) == (9, 8, 7))  # the whole strip would take 9 GB
