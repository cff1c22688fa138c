"""Confidence intervals that respect that pictures of one original are alike."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy.stats import binomtest

_RESAMPLES = 1000
_CHUNK = 100  # resamples at a time
_SLOWER = 5  # times: a kind in a multinomial draw than an original drawn by itself
COVERAGE = 0.95


def bootstrap_by_original(
  originals: np.ndarray,
  rows: np.ndarray,
  statistics: Callable[[np.ndarray], np.ndarray],
  seed: int = 0,
  method: Literal["linear", "nearest"] = "linear",
) -> np.ndarray:
  """Percentile bootstrap over originals: each is drawn with all of its pictures (a cluster bootstrap).

  Pictures of one original share what makes them hard, so that drawing pictures one by one would promise too much.

  Args:
    originals: [N], names or numbers: which original each picture shows.
    rows: float [N, C], what the statistics are sums of.
    statistics: sums float [R, C] over resampled pictures -> float [R, M]; NaN where undefined.
    seed: of the resampling.
    method: of `np.percentile`; "nearest" where there is nothing between two values of a statistic.

  Returns:
    float [M, 2]: low and high ends, NaN where no resample defines the statistic, and of a single original.
  """
  _, owners = np.unique(originals, return_inverse=True)
  count = int(owners.max()) + 1
  sums = np.zeros((count, rows.shape[1]))
  np.add.at(sums, owners, rows)
  # Originals with the same sums are drawn together: of accuracies there are few kinds, of losses one each.
  kinds, sizes = np.unique(sums, axis=0, return_counts=True)
  rng = np.random.default_rng(seed)
  draws = (_draw(sizes, rng) @ kinds for _ in range(_RESAMPLES // _CHUNK))
  values = np.concatenate([statistics(drawn) for drawn in draws])
  ends = np.full((values.shape[1], 2), np.nan)
  if count == 1:
    return ends
  defined = np.isfinite(values).any(axis=0)
  if not defined.any():
    return ends
  tail = 50 * (1 - COVERAGE)
  ends[defined] = np.nanpercentile(values[:, defined], [tail, 100 - tail], axis=0, method=method).T
  return ends


def _draw(sizes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """Draws as many originals as there are, again and again: how often each kind came, float [_CHUNK, kinds]."""
  count = int(sizes.sum())
  if len(sizes) * _SLOWER < count:
    return rng.multinomial(count, sizes / count, size=_CHUNK).astype(np.float64)
  kinds = np.repeat(np.arange(len(sizes)), sizes)
  drawn = (kinds[rng.integers(0, count, size=count)] for _ in range(_CHUNK))
  return np.stack([np.bincount(each, minlength=len(sizes)) for each in drawn]).astype(np.float64)


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
