"""Palettes against those of Pillow."""

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxdistort.distortions import colour_quantisation

pytestmark = [pytest.mark.optimised, pytest.mark.slow]


def _error(image, ours):
  return np.mean(np.square(np.asarray(ours, float) - image))


def _colours(ours):
  return len(np.unique(np.asarray(ours).reshape(-1, 3), axis=0))


@pytest.mark.long
@pytest.mark.parametrize("levels", [2, 8, 16, 32, 48, 64])
def test_the_error_is_no_greater_than_pillow_s(levels, photographs):
  ratios = []
  for image in photographs:
    ours = colour_quantisation(jnp.asarray(image), levels)
    assert _colours(ours) <= levels
    # Median cut, then two steps of k-means: the best that Pillow has.
    theirs = Image.fromarray(image).quantize(
      levels, method=Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE
    )
    ratios.append(_error(image, ours) / _error(image, np.asarray(theirs.convert("RGB"))))
  assert max(ratios) < 1.25, ratios
  assert np.mean(ratios) < 1.05, ratios


@pytest.mark.long
def test_few_colours_stay(photographs):
  few = photographs[0] // 128 * 127  # at most eight, far apart
  np.testing.assert_array_equal(colour_quantisation(jnp.asarray(few), 64), few)
  flat = jnp.full((9, 7, 3), 200, jnp.uint8)
  np.testing.assert_array_equal(colour_quantisation(flat, 8), flat)


@pytest.mark.parametrize("size", [(256, 256), (512, 512), (1, 5000), (5000, 1), (40, 2048)])
def test_the_palette_is_that_of_the_whole_picture(size):
  halves = np.full((*size, 3), 200, np.uint8)
  halves[:, : size[1] // 2] = 20
  halves[: size[0] // 2] //= 2
  quantised = np.asarray(colour_quantisation(jnp.asarray(halves), 8), int)
  assert np.abs(quantised - halves).mean() < 1
  halves[:, :2] = 0  # what a column of it has is not all that it has
  assert np.abs(np.asarray(colour_quantisation(jnp.asarray(halves), 2), int) - halves).mean() < 60


def test_no_colour_is_made_of_nothing():
  plain = np.full((96, 96, 3), 200, np.uint8)
  plain[1, 1] = 90  # beside the grid
  assert np.asarray(colour_quantisation(jnp.asarray(plain), 8)).min() > 80


def test_more_colours_are_nearer(photographs):
  for image in photographs:
    errors = [_error(image, colour_quantisation(jnp.asarray(image), n)) for n in (2, 4, 8, 16, 32, 64, 65)]
    assert np.all(np.diff(errors) < 0)
    assert errors[-1] == 0


def test_every_pixel_has_the_nearest_colour(photographs):
  image = photographs[4]
  ours = np.asarray(colour_quantisation(jnp.asarray(image), 12), int).reshape(-1, 3)
  palette, pixels = np.unique(ours, axis=0), image.reshape(-1, 3).astype(int)
  distances = np.sum(np.square(pixels[:, None] - palette[None]), axis=2)
  np.testing.assert_array_equal(np.sum(np.square(pixels - ours), axis=1), distances.min(axis=1))
