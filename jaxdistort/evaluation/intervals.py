"""Confidence intervals that respect that pictures of one original are alike."""

from collections.abc import Callable

import numpy as np
from scipy.stats import binomtest

_RESAMPLES = 1000
_CHUNK = 100  # resamples at a time
COVERAGE = 0.95


def bootstrap_by_original(
  originals: np.ndarray, rows: np.ndarray, statistics: Callable[[np.ndarray], np.ndarray], seed: int = 0
) -> np.ndarray:
  """Percentile bootstrap over originals: each is drawn with all of its pictures (a cluster bootstrap).

  Pictures of one original share what makes them hard, so that drawing pictures one by one would promise too much.

  Args:
    originals: [N], names or numbers: which original each picture shows.
    rows: float [N, C], what the statistics are sums of.
    statistics: sums float [R, C] over resampled pictures -> float [R, M]; NaN where undefined.
    seed: of the resampling.

  Returns:
    float [M, 2]: low and high ends, NaN where no resample defines the statistic, and of a single original.
  """
  _, groups = np.unique(originals, return_inverse=True)
  count = int(groups.max()) + 1
  sums = np.zeros((count, rows.shape[1]))
  np.add.at(sums, groups, rows)
  rng = np.random.default_rng(seed)
  resampled = []
  for _ in range(_RESAMPLES // _CHUNK):
    weights = rng.multinomial(count, np.full(count, 1 / count), size=_CHUNK)
    resampled.append(statistics(weights @ sums))
  values = np.concatenate(resampled)
  ends = np.full((values.shape[1], 2), np.nan)
  if count == 1:
    return ends
  defined = np.isfinite(values).any(axis=0)
  if not defined.any():
    return ends
  tail = 50 * (1 - COVERAGE)
  ends[defined] = np.nanpercentile(values[:, defined], [tail, 100 - tail], axis=0).T
  return ends


def accuracy_intervals(originals: np.ndarray, right: np.ndarray) -> list[list[float] | None]:
  """95 % intervals of accuracies, low and high end, from the bootstrap by original; None where that cannot tell.

  Where all pictures are right, or none, resampling shows no doubt: there it is Wilson's interval, of as many trials as
  there are originals.

  Args:
    originals: [N].
    right: bool [N, M], for M accuracies.
  """
  trials = len(np.unique(originals))
  rows = np.column_stack([np.ones(len(right)), right])
  ends = known_ends(bootstrap_by_original(originals, rows, lambda sums: sums[:, 1:] / sums[:, :1]))
  for column, values in enumerate(right.T):
    if values.all() or not values.any():
      certain = binomtest(trials if values.all() else 0, trials).proportion_ci(COVERAGE, "wilson")
      ends[column] = [float(certain.low), float(certain.high)]
  return ends


def known_ends(ends: np.ndarray) -> list[list[float] | None]:
  """Rows of [M, 2] for JSON: None where they are NaN."""
  return [row if np.isfinite(row).all() else None for row in ends.tolist()]
