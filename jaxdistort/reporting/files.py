"""The files of a report: figures as JSON, charts, every prediction as CSV, a page."""

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxdistort.data import PictureSet
from jaxdistort.evaluation import charts
from jaxdistort.reporting.grids import draw_examples
from jaxdistort.evaluation.mistakes import Mistake, worst_of_outcome
from jaxdistort.reporting.page import Section, render_page
from jaxdistort.evaluation.predicting import Outcome
from jaxdistort.files import write_json, write_table, write_whole


def write_outcome(report: dict[str, Any], outcome: Outcome, pictures: PictureSet, folder: Path) -> None:
  """Writes what `write_report` does, and examples.png, of pictures that a protocol distorted.

  Args:
    report: where it comes from, and what `make_report` gave.
    outcome: what it was made of.
    pictures: the clean ones.
    folder: made if need be.
  """
  folder.mkdir(parents=True, exist_ok=True)
  names = report["class_names"]
  draw_examples(outcome.first, outcome.predictions, names, folder / "examples.png")
  mistakes = worst_of_outcome(outcome, pictures, names)
  write_report(report, {"": (report, mistakes)}, _predictions_rows(outcome, pictures, names), folder)


def write_report(
  report: dict[str, Any],
  views: dict[str, tuple[dict[str, Any], list[Mistake]]],
  rows: Iterable[Sequence[Any]],
  folder: Path,
) -> None:
  """Writes report.json, report.html, predictions.csv and, as PNG and SVG, the charts that the figures allow.

  The charts are confusion_matrix, accuracy_by_ssim, accuracy_by_level and accuracy_by_score, with _VIEW behind the
  name where views have names.

  Args:
    report: all of it.
    views: view -> its figures and its worst mistakes.
    rows: of predictions.csv, the first one its head.
    folder: made if need be.
  """
  folder.mkdir(parents=True, exist_ok=True)
  (folder / "report.json").unlink(missing_ok=True)  # of an earlier evaluation, whose charts give way to these
  sections = []
  for view, (figures, mistakes) in views.items():
    drawn = {}
    for name, draw in _charts_of(figures, report.get("score", "")).items():
      path = folder / (f"{name}_{view}" if view else name)
      if draw:
        draw(path)
        drawn[name] = path.with_name(f"{path.name}.svg").read_text()
      else:
        for suffix in charts.FORMATS:
          path.with_name(f"{path.name}.{suffix}").unlink(missing_ok=True)
    sections.append(Section(view, figures, mistakes, drawn))
  write_whole(folder / "report.html", render_page(report, sections))
  write_table(folder / "predictions.csv", rows)
  write_json(folder / "report.json", report)  # last: then the evaluation is complete


def _charts_of(figures: dict[str, Any], score: str) -> dict[str, Callable[[Path], None] | None]:
  """Name -> function of a path; None where there are no figures for the chart."""
  by_ssim, by_level = figures["accuracy_by_ssim"], figures["accuracy_by_level"]
  return {
    "confusion_matrix": functools.partial(charts.draw_confusion_matrix, figures),
    "accuracy_by_ssim": functools.partial(charts.draw_accuracy_by_ssim, figures) if by_ssim else None,
    "accuracy_by_level": functools.partial(charts.draw_accuracy_by_level, figures) if by_level else None,
    "accuracy_by_score": functools.partial(charts.draw_accuracy_by_score, figures, score)
    if figures.get("accuracy_by_score")
    else None,
  }


def _predictions_rows(outcome: Outcome, pictures: PictureSet, class_names: Sequence[str]) -> Iterable[list[Any]]:
  predictions = outcome.predictions
  head = ["picture", "original", "slot", "label", "predicted", *predictions.parameters, "ssim", "psnr"]
  yield [*head, *(f"p_{name}" for name in class_names)]
  slots: Counter[int] = Counter()  # a picture's rows stand in the order of the protocol's slots
  for row, (number, label, answer) in enumerate(
    zip(predictions.numbers.tolist(), predictions.labels, predictions.answers, strict=True)
  ):
    values = (
      *(levels[row] for levels in predictions.parameters.values()),
      predictions.ssim[row],
      predictions.psnr[row],
    )
    probabilities = np.exp(predictions.log_probabilities[row])
    yield [
      pictures.name(number),
      predictions.originals[row],
      slots[number],
      class_names[label],
      class_names[answer],
      *map(format_number, values),
      *(f"{p:.6f}" for p in probabilities),
    ]
    slots[number] += 1


def format_number(value: float) -> str:
  """For a table; empty where it is unknown."""
  return "" if np.isnan(value) else f"{value:.6g}"
