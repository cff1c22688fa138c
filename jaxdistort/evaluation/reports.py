"""From predictions to a report: figures as JSON, a table for the terminal, a confusion matrix as a picture."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import metrics

from jaxdistort.evaluation.predicting import Predictions


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


def write_report(report: dict[str, Any], folder: Path) -> None:
  """Writes `report.json` and `confusion_matrix.png`."""
  folder.mkdir(parents=True, exist_ok=True)
  draw_confusion_matrix(report, folder / "confusion_matrix.png")
  # Last, and by renaming: where a report lies, the evaluation is complete.
  unfinished = folder / "report.json.partial"
  unfinished.write_text(json.dumps(report, indent=2) + "\n")
  unfinished.rename(folder / "report.json")


def format_report(report: dict[str, Any]) -> str:
  """The report as a table."""
  width = max(len(name) for name in report["class_names"])
  lines = [f"{'class':<{width}}  precision  recall     F1  pictures"]
  for name, row in report["per_class"].items():
    lines.append(f"{name:<{width}}  {row['precision']:9.3f}  {row['recall']:6.3f}  {row['f1']:5.3f}  {row['support']:8d}")
  lines.append(f"accuracy {report['accuracy']:.4f}, loss {report['loss']:.4f} on {report['pictures']} pictures")
  return "\n".join(lines)


def draw_confusion_matrix(report: dict[str, Any], path: Path) -> None:
  """Draws shares of the true class, with counts in every cell."""
  from matplotlib.figure import Figure  # without pyplot: no window, no global state

  counts = np.array(report["confusion_matrix"])
  shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
  names = [name.replace("_", " ") for name in report["class_names"]]
  size = 2.6 + 0.75 * len(names)
  figure = Figure(figsize=(size + 0.8, size), layout="constrained")
  axes = figure.subplots()
  image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
  for (row, column), count in np.ndenumerate(counts):
    ink = "white" if shares[row, column] > 0.5 else "black"
    axes.text(column, row, f"{count}", ha="center", va="center", color=ink, fontsize=10)
  axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
  axes.set_yticks(range(len(names)), names)
  axes.set_xlabel("predicted class")
  axes.set_ylabel("true class")
  axes.set_title(f"accuracy {report['accuracy']:.3f} on {report['pictures']} pictures")
  figure.colorbar(image, label="share of the true class", shrink=0.8)
  figure.savefig(path, dpi=120)
