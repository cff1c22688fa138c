"""Banding and Otsu's thresholds against formulas, scikit-image and an exhaustive search."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from skimage.filters import threshold_multiotsu

from jaxdistort.distortions import banding, quantisation
from tests.distortions.references import assert_falls, with_odd_sides

pytestmark = [pytest.mark.optimised, pytest.mark.slow]

_RAMP = jnp.asarray(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2))


@pytest.mark.parametrize("levels", [2, 3, 8, 17, 100, 256])
def test_banding_rounds_to_even_steps(levels, photographs):
  step = 255 / (levels - 1)
  for image in with_odd_sides(photographs):
    expected = np.floor(np.floor(image / step + 0.5) * step + 0.5)
    np.testing.assert_array_equal(banding(jnp.asarray(image), levels), expected)


def _bayer(row, column):
  """Bayer's threshold of a pixel, 0..63: the bits of both coordinates, interleaved and reversed."""
  value = 0
  for bit in range(3):
    y, x = row >> bit & 1, column >> bit & 1
    value += (2 * (x ^ y) + y) << 2 * (2 - bit)
  return value


@pytest.mark.parametrize("levels", [2, 5, 8, 256])
def test_dither_rounds_by_bayer_s_thresholds(levels, photographs):
  step = 255 / (levels - 1)
  for image in with_odd_sides(photographs):
    thresholds = np.array([[_bayer(y, x) for x in range(image.shape[1])] for y in range(image.shape[0])])
    expected = np.floor(image / step + (thresholds[..., None] + 0.5) / 64)
    ours = banding(jnp.asarray(image), levels, dithered=True)
    np.testing.assert_array_equal(ours, np.floor(expected * step + 0.5))


def test_dither_keeps_the_mean():
  grey = jnp.full((64, 64, 3), 77, jnp.uint8)
  assert abs(np.mean(banding(grey, 4, dithered=True)) - 77) < 85 / 64
  assert np.mean(banding(grey, 4)) == 85


def _between(histogram, upper_ends):
  """Variance between the classes that end at these levels, float64."""
  levels, total = np.arange(256), histogram.sum()
  classes = np.searchsorted(upper_ends, levels)
  weights = np.bincount(classes, histogram)
  sums = np.bincount(classes, histogram * levels)
  filled = weights > 0
  return np.sum(sums[filled] ** 2 / weights[filled]) / total - (np.sum(sums) / total) ** 2


def _ends(image, ours):
  """Upper ends of the classes, read from what each level of a picture became."""
  table = dict(zip(image.reshape(-1).tolist(), np.asarray(ours).reshape(-1).tolist(), strict=True))
  levels = sorted(table)
  return np.array([a for a, b in itertools.pairwise(levels) if table[a] != table[b]])


def _best_variance(histogram, classes):
  """The greatest variance between so many classes: all of them, by dynamic programming in float64."""
  levels = np.arange(256)
  weights, sums = (np.concatenate([[0], np.cumsum(histogram * power)]) for power in (1.0, levels))
  weight, moment = (x[None, :] - x[:, None] for x in (weights, sums))
  gain = np.where(weight > 0, moment**2 / np.maximum(weight, 1), 0)
  gain[np.tril_indices(257)] = -np.inf
  best = gain[0]
  for _ in range(classes - 1):
    best = np.max(best[:, None] + gain, axis=0)
  return best[-1] / weights[-1] - (sums[-1] / weights[-1]) ** 2


@pytest.mark.long
@pytest.mark.parametrize("levels", [2, 3, 4, 8, 14, 21])
def test_thresholds_are_the_best(levels, photographs):
  for image in with_odd_sides(photographs):
    ours = quantisation(jnp.asarray(image), levels)
    assert len(np.unique(ours)) == levels
    assert np.min(ours) == 0
    assert np.max(ours) == 255
    histogram = np.bincount(image.reshape(-1), minlength=256)
    variance = _between(histogram, _ends(image, ours))
    assert variance >= _best_variance(histogram, levels) * (1 - 1e-5)
    if levels <= 4:
      theirs = threshold_multiotsu(image.reshape(len(image), -1), levels, nbins=256)
      assert variance >= _between(histogram, np.ceil(theirs)) * (1 - 1e-5)


def test_classes_between_become_their_upper_thresholds(photographs):
  image = photographs[2]
  ours = np.asarray(quantisation(jnp.asarray(image), 6))
  inside = (ours > 0) & (ours < 255)
  assert np.all(ours[inside] >= image[inside])
  assert np.all(np.isin(_ends(image, ours)[1:], image))


@pytest.mark.long
@pytest.mark.parametrize("op", [banding, lambda i, n: banding(i, n, dithered=True), quantisation])
def test_all_levels_stay_as_they_are(op, photographs):
  np.testing.assert_array_equal(op(_RAMP, 256), _RAMP)
  np.testing.assert_array_equal(op(jnp.asarray(photographs[0]), 256), photographs[0])


@pytest.mark.long
@pytest.mark.parametrize(
  ("op", "values"),
  [
    (banding, (128, 40, 16, 8, 4, 2)),
    (lambda i, n: banding(i, n, dithered=True), (128, 40, 16, 8, 4, 2)),
    (quantisation, (100, 40, 20, 10, 5, 3)),
  ],
)
def test_similarity_falls_with_fewer_levels(op, values, photographs):
  assert_falls(op, values, photographs)


def test_a_fraction_counts_as_the_number_below():
  few = jax.jit(lambda levels: banding(_RAMP, levels))
  np.testing.assert_array_equal(few(jnp.float32(5.9)), banding(_RAMP, 5))
