"""Shuffles: permutations all, every one as likely."""

import numpy as np
import pytest
from scipy import stats

from jaxdistort.shuffle import mix32, permute


def _orders(length, count):
  """`count` shuffles, each of its own key."""
  keys = mix32(np.arange(count, dtype=np.uint32))
  return permute(np.tile(np.arange(length, dtype=np.uint32), (count, 1)), length, keys[:, None])


@pytest.mark.parametrize("length", [3, 10, 97])
def test_every_place_is_as_likely_and_so_is_every_neighbour(length):
  orders = _orders(length, 4000).astype(int)
  counts = np.stack([np.bincount(orders[:, place], minlength=length) for place in range(length)])
  expected = len(orders) / length
  # Rows and columns of a sum of permutations are fixed, which makes the statistic length / (length - 1) too large.
  spread = np.sum((counts - expected) ** 2 / expected) * (length - 1) / length
  assert stats.chi2.sf(spread, (length - 1) ** 2) > 1e-3
  steps = np.bincount((orders[:, 1] - orders[:, 0]) % length, minlength=length)[1:]
  assert stats.chisquare(steps).pvalue > 1e-3


def test_all_orders_of_four_are_as_likely():
  kinds, counts = np.unique(_orders(4, 24_000), axis=0, return_counts=True)
  assert len(kinds) == 24
  assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("length", [1, 2, 9, 100])
def test_permute_is_one_permutation_a_key(length):
  keys = mix32(np.arange(50, dtype=np.uint32))
  places = np.tile(np.arange(length, dtype=np.uint32), (50, 1))
  shuffled = permute(places, length, keys[:, None])
  assert shuffled.dtype == np.uint32
  np.testing.assert_array_equal(np.sort(shuffled), places)
  if length > 9:
    assert len(np.unique(shuffled, axis=0)) == 50


def test_mix32_is_one_to_one():
  hashed = mix32(np.arange(2**16, dtype=np.uint32) * np.uint32(65_537))
  assert hashed.dtype == np.uint32
  assert len(np.unique(hashed)) == 2**16
