"""Confidence intervals that respect that pictures of one original are alike."""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Literal

import numpy as np

_FEWEST = 5  # originals of which resampling can tell anything: of fewer there are but a few different resamples
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
  Where resampling shows no doubt there is no interval, not one of no width: of fewer than five originals, and of a
  statistic in which all of them agree.

  Args:
    originals: [N], names or numbers: which original each picture shows.
    rows: float [N, C], what the statistics are sums of.
    statistics: sums float [R, C] over resampled pictures -> float [R, M]; NaN where undefined.
    seed: of the resampling.
    method: of `np.percentile`; "nearest" where there is nothing between two values of a statistic.

  Returns:
    float [M, 2]: low and high ends; NaN where resampling cannot tell, or no resample defines the statistic.
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
  return percentile_ends(values, count, method)


def percentile_ends(values: np.ndarray, originals: int, method: Literal["linear", "nearest"] = "linear") -> np.ndarray:
  """The ends of the 95 % intervals of statistics, from their values on resamples.

  Args:
    values: float [R, M]; NaN where undefined.
    originals: how many were resampled.
    method: see `bootstrap_by_original`.

  Returns:
    float [M, 2]; NaN where they cannot be told.
  """
  ends = np.full((values.shape[1], 2), np.nan)
  defined = np.isfinite(values).any(axis=0)
  if originals < _FEWEST or not defined.any():
    return ends
  tail = 50 * (1 - COVERAGE)
  ends[defined] = np.nanpercentile(values[:, defined], [tail, 100 - tail], axis=0, method=method).T
  width = ends[:, 1] - ends[:, 0]
  ends[width <= 1e-9 * np.abs(ends).max(axis=1)] = np.nan  # sums in another order differ in their last digits
  return ends


def _draw(sizes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """Draws as many originals as there are, again and again: how often each kind came, float [_CHUNK, kinds]."""
  count = int(sizes.sum())
  if len(sizes) * _SLOWER < count:
    return rng.multinomial(count, sizes / count, size=_CHUNK).astype(np.float64)
  kinds = np.repeat(np.arange(len(sizes)), sizes)
  drawn = (kinds[rng.integers(0, count, size=count)] for _ in range(_CHUNK))
  return np.stack([np.bincount(each, minlength=len(sizes)) for each in drawn]).astype(np.float64)


def accuracy_intervals(originals: np.ndarray, right: np.ndarray) -> list[list[float]]:
  """95 % intervals of accuracies, low and high end, from the bootstrap by original.

  Where that cannot tell they are Wilson's, of as many trials as there are originals.

  Args:
    originals: [N].
    right: bool [N, M], for M accuracies.
  """
  rows = np.column_stack([np.ones(len(right)), right])
  ends = known_ends(bootstrap_by_original(originals, rows, lambda sums: sums[:, 1:] / sums[:, :1]))
  trials = len(np.unique(originals))
  return [end or wilson_interval(share, trials) for end, share in zip(ends, right.mean(axis=0).tolist(), strict=True)]


def wilson_interval(share: float, trials: int) -> list[float]:
  """Wilson's score interval (95 %), low and high end, of a share of so many trials, not of whole ones alone.

  Source: Wilson, Probable inference, the law of succession, and statistical inference (JASA 1927).
  """
  z2 = NormalDist().inv_cdf((1 + COVERAGE) / 2) ** 2
  center = (share + z2 / (2 * trials)) / (1 + z2 / trials)
  half = math.sqrt(z2 * (share * (1 - share) / trials + z2 / (4 * trials**2))) / (1 + z2 / trials)
  return [max(0.0, center - half) if share > 0 else 0.0, min(1.0, center + half) if share < 1 else 1.0]


def known_ends(ends: np.ndarray) -> list[list[float] | None]:
  """Rows of [M, 2] for JSON: None where they are NaN."""
  return [row if np.isfinite(row).all() else None for row in ends.tolist()]
