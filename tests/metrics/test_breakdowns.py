"""Where a network is right, by hand."""

import numpy as np
import pytest

from jaxdistort.metrics.breakdowns import accuracy_in_bins
from tests.metrics.answers import TASK, predictions

_NOTHING = np.nan


def test_bins_by_hand():
  values = np.array([1, 1, 2, 3, np.nan])
  right = np.array([True, False, True, True, True])
  bins = accuracy_in_bins(values, right, np.arange(5))
  assert [(b.low, b.high, b.pictures, b.accuracy) for b in bins] == [(1, 1, 2, 0.5), (2, 2, 1, 1), (3, 3, 1, 1)]
  many = accuracy_in_bins(np.arange(100.0), np.arange(100) >= 20, np.arange(100))
  assert [b.pictures for b in many] == [20] * 5
  assert [b.accuracy for b in many] == [0, 1, 1, 1, 1]
  edges = accuracy_in_bins(values, right, np.arange(5), np.array([0.0, 2.5, 3.0]))
  assert [(b.high, b.pictures) for b in edges] == [(2.5, 3), (3, 1)]


def test_accuracy_by_level():
  """Blur of radius 1 is missed, of radius 3 found; a constant has no levels."""
  levels = {
    ("gaussian_blur.radius", "px"): [_NOTHING, 1, 3, 3, _NOTHING],
    ("marble.x_scale", ""): [_NOTHING] * 4 + [20],
  }
  figures = TASK.figures(predictions([0, 1, 1, 1, 2], [0, 0, 1, 1, 2], levels=levels))
  assert list(figures.accuracy_by_level) == ["gaussian_blur.radius"]
  found = figures.accuracy_by_level["gaussian_blur.radius"]
  assert found.unit == "px"
  assert [(b.low, b.pictures, b.accuracy) for b in found.bins] == [(1, 1, 0), (3, 2, 1)]
  assert list(figures.mean_level) == ["gaussian_blur.radius"]
  mean = figures.mean_level["gaussian_blur.radius"]
  assert (mean.unit, mean.mean) == ("px", pytest.approx(7 / 3))
  assert mean.percent == {"clean": pytest.approx(300 / 7), "gaussian_blur": pytest.approx(900 / 7)}


def test_accuracy_by_ssim():
  seen = predictions([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], ssim=[1, 0.95, 0.42, 0.48, 0.97])
  found = TASK.figures(seen).accuracy_by_ssim
  assert list(found) == ["all", "clean", "gaussian_blur"]
  assert [(round(b.low, 1), b.pictures, b.accuracy) for b in found["all"]] == [
    (0.4, 2, 1),
    (0.9, 3, pytest.approx(1 / 3)),
  ]
  assert [b.pictures for b in found["gaussian_blur"]] == [2, 1]
  assert TASK.figures(predictions([0, 1], [0, 1])).accuracy_by_ssim == {}
