"""Charts of a report, each as PNG and SVG: axes with units, readable at half size."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure  # not pyplot: no window, no global state

from jaxdistort.metrics.figures import Bin, Binned, ClassificationFigures, Figures, LabelledFigures, RecognitionFigures
from jaxdistort.reporting.drawing import colour, save_chart, words
from jaxdistort.reporting.recognition_charts import (
  draw_confusion,
  draw_kinds,
  draw_precision_recall,
  draw_reliability,
  draw_severities,
)

_INK = "0.15"
_FEW = 5  # pictures: fewer of a class in a bin say nothing

_OF_RECOGNITION = {
  "kinds": draw_kinds,
  "precision_recall": draw_precision_recall,
  "reliability": draw_reliability,
  "severities": draw_severities,
  "confusion": draw_confusion,
}
_CHARTS = ("confusion_matrix", *_OF_RECOGNITION, "accuracy_by_ssim", "accuracy_by_level", "accuracy_by_score")


def charts_of(figures: Figures | LabelledFigures, score: str) -> dict[str, Callable[[Path], None] | None]:
  """The charts that figures may have: name -> function of a path; None where there is nothing to draw.

  Args:
    figures: of one view.
    score: what people's judgements in it are.
  """
  if isinstance(figures, LabelledFigures):
    return dict.fromkeys(_CHARTS)
  confusion = isinstance(figures, ClassificationFigures)
  recognition = {
    name: functools.partial(draw, figures) if isinstance(figures, RecognitionFigures) and _has(name, figures) else None
    for name, draw in _OF_RECOGNITION.items()
  }
  return {
    "confusion_matrix": functools.partial(draw_confusion_matrix, figures) if confusion else None,
    **recognition,
    "accuracy_by_ssim": functools.partial(draw_accuracy_by_ssim, figures) if figures.accuracy_by_ssim else None,
    "accuracy_by_level": functools.partial(draw_accuracy_by_level, figures) if figures.accuracy_by_level else None,
    "accuracy_by_score": functools.partial(draw_accuracy_by_score, figures, score)
    if figures.accuracy_by_score
    else None,
  }


def _has(name: str, figures: RecognitionFigures) -> bool:
  """Whether there is something to draw."""
  if name == "confusion":
    return any(sum(count > 0 for count in row) > 1 for row in figures.confusion)
  if name == "precision_recall":
    return any(figures.precision_recall.values())
  return name == "kinds" or bool(getattr(figures, name))


def draw_confusion_matrix(figures: ClassificationFigures, path: Path) -> None:
  """Draws shares of the true class, with counts in every cell."""
  counts = np.array(figures.confusion_matrix)
  shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
  names = [words(name) for name in figures.names]
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
  axes.set_title(f"accuracy {figures.accuracy:.3f} on {figures.pictures:,} pictures")
  figure.colorbar(image, label="share of the true class", shrink=0.8)
  save_chart(figure, path)


def draw_accuracy_by_ssim(figures: Figures, path: Path) -> None:
  """Draws the accuracy in bins of SSIM, of all pictures and of each kind, over the number of pictures in each."""
  groups = figures.accuracy_by_ssim
  figure = Figure(figsize=(7.6, 5.6), layout="constrained")
  above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
  for place, (name, bins) in enumerate((n, b) for n, b in groups.items() if n != "all"):
    enough = [bin for bin in bins if bin.pictures >= _FEW]
    if enough:
      above.plot(*_points(enough)[:2], "o-", color=colour(place), markersize=4, linewidth=1.2, label=words(name))
  _draw_with_intervals(above, groups["all"], label="all, 95 % interval", linewidth=2)
  style_accuracy(above)
  below.bar(*_points(groups["all"], "pictures")[:2], width=0.09, color="0.6")
  below.set_ylabel("pictures")
  below.set_xlabel("SSIM against the clean picture")
  low = min(bin.low for bin in groups["all"])
  below.set_xlim(low - 0.02, 1.02)
  figure.legend(loc="outside right upper", fontsize=9, title=f"kinds in bins of\n{_FEW} pictures or more")
  save_chart(figure, path)


def draw_accuracy_by_level(figures: Figures, path: Path) -> None:
  """Draws a panel for each parameter, or each type of a database: the accuracy in bins of its levels."""
  _draw_panels([_panel(name, binned) for name, binned in figures.accuracy_by_level.items()], path)


def _panel(name: str, binned: Binned) -> tuple[str, str, list[Bin]]:
  level = words(name.rpartition(".")[2]) if "." in name else "level"
  return words(name).replace(".", ": "), f"{level}{_in(binned.unit)}", binned.bins


def draw_accuracy_by_score(figures: Figures, score: str, path: Path) -> None:
  """Draws the accuracy in bins of what people said of the pictures; `score` says what that is."""
  _draw_panels([("by people's judgement", score, figures.accuracy_by_score)], path)


def _draw_panels(panels: Sequence[tuple[str, str, list[Bin]]], path: Path) -> None:
  columns = min(len(panels), 3)
  rows = -(-len(panels) // columns)
  figure = Figure(figsize=(1.2 + 3.6 * columns, 3.4 * rows), layout="constrained")
  grid = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
  for axes, (title, label, bins) in zip(grid, panels, strict=False):
    _draw_with_intervals(axes, bins)
    style_accuracy(axes)
    axes.label_outer()
    axes.set_title(title, fontsize=10.5)
    axes.set_xlabel(label)
    axes.tick_params(labelbottom=True)
  for axes in grid[len(panels) :]:
    axes.axis("off")
  save_chart(figure, path)


def style_accuracy(axes: Axes) -> None:
  axes.set_ylim(-0.03, 1.03)
  axes.set_ylabel("accuracy")
  axes.grid(alpha=0.3)


def _in(unit: str) -> str:
  return f" ({unit})" if unit else ""


def _points(bins: list[Bin], what: str = "accuracy") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Middles of the bins, a value of each, and half their widths."""
  low, high, values = (np.array([getattr(bin, name) for bin in bins]) for name in ("low", "high", what))
  return (low + high) / 2, values, (high - low) / 2


def _draw_with_intervals(axes: Axes, bins: list[Bin], **style: Any) -> None:
  middles, accuracy, halves = _points(bins)
  ends = np.array([bin.interval or (np.nan, np.nan) for bin in bins]).T
  below, above = np.maximum(accuracy - ends[0], 0), np.maximum(ends[1] - accuracy, 0)
  if halves.any():
    axes.hlines(accuracy, middles - halves, middles + halves, color=_INK, linewidth=1, alpha=0.5)
  axes.errorbar(middles, accuracy, (below, above), fmt="o-", color=_INK, capsize=3, markersize=5, elinewidth=1, **style)
