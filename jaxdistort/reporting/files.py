"""The files of a report: figures as JSON, charts, every prediction as CSV, a page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxdistort.evaluation import DatabaseEvaluation, Evaluation, LabelledEvaluation, Report
from jaxdistort.evaluation.databases import kinds_of
from jaxdistort.evaluation.judging import slots
from jaxdistort.evaluation.labelled import groups_in_words
from jaxdistort.evaluation.labels import truths_of
from jaxdistort.evaluation.mistakes import Mistake
from jaxdistort.evaluation.report import STANDARD
from jaxdistort.files import make_output, write_json, write_table, write_whole
from jaxdistort.reporting import charts
from jaxdistort.reporting.drawing import FORMATS
from jaxdistort.reporting.grids import draw_examples
from jaxdistort.reporting.page import Section, render_page
from jaxdistort.tasks import CLEAN, Task


def write_evaluation(evaluation: Evaluation | DatabaseEvaluation | LabelledEvaluation, folder: Path) -> None:
  """Writes what `write_report` does and, of pictures that a protocol distorted, examples.png.

  Args:
    evaluation: of one network.
    folder: made if need be.
  """
  make_output(folder)
  if isinstance(evaluation, Evaluation):
    draw_examples(evaluation.outcome, evaluation.recogniser.task, folder / "examples.png")
    rows = _rows_of_pictures(evaluation)
  elif isinstance(evaluation, LabelledEvaluation):
    rows = _rows_of_labelled(evaluation)
  else:
    rows = _rows_of_database(evaluation)
  write_report(evaluation.report, evaluation.mistakes, rows, folder)


def write_report(
  report: Report, mistakes: Mapping[str, list[Mistake]], rows: Iterable[Sequence[Any]], folder: Path
) -> None:
  """Writes report.json, report.html, predictions.csv and, as PNG and SVG, the charts that the figures allow.

  The charts are those of `charts.charts_of`, with _VIEW behind the name where a database was looked at.

  Args:
    report: all of it.
    mistakes: view -> the worst.
    rows: of predictions.csv, the first one its head.
    folder: made if need be.
  """
  make_output(folder)
  (folder / "report.json").unlink(missing_ok=True)  # of an earlier evaluation, whose charts give way to these
  sections = []
  for view, figures in report.views.items():
    drawn = {}
    for name, draw in charts.charts_of(figures, report.origin.score).items():
      path = folder / (name if view == STANDARD else f"{name}_{view}")
      if draw:
        draw(path)
        drawn[name] = path.with_name(f"{path.name}.svg").read_text(encoding="utf-8")
      else:
        for suffix in FORMATS:
          path.with_name(f"{path.name}.{suffix}").unlink(missing_ok=True)
    sections.append(Section(view, figures, mistakes[view], drawn))
  write_whole(folder / "report.html", render_page(report, sections))
  write_table(folder / "predictions.csv", rows)
  write_json(folder / "report.json", report.to_dict())  # last: then the evaluation is complete


def _rows_of_pictures(evaluation: Evaluation) -> Iterator[list[Any]]:
  """A head, then every picture that a protocol distorted."""
  predictions, task = evaluation.outcome.predictions, evaluation.recogniser.task
  head = ["picture", "original", "slot", "label", "predicted", "right", *predictions.level_names, "ssim", "psnr"]
  yield [*head, *_answer_columns(task)]
  truths, answers = task.truth_in_words(predictions.targets), task.answer_in_words(predictions.scores)
  said, originals = _answers(task, predictions.scores), evaluation.pictures.names_of_originals()
  mistaken = task.mistaken(predictions.scores, predictions.targets)
  for row, slot in enumerate(slots(predictions.numbers)):
    levels = (*predictions.levels[row], predictions.ssim[row], predictions.psnr[row])
    number = int(predictions.numbers[row])
    where = evaluation.pictures.name(number), originals[number], slot
    told = truths[row], answers[row], int(not mistaken[row])
    yield [*where, *told, *map(_number, levels), *(f"{p:.6f}" for p in said[row])]


def _rows_of_database(evaluation: DatabaseEvaluation) -> Iterator[list[Any]]:
  """A head, then every picture in every view; without a label those that the network has no name for."""
  database, verdicts, task = evaluation.database, evaluation.verdicts, evaluation.recogniser.task
  head = ["view", "picture", "reference", "type", "level", "score", "ssim", "psnr", "label", "predicted"]
  yield [*head, *_answer_columns(task)]
  kinds = kinds_of(database, verdicts.numbers)
  truths = [kind if kind == CLEAN or kind in task.labels.kinds else "" for kind in kinds]
  for view, scores in verdicts.scores.items():
    answers, said = task.answer_in_words(scores), _answers(task, scores)
    for row, number in enumerate(verdicts.numbers):
      picture = database.pictures[number]
      where = picture.path.relative_to(database.root).as_posix()
      numbers = picture.level, picture.score, verdicts.ssim[row], verdicts.psnr[row]
      yield [
        *(view, where, picture.original, picture.type),
        *map(_number, numbers),
        *(truths[row], answers[row]),
        *(f"{p:.6f}" for p in said[row]),
      ]


def _rows_of_labelled(evaluation: LabelledEvaluation) -> Iterator[list[Any]]:
  """A head, then every picture in every view; label and predicted name groups, kinds and answer what they are of.

  Where nothing can be told, that is what is answered and predicted.
  """
  task, rows = evaluation.recogniser.task, evaluation.rows
  head = ["view", "picture", "group", "scene", "kinds", "answer", "label", "predicted"]
  yield [*head, *_answer_columns(task)]
  groups = task.labels.group_names
  labels = groups_in_words(truths_of(rows, task.labels)[0].groups, groups)
  for view, scores in evaluation.verdicts.scores.items():
    predicted = groups_in_words(task.finds_groups(scores), groups)
    answers, said = task.answer_in_words(scores), _answers(task, scores)
    unclear = evaluation.verdicts.unclear[view]
    for i, row in enumerate(rows):
      where = view, row.name, row.subset, row.scene
      answer, found = ("unclear", "unclear") if unclear[i] else (answers[i], predicted[i])
      yield [*where, row.in_words, answer, labels[i], found, *(f"{p:.6f}" for p in said[i])]


def _answer_columns(task: Task) -> list[str]:
  severities = (
    [f"s_{name}" for name in task.labels.kinds] if task.severities(np.zeros((1, task.width))) is not None else []
  )
  return [*(f"p_{name}" for name in task.answer_names), *severities]


def _answers(task: Task, scores: np.ndarray) -> np.ndarray:
  """float [N, columns]: probabilities, then severities where the task has them."""
  severities = task.severities(scores)
  probabilities = task.probabilities(scores)
  return probabilities if severities is None else np.concatenate([probabilities, severities], axis=1)


def _number(value: float) -> str:
  """For a table; empty where it is unknown."""
  return "" if np.isnan(value) else f"{value:.6g}"
