"""Curves of answers that may name several kinds: precision over recall, reliability, severities, confusion."""

import dataclasses
from collections.abc import Sequence

import numpy as np

_POINTS = 60  # of a curve
_BINS = 15  # of probabilities
_SEVERITIES = 10  # bins


@dataclasses.dataclass(frozen=True)
class ReliabilityBin:
  """Answers of about the same probability: their mean probability, how often they were true, and their number."""

  probability: float
  frequency: float
  answers: int


@dataclasses.dataclass(frozen=True)
class SeverityBin:
  """Pictures of about the same true severity: its mean, and mean and quartiles of what was estimated."""

  severity: float
  mean: float
  low: float
  high: float
  pictures: int


def recall_and_precision(presence: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Of the answers above every threshold, falling, float [n] each.

  Args:
    presence: bool [N], not all False.
    probabilities: float [N], or any score that grows with it.
  """
  order = np.argsort(-probabilities, kind="stable")
  hits = np.cumsum(presence[order])
  last = np.flatnonzero(np.diff(probabilities[order], append=np.nan) != 0)  # equal ones are one threshold
  return hits[last] / hits[-1], hits[last] / (last + 1)


def precision_recall(presence: np.ndarray, probabilities: np.ndarray) -> list[tuple[float, float]]:
  """Recall and precision at falling thresholds, at most 60 points; none where nothing is present.

  Args:
    presence: bool [N].
    probabilities: float [N].
  """
  if not presence.any():
    return []
  recall, precision = recall_and_precision(presence, probabilities)
  kept = np.unique(np.searchsorted(recall, np.linspace(0, 1, _POINTS)).clip(max=len(recall) - 1))
  return [(float(recall[i]), float(precision[i])) for i in kept]


def reliability(truth: np.ndarray, probabilities: np.ndarray) -> list[ReliabilityBin]:
  """15 equally wide bins of probabilities float [N], without empty ones; truth is bool [N]."""
  place = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
  members = [place == own for own in range(_BINS) if (place == own).any()]
  return [ReliabilityBin(float(probabilities[m].mean()), float(truth[m].mean()), int(m.sum())) for m in members]


def severity_bins(truth: np.ndarray, estimated: np.ndarray) -> list[SeverityBin]:
  """Ten equally wide bins of true severities float [n] within 0..1, without empty ones."""
  place = np.minimum((truth * _SEVERITIES).astype(int), _SEVERITIES - 1)
  members = [np.flatnonzero(place == own) for own in range(_SEVERITIES)]
  return [
    SeverityBin(
      float(truth[m].mean()),
      float(estimated[m].mean()),
      *(float(np.quantile(estimated[m], q)) for q in (0.25, 0.75)),
      len(m),
    )
    for m in members
    if len(m)
  ]


def confusion_within_groups(presence: np.ndarray, probabilities: np.ndarray, groups: Sequence[str]) -> list[list[int]]:
  """How many pictures with each kind (rows) have which surest kind of its group (columns), [K, K].

  Args:
    presence: bool [N, K], of what counts.
    probabilities: float [N, K].
    groups: of the K kinds.
  """
  counts = np.zeros((len(groups), len(groups)), int)
  for kind, group in enumerate(groups):
    own = np.flatnonzero([other == group for other in groups])
    surest = own[np.argmax(probabilities[presence[:, kind]][:, own], axis=1)]
    np.add.at(counts[kind], surest, 1)
  return counts.tolist()
