"""Figures of answers that may name several kinds of a picture, or none."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import spearmanr

from jaxdistort.metrics.bootstrap import accuracy_intervals, bootstrap_by_original, known_ends, percentile_ends
from jaxdistort.metrics.breakdowns import accuracy_by_level, accuracy_by_ssim
from jaxdistort.metrics.classification import of_counts
from jaxdistort.metrics.figures import Interval, OfKind, RecognitionFigures
from jaxdistort.metrics.predictions import Predictions


def average_precisions(presence: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
  """The average precision of each kind: the mean of the precision over the recall, by steps.

  Equal to scikit-learn's `average_precision_score` of each column.

  Args:
    presence: bool [N, K].
    probabilities: float [N, K], or any score that grows with it.

  Returns:
    float [K]; NaN for kinds that no picture has.
  """
  found = np.full(presence.shape[1], np.nan)
  for k, (truth, scores) in enumerate(zip(presence.T, probabilities.T, strict=True)):
    if truth.any():
      order = np.argsort(-scores, kind="stable")
      hits = np.cumsum(truth[order])
      last = np.flatnonzero(np.diff(scores[order], append=np.nan) != 0)  # equal scores are one threshold
      precision, recall = hits[last] / (last + 1), hits[last] / hits[-1]
      found[k] = float(np.sum(np.diff(recall, prepend=0) * precision))
  return found


def recognition_figures(
  predictions: Predictions,
  kinds: Sequence[str],
  *,
  probabilities: np.ndarray,
  severities: np.ndarray,
  losses: np.ndarray,
  threshold: float,
) -> RecognitionFigures:
  """The figures of predictions whose targets are presence and severity.

  Args:
    predictions: on N pictures; targets are (presence [N, K], severity [N, K], NaN where it is not known).
    kinds: K names.
    probabilities: float [N, K].
    severities: float [N, K], as estimated.
    losses: float [N].
    threshold: from which a kind counts as found.
  """
  presence, severity = np.asarray(predictions.targets[0]) > 0, np.asarray(predictions.targets[1])
  found = probabilities >= threshold
  right = np.all(found == presence, axis=1)
  precisions = average_precisions(presence, probabilities)
  per_kind = {
    kind: _of_kind(presence[:, k], found[:, k], precisions[k], severity[:, k], severities[:, k])
    for k, kind in enumerate(kinds)
  }
  seen = [own for own in per_kind.values() if own.support]
  clean = ~np.any(presence, axis=1, keepdims=True)[:, 0]
  groups: dict[str, np.ndarray] = {"clean": clean}
  groups |= {kind: presence[:, k] for k, kind in enumerate(kinds)}
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
      "mean_average_precision": _precision_interval(predictions.originals, presence, probabilities),
    },
    names=tuple(kinds),
    accuracy_by_ssim=accuracy_by_ssim(predictions, right, groups),
    accuracy_by_level=accuracy_by_level(predictions, right),
    mean_average_precision=float(np.mean([own.average_precision for own in seen])) if seen else 0.0,
    macro_f1=float(np.mean([own.f1 for own in seen])) if seen else 0.0,
    false_alarms=float(found[clean].any(axis=1).mean()) if clean.any() else None,
    expected_calibration_error=expected_calibration_error(presence.ravel(), probabilities.ravel()),
    per_kind=per_kind,
  )


def _of_kind(
  presence: np.ndarray, found: np.ndarray, precision: float, severity: np.ndarray, estimated: np.ndarray
) -> OfKind:
  counts = of_counts(int(np.sum(presence & found)), int(presence.sum()), int(found.sum()))
  error, correlation = severity_agreement(severity[presence], estimated[presence])
  return OfKind(
    **vars(counts),
    average_precision=None if np.isnan(precision) else float(precision),
    severity_error=error,
    severity_rank_correlation=correlation,
  )


def severity_agreement(truth: np.ndarray, estimated: np.ndarray) -> tuple[float | None, float | None]:
  """Mean absolute error of severities, and their rank correlation (Spearman's); None where they cannot be told.

  Args:
    truth: float [n]; NaN where it is not known.
    estimated: float [n]; likewise.
  """
  known = np.isfinite(truth) & np.isfinite(estimated)
  truth, given = truth[known], estimated[known]
  ranked = len(np.unique(truth)) > 1 and len(np.unique(given)) > 1
  return (
    float(np.mean(np.abs(truth - given))) if known.any() else None,
    float(spearmanr(truth, given).statistic) if ranked else None,
  )


_RESAMPLES = 200  # each sorts all pictures anew


def _precision_interval(originals: np.ndarray, presence: np.ndarray, probabilities: np.ndarray) -> Interval:
  """Of the mean average precision, which is no quotient of sums: originals are drawn one by one."""
  distinct, owners = np.unique(originals, return_inverse=True)
  members = np.split(np.argsort(owners, kind="stable"), np.cumsum(np.bincount(owners))[:-1])
  rng, values = np.random.default_rng(0), []
  for _ in range(_RESAMPLES):
    rows = np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])
    precisions = average_precisions(presence[rows], probabilities[rows])
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
