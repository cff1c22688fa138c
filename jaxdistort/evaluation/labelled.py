"""Evaluation on anyone's labelled pictures."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from jaxdistort.data import default_workers
from jaxdistort.data.labelled import LabelledPicture, LabelledSet, open_labelled
from jaxdistort.data.views import VIEWS
from jaxdistort.evaluation.databases import Verdicts, judge_database
from jaxdistort.evaluation.evaluate import check_counts, count_seen, problems_of, quality_of
from jaxdistort.evaluation.judging import MOST_MISTAKES
from jaxdistort.evaluation.labels import known_rows, meanings_of, truths_of
from jaxdistort.evaluation.mistakes import Mistake, thumbnail
from jaxdistort.evaluation.report import Report, origin_of
from jaxdistort.inference import Recogniser
from jaxdistort.metrics.figures import LabelledFigures
from jaxdistort.metrics.labelled import Found, Names, Truths, labelled_figures, wrong_groups
from jaxdistort.progress import SILENT, Progress
from jaxdistort.runtime.mesh import create_mesh
from jaxdistort.tasks import CLEAN, Task


class LabelledEvaluation(NamedTuple):
  """What an evaluation on labelled pictures gives.

  Attributes:
    report: its figures.
    verdicts: what the network says of every picture that counts and can be read.
    pictures: those that count.
    mistakes: view -> the worst.
    recogniser: that was judged.
  """

  report: Report
  verdicts: Verdicts
  pictures: LabelledSet
  mistakes: dict[str, list[Mistake]]
  recogniser: Recogniser

  @property
  def rows(self) -> list[LabelledPicture]:
    """Of the table, those that were judged, in the order of the verdicts."""
    return rows_judged(self.pictures, self.verdicts)


def evaluate_on_labelled(
  recogniser: Recogniser,
  data: str,
  *,
  views: Sequence[str] = (),
  jpeg_quality: int | None = None,
  batch_size: int = 64,
  workers: int | None = None,
  progress: Progress = SILENT,
) -> LabelledEvaluation:
  """Judges a network on pictures that somebody labelled with kinds of distortions, or groups of them.

  Args:
    recogniser: whose weights lie whole on every device of `create_mesh()`.
    data: see `open_labelled`.
    views: names in `VIEWS`; the recogniser's own if there are none.
    jpeg_quality: 1..100, of a JPEG step before the network; none if 0 or None: the answers are those of `predict`.
    batch_size: tiles a batch, about.
    workers: decoding processes, 0 for threads; one fewer than processors if None.
    progress: counts pictures.

  Raises:
    InputError: a path, name or value that cannot be used; or no picture that counts can be read.
    KeyboardInterrupt: `progress` asked to stop.
  """
  check_counts(batch_size, workers)
  views = tuple(dict.fromkeys(views)) or (recogniser.description.view,)
  for view in views:
    VIEWS.find(view, "view")
  quality, task = quality_of(recogniser, jpeg_quality or 0), recogniser.task
  pictures = known_rows(open_labelled(data), task.labels)
  verdicts = judge_database(
    recogniser,
    pictures,
    views,
    create_mesh(),
    jpeg_quality=quality,
    batch_size=batch_size,
    workers=default_workers() if workers is None else workers,
    progress=progress,
  )
  figures, mistakes = {}, {}
  for view in views:
    figures[view], mistakes[view] = figures_on_labelled(pictures, verdicts, view, task)
  seen = count_seen(recogniser, pictures, progress)
  meanings = meanings_of(pictures.rows, task.labels)
  origin = origin_of(
    recogniser,
    data=data,
    jpeg_quality=quality,
    database=pictures.name,
    fingerprint=pictures.fingerprint(),
    labels={name: meaning.kind or meaning.group for name, meaning in meanings.items()},
    seen=seen,
    broken=len(verdicts.broken),
    problems=(*_unclear_ones(verdicts), *problems_of(pictures, verdicts, seen)),
  )
  return LabelledEvaluation(Report(origin, figures), verdicts, pictures, mistakes, recogniser)


def _unclear_ones(verdicts: Verdicts) -> Iterator[str]:
  for view, unclear in verdicts.unclear.items():
    if unclear.any():
      yield f"{view}: of {unclear.sum():,} pictures nothing can be told (too small, or flat): none is found, nor clean"


def rows_judged(pictures: LabelledSet, verdicts: Verdicts) -> list[LabelledPicture]:
  """The rows of the pictures that could be read, in the order of the verdicts."""
  return [pictures.rows[number] for number in verdicts.numbers]


def figures_on_labelled(
  pictures: LabelledSet, verdicts: Verdicts, view: str, task: Task
) -> tuple[LabelledFigures, list[Mistake]]:
  """The figures of one view, and the worst mistakes.

  Args:
    pictures: that were judged, of `known_rows`.
    verdicts: on them.
    view: one of those that they were judged in.
    task: of the network.
  """
  rows, scores = rows_judged(pictures, verdicts), verdicts.scores[view]
  truths, names = truths_of(rows, task.labels)
  found = _found(task, scores, names, verdicts.unclear[view])
  figures = labelled_figures(truths, found, names, np.array([row.subset for row in rows]))
  return figures, _worst(rows, task, scores, truths, found)


def _found(task: Task, scores: np.ndarray, names: Names, unclear: np.ndarray) -> Found:
  told = ~unclear[:, None]
  probabilities = _probabilities(task, scores)
  own = names.group_of_kind[None, :, None] == np.arange(len(names.groups))[None, None]  # [1, K, G]
  severities = task.severities(scores)
  return Found(
    np.array([answer.clean for answer in task.answers(scores)]) & ~unclear,
    task.finds_groups(scores) & told,
    np.stack([task.finds(scores, kind) for kind in names.kinds], axis=1) & told,
    np.argmax(np.where(own, probabilities[:, :, None], -1), axis=1),
    np.full_like(probabilities, np.nan) if severities is None else severities,
  )


def _probabilities(task: Task, scores: np.ndarray) -> np.ndarray:
  """Of the kinds, float [N, K]."""
  return task.probabilities(scores)[:, [task.answer_names.index(kind) for kind in task.labels.kinds]]


def groups_in_words(groups: np.ndarray, names: Sequence[str], nothing: str = CLEAN) -> list[str]:
  """Each row of bool [N, G] as a person reads it."""
  return [";".join(name for name, own in zip(names, row, strict=True) if own) or nothing for row in groups.tolist()]


def _worst(
  rows: Sequence[LabelledPicture], task: Task, scores: np.ndarray, truths: Truths, found: Found
) -> list[Mistake]:
  """Where a group is missed or found without being there, the surest first; one of the same labels of a scene."""
  probabilities, groups = _probabilities(task, scores), task.labels.group_names
  surest = np.take_along_axis(probabilities, found.surest, axis=1)  # [N, G]
  doubts = np.where(wrong_groups(truths, found), np.where(found.groups, surest, 1 - surest), -1).max(axis=1)
  answers, named = task.answer_in_words(scores), groups_in_words(found.groups, groups, "none")
  mistakes: dict[tuple[str, str], Mistake] = {}
  for i in np.argsort(-doubts, kind="stable").tolist():
    row = rows[i]
    if doubts[i] < 0 or len(mistakes) == MOST_MISTAKES:
      break
    image = None if (row.scene, row.in_words) in mistakes else thumbnail(row.path)
    if image is not None:
      given = dict(zip(task.labels.kinds, probabilities[i].tolist(), strict=True))
      shown = {name: p for name, p in given.items() if name in f"{row.in_words};{answers[i]}".split(";")}
      details = tuple(filter(None, (row.subset, f"groups found: {named[i].replace(';', ', ')}")))
      mistakes[row.scene, row.in_words] = Mistake(row.name, row.in_words, answers[i], shown, details, image, None)
  return list(mistakes.values())
