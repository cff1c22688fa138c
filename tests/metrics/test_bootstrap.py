"""Intervals that keep their word."""

import numpy as np
import pytest

from jaxdistort.metrics.bootstrap import bootstrap_by_original


def test_intervals_cover_the_truth_about_as_often_as_they_say():
  """Pictures of an original are alike: each has its own chance to be named, drawn from Beta(4, 2)."""
  rng, covered = np.random.default_rng(1), 0
  for trial in range(100):
    originals = np.repeat(np.arange(29), 10)
    right = rng.random(290) < rng.beta(4, 2, 29)[originals]
    rows = np.column_stack([np.ones(290), right])
    low, high = bootstrap_by_original(originals, rows, lambda sums: sums[:, 1:] / sums[:, :1], seed=trial)[0]
    covered += low <= 4 / 6 <= high
  assert 0.88 <= covered / 100 <= 0.99


def test_originals_drawn_by_kind_and_one_by_one_have_the_same_intervals():
  rng = np.random.default_rng(0)
  originals, right = np.repeat(np.arange(2000), 3), rng.random(6000) < 0.7
  by_kind = np.column_stack([np.ones(6000), right])
  one_by_one = np.column_stack([by_kind, rng.random(6000)])  # no two are alike
  accuracy = lambda sums: sums[:, 1:2] / sums[:, :1]
  ends = [bootstrap_by_original(originals, rows, accuracy) for rows in (by_kind, one_by_one)]
  np.testing.assert_allclose(*ends, atol=1e-3)
  width = np.diff(ends[0])[0, 0]
  assert width == pytest.approx(2 * 1.96 * np.sqrt(0.7 * 0.3 / 6000), rel=0.1)


def test_what_no_resample_defines_has_no_interval():
  ends = bootstrap_by_original(np.arange(4), np.ones((4, 1)), lambda sums: np.full_like(sums, np.nan))
  assert np.isnan(ends).all()
