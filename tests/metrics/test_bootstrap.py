"""Intervals that keep their word."""

import numpy as np
import pytest
from scipy.stats import binomtest

from jaxdistort.metrics.bootstrap import accuracy_intervals, bootstrap_by_original, wilson_interval


@pytest.mark.slow
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


@pytest.mark.parametrize("trials", [1, 2, 7, 400])
def test_wilsons_interval_is_that_of_scipy(trials):
  for right in range(0, trials + 1, max(1, trials // 7)):
    theirs = binomtest(right, trials).proportion_ci(0.95, "wilson")
    assert wilson_interval(right / trials, trials) == pytest.approx([theirs.low, theirs.high], abs=1e-12)
  low, high = wilson_interval(0.3, 2)  # of no whole number
  assert 0 < low < 0.3 < high < 1


@pytest.mark.parametrize("each", [1, 10])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_few_originals_tell_nothing_but_their_number(count, each):
  """Two originals, one named rightly and one not, look to a bootstrap like a coin: 0, 1/2 or 1."""
  originals, right = np.repeat(np.arange(count), each), np.repeat(np.arange(count) % 2 == 0, each)
  rows = np.column_stack([np.ones(len(right)), right])
  assert np.isnan(bootstrap_by_original(originals, rows, lambda sums: sums[:, 1:] / sums[:, :1])).all()
  assert accuracy_intervals(originals, right[:, None]) == [wilson_interval(right.mean(), count)]


def test_originals_that_agree_show_no_doubt():
  originals = np.repeat(np.arange(9), 3)
  right = np.tile([True, True, False], 9)  # two of three pictures of each
  uneven = np.repeat(np.arange(9), [3, 6] * 4 + [3])  # the same, of some twice as many
  both = np.column_stack([right, np.arange(27) < 14])
  ends = accuracy_intervals(originals, both)
  assert ends[0] == wilson_interval(2 / 3, 9)
  assert ends[1] != wilson_interval(14 / 27, 9)  # those disagree
  assert accuracy_intervals(uneven, np.tile([True, True, False], 13)[:, None]) == [wilson_interval(26 / 39, 9)]
  losses = np.column_stack([np.ones(27), np.full(27, 0.1)])
  assert np.isnan(bootstrap_by_original(originals, losses, lambda sums: sums[:, 1:] / sums[:, :1])).all()
