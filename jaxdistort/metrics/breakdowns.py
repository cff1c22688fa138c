"""Where a network is right: by level, by SSIM, by what it answered instead; with intervals by original."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxdistort.metrics.bootstrap import accuracy_intervals, bootstrap_by_original, known_ends
from jaxdistort.evaluation.predicting import Predictions

_BINS = 5
_FEW = 12  # levels that are shown one by one
_SUMMARY = ("accuracy", "balanced_accuracy", "loss")
_SSIM_EDGES = np.linspace(0, 1, 11)


def summary_intervals(
  originals: np.ndarray, labels: np.ndarray, log_probabilities: np.ndarray
) -> dict[str, list[float] | None]:
  """95 % intervals of accuracy, balanced accuracy and loss; None where they cannot be told, as of a single original.

  (But of accuracies that are 0 or 1, a single original gives one too: see `accuracy_intervals`.)

  Args:
    originals: [N].
    labels: int [N].
    log_probabilities: float [N, K].
  """
  classes = log_probabilities.shape[1]
  right = np.argmax(log_probabilities, axis=1) == labels
  members = np.eye(classes)[labels]
  losses = -log_probabilities[np.arange(len(labels)), labels]
  rows = np.column_stack([members, members * right[:, None], losses])

  def statistics(sums: np.ndarray) -> np.ndarray:
    present, hits, loss = sums[:, :classes], sums[:, classes : 2 * classes], sums[:, -1]
    total = present.sum(axis=1)
    recall = np.divide(hits, present, out=np.full_like(hits, np.nan), where=present > 0)
    return np.column_stack([hits.sum(axis=1) / total, np.nanmean(recall, axis=1), loss / total])

  ends = dict(zip(_SUMMARY, known_ends(bootstrap_by_original(originals, rows, statistics)), strict=True))
  if right.all() or not right.any():  # the balanced accuracy is then the accuracy
    ends |= dict.fromkeys(_SUMMARY[:2], accuracy_intervals(originals, right[:, None])[0])
  return ends


def accuracy_in_bins(
  values: np.ndarray, right: np.ndarray, originals: np.ndarray, edges: np.ndarray | None = None
) -> list[dict[str, Any]]:
  """Accuracy of the pictures in each bin of a value, with a 95 % interval.

  Args:
    values: float [N]; NaN are left out.
    right: bool [N].
    originals: [N].
    edges: of the bins, the last one closed, and values outside in the nearest; without them each value is its own
      bin if there are few, and else there are five bins of equally many pictures.

  Returns:
    Bins that hold pictures: low, high, pictures, accuracy, interval (None where it cannot be told).
  """
  known = np.isfinite(values)
  values, right, originals = values[known], right[known], originals[known]
  distinct = np.unique(values)
  if edges is None and len(distinct) > _FEW:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)))
  if edges is None:
    ranges = [(value, value, values == value) for value in distinct]
  else:
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    ranges = [(low, high, place == i) for i, (low, high) in enumerate(itertools.pairwise(edges))]
  bins = []
  for low, high, inside in ranges:
    if inside.any():
      bins.append(
        {
          "low": float(low),
          "high": float(high),
          "pictures": int(inside.sum()),
          "accuracy": float(right[inside].mean()),
          "interval": accuracy_intervals(originals[inside], right[inside, None])[0],
        }
      )
  return bins


def accuracy_by_ssim(predictions: Predictions, class_names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
  """Accuracy in tenths of the SSIM (the paper's Figures 5 and 6), see `accuracy_in_bins`; of "all", and of each class.

  Empty where no SSIM is known.
  """
  right = predictions.answers == predictions.labels
  groups = {"all": np.ones(len(right), bool)}
  groups |= {name: predictions.labels == k for k, name in enumerate(class_names)}
  bins = {
    name: accuracy_in_bins(predictions.ssim[members], right[members], predictions.originals[members], _SSIM_EDGES)
    for name, members in groups.items()
  }
  return {name: found for name, found in bins.items() if found}


def mean_level_by_answer(levels: np.ndarray, predicted: np.ndarray, class_names: Sequence[str]) -> dict[str, Any]:
  """Mean level of a class's pictures by predicted class, in percent of their mean (the paper's table).

  Args:
    levels: float [n], of the pictures of one true class.
    predicted: int [n].
    class_names: K names.

  Returns:
    mean: of all; percent: predicted class -> percent of it, for the classes that were answered.
  """
  mean = float(np.mean(levels))
  answered = np.unique(predicted)
  percent = {class_names[k]: float(100 * np.mean(levels[predicted == k]) / mean) for k in answered} if mean else {}
  return {"mean": mean, "percent": percent}
