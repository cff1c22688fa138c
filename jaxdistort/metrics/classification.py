"""Figures of answers that name one class."""

from collections.abc import Sequence

import numpy as np

from jaxdistort.metrics.bootstrap import bootstrap_by_original, known_ends, wilson_interval
from jaxdistort.metrics.breakdowns import accuracy_by_level, accuracy_by_ssim
from jaxdistort.metrics.figures import ClassificationFigures, Interval, MeanLevel, OfClass
from jaxdistort.metrics.predictions import Predictions

_SUMMARY = ("accuracy", "balanced_accuracy", "loss")


def classification_figures(predictions: Predictions, names: Sequence[str]) -> ClassificationFigures:
  """The figures of predictions whose targets are class numbers [N] and whose scores are log-probabilities [N, K]."""
  labels, scores = predictions.targets, predictions.scores
  answers = np.argmax(scores, axis=1)
  right = answers == labels
  confusion = confusion_matrix(labels, answers, len(names))
  per_class = {name: _of_class(confusion, k) for k, name in enumerate(names)}
  recalls = [own.recall for own in per_class.values() if own.support]
  groups = {name: labels == k for k, name in enumerate(names)}
  return ClassificationFigures(
    pictures=len(labels),
    originals=len(np.unique(predictions.originals)),
    accuracy=float(right.mean()),
    loss=float(np.mean(_losses(labels, scores), dtype=np.float64)),
    intervals=summary_intervals(predictions.originals, labels, scores),
    names=tuple(names),
    accuracy_by_ssim=accuracy_by_ssim(predictions, right, groups),
    accuracy_by_level=accuracy_by_level(predictions, right),
    balanced_accuracy=float(np.mean(recalls)),
    confusion_matrix=confusion.tolist(),
    per_class=per_class,
    mean_level=_mean_levels(predictions, answers, names),
  )


def confusion_matrix(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
  """Counts int64 [K, K]: rows are true classes, columns answers."""
  return np.bincount(labels.astype(np.int64) * classes + answers, minlength=classes**2).reshape(classes, classes)


def _of_class(confusion: np.ndarray, k: int) -> OfClass:
  hits, support, answered = int(confusion[k, k]), int(confusion[k].sum()), int(confusion[:, k].sum())
  return of_counts(hits, support, answered)


def of_counts(hits: int, support: int, answered: int) -> OfClass:
  """Precision, recall and F1, each 0 where nothing defines it (as scikit-learn's zero_division=0)."""
  precision, recall = hits / answered if answered else 0.0, hits / support if support else 0.0
  return OfClass(precision, recall, 2 * hits / (support + answered) if hits else 0.0, support)


def _losses(labels: np.ndarray, log_probabilities: np.ndarray) -> np.ndarray:
  return -log_probabilities[np.arange(len(labels)), labels]


def summary_intervals(originals: np.ndarray, labels: np.ndarray, log_probabilities: np.ndarray) -> dict[str, Interval]:
  """95 % intervals of accuracy, balanced accuracy and loss, from the bootstrap by original.

  Where that cannot tell, those of accuracies are Wilson's, of as many trials as there are originals, and that of the
  loss is None.

  Args:
    originals: [N].
    labels: int [N].
    log_probabilities: float [N, K].
  """
  classes = log_probabilities.shape[1]
  right = np.argmax(log_probabilities, axis=1) == labels
  members = np.eye(classes)[labels]
  rows = np.column_stack([members, members * right[:, None], _losses(labels, log_probabilities)])

  def statistics(sums: np.ndarray) -> np.ndarray:
    present, hits, loss = sums[:, :classes], sums[:, classes : 2 * classes], sums[:, -1]
    total = present.sum(axis=1)
    recall = np.divide(hits, present, out=np.full_like(hits, np.nan), where=present > 0)
    return np.column_stack([hits.sum(axis=1) / total, np.nanmean(recall, axis=1), loss / total])

  ends = dict(zip(_SUMMARY, known_ends(bootstrap_by_original(originals, rows, statistics)), strict=True))
  found = dict(zip(_SUMMARY, statistics(rows.sum(axis=0)[None])[0].tolist(), strict=True))
  trials = len(np.unique(originals))
  return ends | {name: ends[name] or wilson_interval(found[name], trials) for name in _SUMMARY[:2]}


def _mean_levels(predictions: Predictions, answers: np.ndarray, names: Sequence[str]) -> dict[str, MeanLevel]:
  """For each parameter that varies."""
  found = {}
  for column, (name, unit) in enumerate(zip(predictions.level_names, predictions.level_units, strict=True)):
    levels = predictions.levels[:, column]
    known = np.isfinite(levels)
    if len(np.unique(levels[known])) > 1:
      found[name] = mean_level_by_answer(levels[known], answers[known], names, unit)
  return found


def mean_level_by_answer(levels: np.ndarray, answers: np.ndarray, names: Sequence[str], unit: str = "") -> MeanLevel:
  """Mean level of a class's pictures by predicted class, in percent of their mean (the study's table).

  Of levels of both signs, whose mean may be anything, there are no percent.

  Args:
    levels: float [n], of the pictures of one true class.
    answers: int [n].
    names: K names.
    unit: of the level.
  """
  mean = float(np.mean(levels))
  one_sign = bool((levels >= 0).all() or (levels <= 0).all())
  percent = {names[k]: float(100 * np.mean(levels[answers == k]) / mean) for k in np.unique(answers)} if mean else {}
  return MeanLevel(unit, mean, percent if one_sign else {})
