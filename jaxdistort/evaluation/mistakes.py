"""The pictures that a network answers wrongly and with the greatest loss, with what is known of them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from PIL import Image

from jaxdistort.data import PictureSet, read_noting, read_picture
from jaxdistort.data.databases import Database, JudgedPicture
from jaxdistort.evaluation.judging import MOST_MISTAKES, Outcome
from jaxdistort.metrics.predictions import Predictions
from jaxdistort.tasks import Task

_SIDE = 320  # px


class Mistake(NamedTuple):
  """A picture that was answered wrongly.

  Attributes:
    name: of the picture.
    truth, answer: in words, see `Task.truth_in_words`.
    probabilities: of the answers that stand in either, 0..1.
    details: parameters, similarity, score, in words.
    image: RGB.
    reference: the clean picture, RGB; None where it cannot be read.
  """

  name: str
  truth: str
  answer: str
  probabilities: dict[str, float]
  details: tuple[str, ...]
  image: Image.Image
  reference: Image.Image | None


def worst_of_outcome(outcome: Outcome, pictures: PictureSet, task: Task) -> list[Mistake]:
  """The worst mistakes on pictures that a protocol distorted."""
  predictions = outcome.predictions
  mistakes = []
  for row, image, clean in outcome.worst:
    own = zip(predictions.level_names, predictions.level_units, predictions.levels[row], strict=True)
    details = [f"{_plain(name)} {value:.4g} {unit}".strip() for name, unit, value in own if np.isfinite(value)]
    name = pictures.name(int(predictions.numbers[row]))
    mistakes.append(_mistake(task, predictions, row, name, details, Image.fromarray(image), Image.fromarray(clean)))
  return mistakes


def _plain(level: str) -> str:
  """The parameter's own name."""
  return level.partition(".")[2]


def worst_on_database(database: Database, predictions: Predictions, task: Task) -> list[Mistake]:
  """The worst mistakes on a database, one of a truth of an original; reads their files once more."""
  wrong = np.flatnonzero(task.mistaken(predictions.scores, predictions.targets))
  losses = task.score_losses(predictions.scores, predictions.targets)
  truths = task.truth_in_words(predictions.targets)
  worst_of: dict[tuple[int, str], int] = {}
  for row in wrong[np.argsort(-losses[wrong], kind="stable")].tolist():
    worst_of.setdefault((int(predictions.originals[row]), truths[row]), row)
  mistakes = []
  for row in list(worst_of.values())[:MOST_MISTAKES]:
    entry = database.pictures[int(predictions.numbers[row])]
    image = thumbnail(entry.path)
    if image is not None:
      reference = thumbnail(entry.reference) if entry.reference not in (None, entry.path) else None
      name = entry.path.relative_to(database.root).as_posix()
      mistakes.append(_mistake(task, predictions, row, name, list(_known(database, entry)), image, reference))
  return mistakes


def _known(database: Database, entry: JudgedPicture) -> Iterator[str]:
  unit = database.level_units.get(entry.type, "")
  yield entry.type
  if np.isfinite(entry.level):
    yield f"level {entry.level:.4g} {unit}".strip()
  if np.isfinite(entry.score):
    yield f"score {entry.score:.4g}"


def _mistake(
  task: Task,
  predictions: Predictions,
  row: int,
  name: str,
  details: list[str],
  image: Image.Image,
  reference: Image.Image | None,
) -> Mistake:
  target, scores = _row(predictions.targets, row), predictions.scores[row : row + 1]
  (truth,), (answer,) = task.truth_in_words(target), task.answer_in_words(scores)
  named = set(f"{truth};{answer}".split(";"))
  probabilities = dict(zip(task.answer_names, task.probabilities(scores)[0].tolist(), strict=True))
  if np.isfinite(predictions.ssim[row]):
    details = [*details, f"SSIM {predictions.ssim[row]:.3f}"]
  probabilities = {name: value for name, value in probabilities.items() if name in named}
  return Mistake(name, truth, answer, probabilities, tuple(details), image, reference)


def _row(targets: Any, row: int) -> Any:
  return jax.tree.map(lambda column: column[row : row + 1], targets)


def thumbnail(path: object) -> Image.Image | None:
  picture, *_ = read_noting(None, read_picture, path)
  if picture is None:
    return None
  picture.thumbnail((_SIDE, _SIDE), Image.Resampling.BICUBIC)
  return picture
