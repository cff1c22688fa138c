"""From predictions to a report: figures as JSON, a table for the terminal, pictures."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import metrics

from jaxdistort.evaluation.figures import draw_confusion_matrix, draw_examples
from jaxdistort.evaluation.predicting import Predictions
from jaxdistort.files import write_whole


def make_report(predictions: Predictions, class_names: Sequence[str]) -> dict[str, Any]:
  """Accuracy, mean cross entropy, confusion matrix (rows: true class) and figures per class, ready for JSON."""
  labels, predicted = predictions.labels, np.argmax(predictions.log_probabilities, axis=1)
  classes = np.arange(len(class_names))
  figures = metrics.precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)
  picked = np.take_along_axis(predictions.log_probabilities, labels[:, None].astype(np.int64), axis=1)
  return {
    "accuracy": float(metrics.accuracy_score(labels, predicted)),
    "loss": float(-np.mean(picked, dtype=np.float64)),
    "pictures": len(labels),
    "originals": len(np.unique(predictions.numbers)),
    "class_names": list(class_names),
    "confusion_matrix": metrics.confusion_matrix(labels, predicted, labels=classes).tolist(),
    "per_class": {
      name: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)}
      for name, p, r, f, s in zip(class_names, *figures, strict=True)
    },
  }


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
  lines.append(f"accuracy {report['accuracy']:.4f}, loss {report['loss']:.4f} on {report['pictures']} pictures")
  return "\n".join(lines)
