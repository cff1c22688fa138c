"""From predictions to figures ready for JSON, and a table for the terminal."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import metrics

from jaxdistort.distortions import DISTORTIONS
from jaxdistort.metrics.breakdowns import accuracy_by_ssim, accuracy_in_bins, mean_level_by_answer, summary_intervals
from jaxdistort.evaluation.predicting import Predictions


def make_report(predictions: Predictions, class_names: Sequence[str]) -> dict[str, Any]:
  """The figures of a report, ready for JSON.

  Args:
    predictions: on N pictures.
    class_names: K names.

  Returns:
    accuracy, balanced_accuracy (mean recall of the classes that have pictures), loss (mean cross entropy), and
    95 % intervals of the three, by original; confusion_matrix (rows: true class); precision, recall, F1 and support
    per_class; accuracy_by_ssim of all and of each class, where the SSIM is known; and for each parameter that varies,
    as class.parameter: accuracy_by_level and mean_level (see `accuracy_in_bins`, `mean_level_by_answer`).
  """
  labels, answers = predictions.labels, predictions.answers
  classes = np.arange(len(class_names))
  figures = metrics.precision_recall_fscore_support(labels, answers, labels=classes, zero_division=0)
  by_level, mean_level = _by_level(predictions, class_names)
  return {
    "accuracy": float(metrics.accuracy_score(labels, answers)),
    "balanced_accuracy": float(np.mean(figures[1][figures[3] > 0])),
    "loss": float(np.mean(predictions.losses, dtype=np.float64)),
    "intervals": summary_intervals(predictions.originals, labels, predictions.log_probabilities),
    "pictures": len(labels),
    "originals": len(np.unique(predictions.originals)),
    "class_names": list(class_names),
    "confusion_matrix": metrics.confusion_matrix(labels, answers, labels=classes).tolist(),
    "per_class": {
      name: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)}
      for name, p, r, f, s in zip(class_names, *figures, strict=True)
    },
    "accuracy_by_ssim": accuracy_by_ssim(predictions, class_names),
    "accuracy_by_level": by_level,
    "mean_level": mean_level,
  }


def unit_of(parameter: str) -> str:
  """The unit of a parameter named as class.parameter."""
  kind, _, name = parameter.partition(".")
  return next(p.unit for p in DISTORTIONS[kind].parameters if p.name == name)


def _by_level(predictions: Predictions, class_names: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
  """Accuracy by level and mean level by answer, for each parameter that varies."""
  accuracy, mean = {}, {}
  for name, levels in predictions.parameters.items():
    members = np.isfinite(levels)
    if len(np.unique(levels[members])) > 1:
      answers, unit = predictions.answers[members], unit_of(name)
      right = answers == predictions.labels[members]
      bins = accuracy_in_bins(levels[members], right, predictions.originals[members])
      accuracy[name] = {"unit": unit, "bins": bins}
      mean[name] = {"unit": unit} | mean_level_by_answer(levels[members], answers, class_names)
  return accuracy, mean


def format_report(report: dict[str, Any]) -> str:
  """The report as a table."""
  width = max(len(name) for name in report["class_names"])
  lines = [f"{'class':<{width}}  precision  recall     F1  pictures"]
  for name, row in report["per_class"].items():
    lines.append(
      f"{name:<{width}}  {row['precision']:9.3f}  {row['recall']:6.3f}  {row['f1']:5.3f}  {row['support']:8d}"
    )
  ends = report["intervals"]["accuracy"]
  within = f"within {ends[0]:.4f} to {ends[1]:.4f} (95 %)" if ends else "of one original, without an interval"
  lines.append(f"accuracy {within}, balanced {report['balanced_accuracy']:.4f}")
  lines.append(f"accuracy {report['accuracy']:.4f}, loss {report['loss']:.4f} on {report['pictures']} pictures")
  return "\n".join(lines)
