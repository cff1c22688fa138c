"""Figures of answers that may name several kinds of a picture, or none."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxdistort.metrics.bootstrap import accuracy_intervals, bootstrap_by_original, known_ends, percentile_ends
from jaxdistort.metrics.breakdowns import accuracy_by_level, accuracy_by_ssim
from jaxdistort.metrics.classification import of_counts
from jaxdistort.metrics.curves import (
  confusion_within_groups,
  precision_recall,
  recall_and_precision,
  reliability,
  severity_bins,
)
from jaxdistort.metrics.figures import Interval, OfKind, OfPresence, RecognitionFigures
from jaxdistort.metrics.predictions import Predictions


class Columns(NamedTuple):
  """What is true and what is said of N pictures, by kind or by group.

  Attributes:
    names: of the columns, C.
    presence: bool [N, C].
    counted: bool [N, C]; False where a picture does not count in the figures of a column.
    probabilities: float [N, C].
    found: bool [N, C], as the answers name them.
  """

  names: tuple[str, ...]
  presence: np.ndarray
  counted: np.ndarray
  probabilities: np.ndarray
  found: np.ndarray

  @property
  def average_precisions(self) -> np.ndarray:
    return average_precisions(self.presence, self.probabilities, self.counted)

  def rows(self, numbers: np.ndarray) -> "Columns":
    """Of some of the pictures."""
    columns = self.presence, self.counted, self.probabilities, self.found
    return Columns(self.names, *(column[numbers] for column in columns))


def average_precisions(
  presence: np.ndarray, probabilities: np.ndarray, counted: np.ndarray | None = None
) -> np.ndarray:
  """The average precision of each kind: the mean of the precision over the recall, by steps.

  Equal to scikit-learn's `average_precision_score` of each column.

  Args:
    presence: bool [N, K].
    probabilities: float [N, K], or any score that grows with it.
    counted: bool [N, K], which pictures count for a kind; None: all.

  Returns:
    float [K]; NaN for kinds that no picture has.
  """
  found = np.full(presence.shape[1], np.nan)
  rows = np.ones_like(presence) if counted is None else counted
  for k in range(presence.shape[1]):
    truth, scores = presence[rows[:, k], k], probabilities[rows[:, k], k]
    if truth.any():
      recall, precision = recall_and_precision(truth, scores)
      found[k] = float(np.sum(np.diff(recall, prepend=0) * precision))
  return found


def recognition_figures(
  predictions: Predictions,
  kinds: Columns,
  groups: Columns,
  *,
  groups_of_kinds: Sequence[str],
  severities: np.ndarray,
  losses: np.ndarray,
) -> RecognitionFigures:
  """The figures of predictions whose targets are presence, severity and visibility.

  Args:
    predictions: on N pictures; the second of their targets is the severity [N, K], NaN where it is not known.
    kinds: by kind, K.
    groups: by group.
    groups_of_kinds: the group of each kind.
    severities: float [N, K], as estimated.
    losses: float [N].
  """
  right = np.all((kinds.found == kinds.presence) | ~kinds.counted, axis=1)
  severity = np.asarray(predictions.targets[1])
  known = kinds.presence & kinds.counted & np.isfinite(severity) & np.isfinite(severities)
  per_kind = {name: _of_kind(kinds, k, severity[:, k], severities[:, k]) for k, name in enumerate(kinds.names)}
  per_group = {name: _of_presence(groups, g) for g, name in enumerate(groups.names)}
  seen = [own for own in per_kind.values() if own.support]
  clean = ~np.any(kinds.presence, axis=1)
  subsets: dict[str, np.ndarray] = {"clean": clean}
  subsets |= {name: kinds.presence[:, k] for k, name in enumerate(kinds.names)}
  rows = np.column_stack([np.ones(len(right)), losses])
  loss_ends = known_ends(bootstrap_by_original(predictions.originals, rows, lambda sums: sums[:, 1:] / sums[:, :1]))
  return RecognitionFigures(
    pictures=len(right),
    originals=len(np.unique(predictions.originals)),
    accuracy=float(right.mean()),
    loss=float(np.mean(losses, dtype=np.float64)),
    intervals={
      "accuracy": accuracy_intervals(predictions.originals, right[:, None])[0],
      "loss": loss_ends[0],
      "mean_average_precision": _precision_interval(predictions.originals, kinds),
    },
    names=kinds.names,
    accuracy_by_ssim=accuracy_by_ssim(predictions, right, subsets),
    accuracy_by_level=accuracy_by_level(predictions, right),
    mean_average_precision=_mean([own.average_precision for own in seen]),
    mean_average_precision_of_groups=_mean([own.average_precision for own in per_group.values() if own.support]),
    macro_f1=_mean([own.f1 for own in seen]),
    false_alarms=float(groups.found[clean].any(axis=1).mean()) if clean.any() else None,
    expected_calibration_error=expected_calibration_error(
      kinds.presence[kinds.counted], kinds.probabilities[kinds.counted]
    ),
    per_kind=per_kind,
    per_group=per_group,
    precision_recall={
      name: precision_recall(groups.presence[own, g], groups.probabilities[own, g])
      for g, (name, own) in enumerate(zip(groups.names, groups.counted.T, strict=True))
    },
    reliability=reliability(kinds.presence[kinds.counted], kinds.probabilities[kinds.counted]),
    severities=severity_bins(severity[known], severities[known]),
    confusion=confusion_within_groups(kinds.presence & kinds.counted, kinds.probabilities, groups_of_kinds),
  )


def _mean(values: Sequence[float | None]) -> float:
  return float(np.mean([value for value in values if value is not None])) if values else 0.0


def _of_presence(columns: Columns, place: int) -> OfPresence:
  own = columns.counted[:, place]
  presence, found = columns.presence[own, place], columns.found[own, place]
  counts = of_counts(int(np.sum(presence & found)), int(presence.sum()), int(found.sum()))
  precision = average_precisions(presence[:, None], columns.probabilities[own, place][:, None])[0]
  return OfPresence(**vars(counts), average_precision=None if np.isnan(precision) else float(precision))


def _of_kind(columns: Columns, place: int, severity: np.ndarray, estimated: np.ndarray) -> OfKind:
  known = columns.presence[:, place] & columns.counted[:, place] & np.isfinite(severity)
  error, correlation = severity_agreement(severity[known], estimated[known])
  return OfKind(**vars(_of_presence(columns, place)), severity_error=error, severity_rank_correlation=correlation)


def severity_agreement(truth: np.ndarray, estimated: np.ndarray) -> tuple[float | None, float | None]:
  """Mean absolute error of severities, and their rank correlation (Spearman's); None where they cannot be told.

  Args:
    truth: float [n]; NaN where it is not known.
    estimated: float [n]; likewise.
  """
  from scipy.stats import spearmanr  # a second of imports, which answers do without

  known = np.isfinite(truth) & np.isfinite(estimated)
  truth, given = truth[known], estimated[known]
  ranked = len(np.unique(truth)) > 1 and len(np.unique(given)) > 1
  return (
    float(np.mean(np.abs(truth - given))) if known.any() else None,
    float(spearmanr(truth, given).statistic) if ranked else None,
  )


_RESAMPLES = 200  # each sorts all pictures anew


def _precision_interval(originals: np.ndarray, kinds: Columns) -> Interval:
  """Of the mean average precision, which is no quotient of sums: originals are drawn one by one."""
  distinct, owners = np.unique(originals, return_inverse=True)
  members = np.split(np.argsort(owners, kind="stable"), np.cumsum(np.bincount(owners))[:-1])
  rng, values = np.random.default_rng(0), []
  for _ in range(_RESAMPLES):
    rows = np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])
    precisions = kinds.rows(rows).average_precisions
    if np.isfinite(precisions).any():
      values.append(np.nanmean(precisions))
  return known_ends(percentile_ends(np.reshape(values, (-1, 1)), len(distinct)))[0]


def expected_calibration_error(truth: np.ndarray, probabilities: np.ndarray, bins: int = 15) -> float:
  """Mean distance of probability and frequency over equally wide bins, weighted by their numbers.

  Args:
    truth: bool [N].
    probabilities: float [N] within 0..1.
    bins: their number.
  """
  place = np.minimum((probabilities * bins).astype(int), bins - 1)
  counts = np.bincount(place, minlength=bins)
  gaps = np.bincount(place, probabilities - truth, minlength=bins)
  return float(np.sum(np.abs(gaps)) / counts.sum())
