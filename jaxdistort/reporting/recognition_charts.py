"""Charts of a recogniser's report."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from jaxdistort.metrics.figures import RecognitionFigures
from jaxdistort.reporting.drawing import colour, save_chart, words


def draw_kinds(figures: RecognitionFigures, path: Path) -> None:
  """Draws average precision, precision and recall of each kind."""
  names, kinds = list(figures.per_kind), list(figures.per_kind.values())
  figure = Figure(figsize=(7.6, 1.4 + 0.55 * len(names)), layout="constrained")
  axes = figure.subplots()
  rows = np.arange(len(names))
  columns = {
    "average precision": [kind.average_precision or 0 for kind in kinds],
    "precision": [kind.precision for kind in kinds],
    "recall": [kind.recall for kind in kinds],
  }
  for turn, (label, values) in enumerate(columns.items()):
    axes.barh(rows + 0.27 * (turn - 1), values, height=0.25, label=label)
  axes.set_yticks(rows, [f"{words(name)} ({kind.support:,})" for name, kind in zip(names, kinds, strict=True)])
  axes.invert_yaxis()
  axes.set_xlim(0, 1)
  axes.set_xlabel("share")
  axes.set_ylabel("kind (pictures)")
  axes.grid(axis="x", alpha=0.3)
  axes.set_title(f"mean average precision {figures.mean_average_precision:.3f} on {figures.pictures:,} pictures")
  figure.legend(loc="outside right upper", fontsize=9)
  save_chart(figure, path)


def draw_precision_recall(figures: RecognitionFigures, path: Path) -> None:
  """Draws a curve for each group of kinds, with the place of its threshold."""
  figure = Figure(figsize=(7.0, 4.8), layout="constrained")
  axes = figure.subplots()
  for place, (name, curve) in enumerate(figures.precision_recall.items()):
    if curve:
      own = figures.per_group[name]
      axes.plot(*zip(*curve, strict=True), color=colour(place), label=f"{words(name)} ({own.support:,})")
      axes.plot([own.recall], [own.precision], "o", color=colour(place))
  axes.set_xlim(0, 1.02)
  axes.set_ylim(0, 1.02)
  axes.set_xlabel("recall")
  axes.set_ylabel("precision")
  axes.grid(alpha=0.3)
  axes.set_title("groups of kinds; dots: at the thresholds of the answers")
  figure.legend(loc="outside right upper", fontsize=9, title="group (pictures)")
  save_chart(figure, path)


def draw_reliability(figures: RecognitionFigures, path: Path) -> None:
  """Draws how often answers of about the same probability are true."""
  bins = figures.reliability
  figure = Figure(figsize=(5.2, 5.6), layout="constrained")
  above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
  said = [own.probability for own in bins]
  above.plot([0, 1], [0, 1], color="0.7", linewidth=1)
  above.plot(said, [own.frequency for own in bins], "o-")
  above.set_ylim(0, 1)
  above.set_ylabel("share that is true")
  above.grid(alpha=0.3)
  above.set_title(f"all kinds: calibration error {figures.expected_calibration_error:.4f}")
  below.bar(said, [own.answers for own in bins], width=0.05, color="0.6")
  below.set_yscale("log")
  below.set_xlim(0, 1)
  below.set_xlabel("probability")
  below.set_ylabel("answers")
  save_chart(figure, path)


def draw_severities(figures: RecognitionFigures, path: Path) -> None:
  """Draws what is estimated by the true severity: means and quartiles."""
  bins = figures.severities
  figure = Figure(figsize=(5.2, 4.8), layout="constrained")
  axes = figure.subplots()
  means = np.array([own.mean for own in bins])
  ends = np.array([(own.mean - own.low, own.high - own.mean) for own in bins]).clip(min=0).T
  axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
  axes.errorbar([own.severity for own in bins], means, yerr=ends, fmt="o-", capsize=3)
  axes.set_xlim(0, 1)
  axes.set_ylim(0, 1)
  axes.set_xlabel("true severity")
  axes.set_ylabel("estimated severity (mean, quartiles)")
  axes.grid(alpha=0.3)
  axes.set_title(f"{sum(own.pictures for own in bins):,} distortions that can be seen")
  save_chart(figure, path)


def draw_confusion(figures: RecognitionFigures, path: Path) -> None:
  """Draws, for pictures with a kind, the surest kind of its group; groups of one kind are left out."""
  counts = np.array(figures.confusion)
  related = (counts > 0).sum(axis=1) + (counts > 0).sum(axis=0) > 2
  places = np.flatnonzero(related)
  names = [words(figures.names[place]) for place in places]
  shown = counts[np.ix_(places, places)]
  shares = shown / np.maximum(shown.sum(axis=1, keepdims=True), 1)
  size = 2.4 + 0.36 * len(names)
  figure = Figure(figsize=(size + 0.6, size), layout="constrained")
  axes = figure.subplots()
  image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
  axes.set_xticks(range(len(names)), names, rotation=50, ha="right", rotation_mode="anchor", fontsize=8)
  axes.set_yticks(range(len(names)), names, fontsize=8)
  axes.set_xlabel("surest kind of the same group")
  axes.set_ylabel("kind")
  figure.colorbar(image, label="share of the kind's pictures", shrink=0.7)
  save_chart(figure, path)
