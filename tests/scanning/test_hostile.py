"""Whatever lies in a folder: each file is a row with a right answer or one clear line, and the scan goes on."""

import io
import json
import os
import socket
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import PictureWarning
from jaxdistort.scanning import scan
from tests.data.builders import chunk, png, saved, tiff
from tests.inference.recognisers import small_recogniser

_LEVELS = np.kron(np.random.default_rng(3).integers(0, 256, (12, 15, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
_PICTURE = Image.fromarray(_LEVELS)
_JPEG, _PNG = saved(_PICTURE, "JPEG"), saved(_PICTURE, "PNG")
_ZIP = io.BytesIO()
with zipfile.ZipFile(_ZIP, "w") as _archive:
  _archive.writestr("a.txt", "hello")


def _header(width, height, bits=8, colour=2):
  return chunk(b"IHDR", struct.pack(">2I5B", width, height, bits, colour, 0, 0, 0))


_SIGNATURE, _END = b"\x89PNG\r\n\x1a\n", chunk(b"IEND", b"")

_REFUSED = {
  **{f"cut_{eighth}.jpg": _JPEG[: len(_JPEG) * eighth // 8] for eighth in range(1, 8)},
  **{f"cut_{eighth}.png": _PNG[: len(_PNG) * eighth // 8] for eighth in (1, 4, 7)},
  "empty.jpg": b"",
  "bomb.png": _SIGNATURE + _header(60_000, 60_000) + chunk(b"IDAT", zlib.compress(bytes(10_000))) + _END,
  "bomb.ppm": b"P6 60000 60000 255\n" + bytes(100),
  "bomb.gif": b"GIF89a" + struct.pack("<2H", 65535, 65535) + bytes(20),
  "no_size.png": _SIGNATURE + _header(0, 10) + chunk(b"IDAT", zlib.compress(b"")) + _END,
  "no_pixels.png": _SIGNATURE + _header(10, 10) + _END,
  "vector.svg.png": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
  "page.jpg": b"<!doctype html><script>alert(1)</script>",
  "notes.tif": b"dear diary\n" * 100,
  "program.bmp": b"MZ" + bytes(1000),
  "script.png": b"#!/bin/sh\nrm -rf ~\n",
  "archive.webp": _ZIP.getvalue(),
  "paper.pgm": b"%PDF-1.7\n" + bytes(100),
  "film.heic": b"\0\0\0\x18ftypmp42" + bytes(100),
  "postscript.gif": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
  "circle.tif": b"II*\0\x08\0\0\0" + struct.pack("<H", 0) + struct.pack("<I", 8),
  "zeros.jpg": bytes(5000),
}
_READ = {
  "whole.jpg": _JPEG,
  "png_in_truth.jpg": _PNG,
  "jpeg_in_truth.png": _JPEG,
  "dot.png": saved(Image.new("RGB", (1, 1)), "PNG"),
  "strip.png": saved(Image.new("RGB", (30_000, 10), "red"), "PNG"),
  "cmyk_broken_profile.jpg": saved(_PICTURE.convert("CMYK"), "JPEG", icc_profile=b"no profile"),
  "deep.png": png(_LEVELS.astype(np.uint16) * 257, 16, 2),
  "float.tif": tiff(_LEVELS.astype(np.float32) / 255, photometric="rgb"),
  "palette.png": saved(_PICTURE.convert("P"), "PNG", transparency=3),
  "huge_exif.jpg": saved(_PICTURE, "JPEG", exif=b"Exif\0\0" + bytes(60_000)),
  "with_a_zip.jpg": _JPEG + _ZIP.getvalue(),
  "black.png": saved(Image.new("L", (64, 64)), "PNG"),
  "one_bit.tif": saved(_PICTURE.convert("1"), "TIFF"),
}


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::jaxdistort.data.PictureWarning")
def test_each_is_a_row_and_the_scan_goes_on(tmp_path):
  assert issubclass(PictureWarning, UserWarning)
  folder = tmp_path / "pictures"
  folder.mkdir()
  for name, content in (_REFUSED | _READ).items():
    (folder / name).write_bytes(content)
  os.mkfifo(folder / "pipe.jpg")
  (folder / "circle.jpg").symlink_to("circle.jpg")
  (folder / "nowhere.jpg").symlink_to("gone.jpg")
  (folder / "folder.jpg").mkdir()
  (folder / "again").symlink_to(folder)
  (folder / "._whole.jpg").write_bytes(b"\0\5\x16\7" + bytes(100))
  with socket.socket(socket.AF_UNIX) as own:
    here = os.getcwd()
    os.chdir(folder)  # its path may be too long for a socket
    try:
      own.bind("socket.jpg")
    finally:
      os.chdir(here)
    done = scan(small_recogniser(tmp_path), folder, tmp_path / "answers.jsonl", workers=2)
  rows = {row["path"]: row for row in map(json.loads, (tmp_path / "answers.jsonl").read_text().splitlines())}
  refused = {*_REFUSED, "pipe.jpg", "socket.jpg"}
  gone = {"circle.jpg", "nowhere.jpg"}
  assert len(refused | set(_READ)) >= 40
  assert set(rows) - gone == refused | set(_READ)
  assert {name for name, row in rows.items() if row.get("error")} - gone == refused
  assert all(row["error"].isprintable() for row in rows.values() if row.get("error"))
  assert done.broken >= len(refused)
  assert rows["dot.png"]["unclear"].startswith("too small")
  assert rows["strip.png"]["unclear"].startswith("too small")
  assert rows["black.png"]["unclear"].startswith("flat")
  same = [rows[name]["probabilities"] for name in ("whole.jpg", "jpeg_in_truth.png", "with_a_zip.jpg", "huge_exif.jpg")]
  assert same == same[:1] * 4
  assert rows["png_in_truth.jpg"]["probabilities"] == rows["deep.png"]["probabilities"]
