"""Colour profiles: applied in every format and mode, or remarked on."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from jaxdistort.data import PictureWarning, read_noting, read_picture, to_rgb
from jaxdistort.data.decoding import colours
from tests.data.builders import chunk, curve, ink_profile, png, profile, rgb_profile, saved, segment, tiff, with_entry

# Primaries in XYZ under D50, a column each.
_SRGB = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
_ADOBE = np.array([[0.6097, 0.2053, 0.1492], [0.3111, 0.6257, 0.0632], [0.0195, 0.0609, 0.7446]])
_P3 = np.array([[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]])
_LEVELS = np.random.default_rng(2).integers(0, 256, (6, 9, 3), np.uint8)
_PICTURE = Image.fromarray(_LEVELS)
_UNUSABLE = "the colour profile cannot be used"


def _to_srgb(levels, primaries, gamma):
  """By the formulas of the standards."""
  light = (levels / 255) ** gamma @ (np.linalg.inv(_SRGB) @ primaries).T
  light = np.clip(light, 0, 1)
  return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _assert_reads(content, expected, atol=2):
  np.testing.assert_allclose(np.asarray(read_picture(content), float), expected, atol=atol, rtol=0)


@pytest.mark.parametrize(("primaries", "gamma"), [(_ADOBE, 2.2), (_P3, 2.2), (_SRGB, 1.0), (_SRGB, 1.8)])
def test_profiles_are_applied_in_every_format(primaries, gamma):
  icc, expected = rgb_profile(primaries, gamma), _to_srgb(_LEVELS, primaries, gamma)
  assert np.abs(expected - _LEVELS).max() > 9
  for kind, options in (("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("WEBP", {"lossless": True})):
    _assert_reads(saved(_PICTURE, kind, icc_profile=icc, **options), expected)
  deep = tiff(_LEVELS.astype(np.uint16) * 257, photometric="rgb", iccprofile=icc)
  _assert_reads(deep, expected)
  _assert_reads(
    tiff(_LEVELS.astype(np.uint16) * 257, photometric="rgb", iccprofile=icc, planarconfig="separate"), expected
  )
  plain = np.asarray(read_picture(saved(_PICTURE, "JPEG", quality=95)))
  _assert_reads(saved(_PICTURE, "JPEG", quality=95, icc_profile=icc), _to_srgb(plain, primaries, gamma))


def test_profiles_survive_odd_metadata():
  icc, expected = rgb_profile(_P3, 2.2), _to_srgb(_LEVELS, _P3, 2.2)
  odd = chunk(b"gAMA", b"\0")
  _assert_reads(png(_LEVELS, 8, 2, before=odd + chunk(b"iCCP", b"P3\0\0" + zlib.compress(icc))), expected)
  large = zlib.compress(icc + bytes(3_000_000))  # Pillow takes profiles of up to 1 MB
  _assert_reads(png(_LEVELS, 8, 2, before=chunk(b"iCCP", b"P3\0\0" + large)), expected)
  plain = saved(_PICTURE, "JPEG", quality=95)
  seen = np.asarray(read_picture(plain))
  parts = [
    segment(0xE2, b"ICC_PROFILE\0" + bytes([i + 1, 2]) + icc[200 * i : 200 * i + (1 - i) * 200 + i * 9999])
    for i in (0, 1)
  ]
  for middle in (parts[0] + parts[1], parts[1] + parts[0], parts[1] + segment(0xEE, b"Adobe") + parts[0]):
    _assert_reads(plain[:2] + middle + plain[2:], _to_srgb(seen, _P3, 2.2))
  content = with_entry(saved(_PICTURE, "TIFF", icc_profile=icc), 282, 2, 4, b"72\0\0")
  _assert_reads(content, expected)


@pytest.mark.parametrize("mode", ["P", "RGBA", "PA"])
def test_profiles_of_other_modes(mode):
  few = _PICTURE.quantize(16)
  picture = few if mode == "P" else few.convert(mode) if mode == "PA" else few.convert("RGBA")
  expected = _to_srgb(np.asarray(few.convert("RGB")), _ADOBE, 2.2)
  if mode == "RGBA":
    alpha = np.linspace(0, 255, 54).reshape(6, 9).astype(np.uint8)
    picture.putalpha(Image.fromarray(alpha))
    expected = expected * alpha[..., None] / 255 + 255 - alpha[..., None]
  _assert_reads(saved(picture, "TIFF" if mode == "PA" else "PNG", icc_profile=rgb_profile(_ADOBE, 2.2)), expected)


def test_profiles_of_grey_pictures():
  grey = _LEVELS[..., 0]
  expected = np.repeat(_to_srgb(np.repeat(grey[..., None], 3, -1), _SRGB, 1.0).mean(-1, keepdims=True), 3, -1)
  linear = profile(b"GRAY", {b"kTRC": curve(1.0)})
  for icc in (linear, rgb_profile(_SRGB, 1.0)):  # the second for RGB, as many grey JPEGs have it
    _assert_reads(saved(Image.fromarray(grey), "PNG", icc_profile=icc), expected)
    _assert_reads(tiff(grey.astype(np.uint16) * 257, photometric="minisblack", iccprofile=icc), expected)
    with_alpha = Image.fromarray(grey).convert("LA")
    _assert_reads(saved(with_alpha, "PNG", icc_profile=icc), expected)


def test_profiles_of_ink():
  lab = np.zeros((2, 2, 2, 2, 3)) + 128
  lab[..., 0] = 0
  lab[0, 0, 0, 0, 0] = 255  # paper
  lab[1, 0, 0, 0] = 136, 209, 195  # a cyan that is red
  ink = np.zeros((6, 9, 4), np.uint8)
  ink[:, 3:, 3] = 255
  ink[:, 6:] = 255, 0, 0, 0
  expected = np.zeros((6, 9, 3)) + 255
  expected[:, 3:] = 0
  lab_profile = ImageCms.createProfile("LAB")
  red = ImageCms.profileToProfile(
    Image.frombytes("LAB", (1, 1), bytes([136, 209 - 128, 195 - 128])),
    lab_profile,
    ImageCms.createProfile("sRGB"),
    outputMode="RGB",
  )
  expected[:, 6:] = red.getpixel((0, 0))
  assert expected[0, 8, 0] > expected[0, 8, 2] + 100
  content = saved(Image.frombytes("CMYK", (9, 6), ink.tobytes()), "TIFF", icc_profile=ink_profile(lab))
  _assert_reads(content, expected, atol=4)
  deep = tiff(ink.astype(np.uint16) * 257, photometric="separated", iccprofile=ink_profile(lab))
  _assert_reads(deep, expected, atol=4)


def test_a_profile_that_is_srgb_in_effect_changes_no_level():
  icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
  colours._transform.cache_clear()
  _assert_reads(saved(_PICTURE, "PNG", icc_profile=icc), _LEVELS, atol=0)
  assert colours._transform(icc, "RGB") is None
  assert colours._transform.cache_info().hits == 1


_ICC = rgb_profile(_P3, 2.2)


@pytest.mark.parametrize(
  "icc",
  [
    b"no profile",
    _ICC[:200],
    _ICC.replace(b"RGB ", b"5CLR"),
    _ICC.replace(b"acsp", b"abcd"),
    _ICC.replace(b"rXYZ", b"qXYZ"),
  ],
)
def test_profiles_that_cannot_be_used_are_remarked_on(icc):
  for content in (
    saved(_PICTURE, "PNG", icc_profile=icc),
    saved(_PICTURE, "TIFF", icc_profile=icc),
    saved(_PICTURE, "WEBP", lossless=True, icc_profile=icc),
    tiff(_LEVELS.astype(np.uint16) * 257, photometric="rgb", iccprofile=icc),
  ):
    picture, reason, remarks = read_noting(None, read_picture, content)
    np.testing.assert_array_equal(np.asarray(picture), _LEVELS)
    assert reason == ""
    assert remarks.startswith(_UNUSABLE)
    assert "\n" not in remarks


def test_profiles_that_are_not_whole_or_of_other_colours_are_remarked_on():
  part = segment(0xE2, b"ICC_PROFILE\0\1\2" + _ICC)
  jpeg = saved(_PICTURE, "JPEG", quality=95)
  grey = saved(Image.fromarray(_LEVELS[..., 0]), "PNG", icc_profile=ink_profile(np.zeros((2, 2, 2, 2, 3))))
  for content in (
    jpeg[:2] + part + jpeg[2:],
    png(_LEVELS, 8, 2, before=chunk(b"iCCP", b"P3\0\0" + b"no zlib")),
    png(_LEVELS, 8, 2, before=chunk(b"iCCP", b"P3\0\0" + zlib.compress(_ICC)[:-40])),
    saved(_PICTURE, "PNG", icc_profile=profile(b"GRAY", {b"kTRC": curve(1.0)})),
    grey,
  ):
    _, reason, remarks = read_noting(None, read_picture, content)
    assert reason == ""
    assert remarks.startswith(_UNUSABLE)


def test_other_colours_of_png_are_remarked_on():
  gamma = lambda value: chunk(b"gAMA", struct.pack(">L", value))
  points = chunk(b"cHRM", struct.pack(">8L", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000))
  srgb_points = chunk(b"cHRM", struct.pack(">8L", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
  for before, said in (
    (gamma(45455) + srgb_points, ""),
    (gamma(45455) + points, "cHRM"),
    (gamma(100_000), "gAMA: 1"),
    (chunk(b"sRGB", b"\0") + gamma(100_000), ""),
    (gamma(100_000) + chunk(b"iCCP", b"P3\0\0" + zlib.compress(rgb_profile(_SRGB, 2.2))), ""),
    (chunk(b"cICP", bytes([12, 13, 0, 1])), "cICP: primaries 12, transfer 13"),
    (chunk(b"cICP", bytes([9, 16, 0, 1])), "cICP: primaries 9, transfer 16"),
    (chunk(b"cICP", bytes([1, 13, 0, 1])) + gamma(100_000), ""),
  ):
    picture, _, remarks = read_noting(None, read_picture, png(_LEVELS, 8, 2, before=before))
    assert said in remarks
    assert bool(said) == bool(remarks)
    if b"iCCP" not in before:
      np.testing.assert_array_equal(np.asarray(picture), _LEVELS)


def test_remarks_that_nobody_collects_are_warnings(tmp_path):
  path = tmp_path / "odd.png"
  path.write_bytes(saved(_PICTURE, "PNG", icc_profile=b"no profile"))
  with pytest.warns(PictureWarning, match=r"odd\.png: the colour profile cannot be used"):
    read_picture(path)


def test_pictures_in_memory_have_profiles_too():
  opened = Image.open(io.BytesIO(saved(_PICTURE, "PNG", icc_profile=_ICC)))
  np.testing.assert_allclose(np.asarray(to_rgb(opened), float), _to_srgb(_LEVELS, _P3, 2.2), atol=2)
