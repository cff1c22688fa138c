"""Views: the tiles of pictures of any size."""

import math

import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import VIEWS


def test_views():
  pixels = np.random.default_rng(0).integers(0, 256, (100, 150, 3), np.uint8)
  picture = Image.fromarray(pixels)
  padded = VIEWS["pad"](picture, 60).images
  assert padded.shape == (1, 60, 60, 3)
  assert not padded[0, :10].any()
  assert not padded[0, -10:].any()
  assert padded[0, 10].any()
  assert VIEWS["center"](picture, 60).images.shape == (1, 60, 60, 3)
  patches, extents, _ = VIEWS["patches"](picture, 60)
  assert patches.shape == (6, 60, 60, 3)
  np.testing.assert_array_equal(patches[0], pixels[:60, :60])
  np.testing.assert_array_equal(patches[-1], pixels[40:, 90:])
  assert VIEWS["patches"](picture.resize((40, 30)), 60).images.shape == (2, 60, 60, 3)
  assert VIEWS["patches"](picture.resize((3000, 60)), 60).images.shape == (5, 60, 60, 3)
  assert VIEWS["patches"](picture.resize((1, 3000)), 60).images.shape == (5, 60, 60, 3)
  np.testing.assert_array_equal(extents, np.full((6, 2), 60))
  assert extents.dtype == np.int32


def test_the_viewing_scale_is_that_of_a_telephone():
  pixels = np.random.default_rng(0).integers(0, 256, (960, 1280, 3), np.uint8)
  picture = Image.fromarray(pixels)
  tiles, extents, has_overview = VIEWS["viewing"](picture, 96)  # 640 x 480
  assert has_overview
  assert tiles.shape == (7 * 5 + 1, 96, 96, 3)
  np.testing.assert_array_equal(extents, np.full((36, 2), 96))
  assert tiles[:-1].std() < pixels.std() / 1.5  # noise is averaged away
  np.testing.assert_allclose(tiles[-1].mean(), pixels.mean(), atol=1)
  tiles = VIEWS["viewing"](picture.crop((0, 0, 640, 100)), 96).images  # as it is
  np.testing.assert_array_equal(tiles[0], pixels[:96, :96])
  strip, extents, _ = VIEWS["viewing"](picture.crop((0, 0, 1280, 64)), 96)  # 640 x 32
  assert strip.shape == (8, 96, 96, 3)
  np.testing.assert_array_equal(extents[:-1], [[32, 96]] * 7)
  assert not strip[:-1, 32:].any()


@pytest.mark.parametrize("size", [96, 100, 33])
def test_squares_begin_on_the_grid_of_jpeg_and_leave_no_pixel_out(size):
  block = math.gcd(size, 8)
  for side in range(size, 1000, 7):
    row = np.repeat(np.arange(side, dtype=np.uint16)[:, None], size, axis=1)
    pixels = np.stack([row % 256, row // 256, row], axis=-1).astype(np.uint8)  # each row says where it is
    tiles = VIEWS["native"](Image.fromarray(pixels), size).images if side <= 5 * size else []
    covered = {int(tile[at, 0, 0]) + 256 * int(tile[at, 0, 1]) for tile in tiles for at in range(size)}
    assert covered == set(range(side)) or not len(tiles)
    starts = [int(tile[0, 0, 0]) + 256 * int(tile[0, 0, 1]) for tile in tiles]
    assert all(start % block == 0 for start in starts[:-1])
    assert not starts or starts[-1] == side - size
