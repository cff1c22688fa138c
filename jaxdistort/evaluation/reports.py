"""From predictions to a report: figures as JSON, a table for the terminal, pictures."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import metrics

from jaxdistort.distortions import DISTORTIONS
from jaxdistort.evaluation.breakdowns import accuracy_in_bins, mean_level_by_answer, summary_intervals
from jaxdistort.evaluation.figures import draw_confusion_matrix, draw_examples
from jaxdistort.evaluation.predicting import Predictions
from jaxdistort.files import write_whole


def make_report(predictions: Predictions, class_names: Sequence[str]) -> dict[str, Any]:
  """The figures of a report, ready for JSON.

  Args:
    predictions: on N pictures.
    class_names: K names.

  Returns:
    accuracy, balanced_accuracy (mean recall of the classes that have pictures), loss (mean cross entropy), and
    95 % intervals of the three, by original; confusion_matrix (rows: true class); precision, recall, F1 and support
    per_class; and for each parameter that varies, as class.parameter: accuracy_by_level and mean_level (see
    `accuracy_in_bins`, `mean_level_by_answer`).
  """
  labels, predicted = predictions.labels, np.argmax(predictions.log_probabilities, axis=1)
  classes = np.arange(len(class_names))
  figures = metrics.precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)
  picked = np.take_along_axis(predictions.log_probabilities, labels[:, None].astype(np.int64), axis=1)
  by_level, mean_level = _by_level(predictions, predicted, class_names)
  return {
    "accuracy": float(metrics.accuracy_score(labels, predicted)),
    "balanced_accuracy": float(np.mean(figures[1][figures[3] > 0])),
    "loss": float(-np.mean(picked, dtype=np.float64)),
    "intervals": summary_intervals(predictions.numbers, labels, predictions.log_probabilities),
    "pictures": len(labels),
    "originals": len(np.unique(predictions.numbers)),
    "class_names": list(class_names),
    "confusion_matrix": metrics.confusion_matrix(labels, predicted, labels=classes).tolist(),
    "per_class": {
      name: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)}
      for name, p, r, f, s in zip(class_names, *figures, strict=True)
    },
    "accuracy_by_level": by_level,
    "mean_level": mean_level,
  }


def _by_level(
  predictions: Predictions, predicted: np.ndarray, class_names: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
  """Accuracy by level and mean level by answer, for each parameter that varies."""
  accuracy, mean = {}, {}
  for name, levels in predictions.parameters.items():
    members = np.isfinite(levels)
    if len(np.unique(levels[members])) > 1:
      kind, _, parameter = name.partition(".")
      unit = next(p.unit for p in DISTORTIONS[kind].parameters if p.name == parameter)
      right = predicted[members] == predictions.labels[members]
      bins = accuracy_in_bins(levels[members], right, predictions.numbers[members])
      accuracy[name] = {"unit": unit, "bins": bins}
      mean[name] = {"unit": unit} | mean_level_by_answer(levels[members], predicted[members], class_names)
  return accuracy, mean


def write_report(report: dict[str, Any], predictions: Predictions, examples: np.ndarray, folder: Path) -> None:
  """Writes `confusion_matrix.png`, `examples.png` and `report.json`.

  Args:
    report: from `make_report`.
    predictions: what it was made of.
    examples: the first pictures of them, uint8 [n, S, S, 3].
    folder: made if need be.
  """
  folder.mkdir(parents=True, exist_ok=True)
  draw_confusion_matrix(report, folder / "confusion_matrix.png")
  draw_examples(examples, predictions, report["class_names"], folder / "examples.png")
  write_whole(folder / "report.json", json.dumps(report, indent=2) + "\n")  # last: then the evaluation is complete


def format_report(report: dict[str, Any]) -> str:
  """The report as a table."""
  width = max(len(name) for name in report["class_names"])
  lines = [f"{'class':<{width}}  precision  recall     F1  pictures"]
  for name, row in report["per_class"].items():
    lines.append(
      f"{name:<{width}}  {row['precision']:9.3f}  {row['recall']:6.3f}  {row['f1']:5.3f}  {row['support']:8d}"
    )
  low, high = report["intervals"]["accuracy"]
  lines.append(f"accuracy within {low:.4f} to {high:.4f} (95 %), balanced {report['balanced_accuracy']:.4f}")
  lines.append(f"accuracy {report['accuracy']:.4f}, loss {report['loss']:.4f} on {report['pictures']} pictures")
  return "\n".join(lines)
