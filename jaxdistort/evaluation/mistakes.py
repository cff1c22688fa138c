"""The pictures that a network names wrongly and the most surely so, with what is known of them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from jaxdistort.data import BrokenPicture, PictureSet, read_picture
from jaxdistort.data.databases import Database, JudgedPicture
from jaxdistort.evaluation.predicting import MOST_MISTAKES, Outcome, Predictions
from jaxdistort.evaluation.reports import unit_of

_SIDE = 320  # px


class Mistake(NamedTuple):
  """A picture that was named wrongly.

  Attributes:
    name: of the picture.
    truth, answer: names of the true and of the predicted class.
    probability_of_truth, probability_of_answer: 0..1.
    details: parameters, similarity, score, in words.
    image: RGB.
    reference: the clean picture, RGB; None where it cannot be read.
  """

  name: str
  truth: str
  answer: str
  probability_of_truth: float
  probability_of_answer: float
  details: tuple[str, ...]
  image: Image.Image
  reference: Image.Image | None


def worst_of_outcome(outcome: Outcome, pictures: PictureSet, class_names: Sequence[str]) -> list[Mistake]:
  """The worst mistakes on pictures that a protocol distorted."""
  predictions = outcome.predictions
  mistakes = []
  for row, image, reference in outcome.worst:
    own = {name: values[row] for name, values in predictions.parameters.items() if np.isfinite(values[row])}
    details = [f"{name.partition('.')[2]} {value:.4g} {unit_of(name)}".strip() for name, value in own.items()]
    mistakes.append(
      _mistake(
        predictions,
        row,
        class_names,
        name=pictures.name(int(predictions.numbers[row])),
        details=details,
        image=Image.fromarray(image),
        reference=Image.fromarray(reference),
      )
    )
  return mistakes


def worst_on_database(database: Database, predictions: Predictions, class_names: Sequence[str]) -> list[Mistake]:
  """The worst mistakes on a database, one of a class of an original; reads their files once more."""
  wrong = np.flatnonzero(predictions.answers != predictions.labels)
  ranked = wrong[np.argsort(-predictions.losses[wrong], kind="stable")]
  worst_of: dict[tuple[int, int], int] = {}
  for row in ranked.tolist():
    worst_of.setdefault((int(predictions.originals[row]), int(predictions.labels[row])), row)
  mistakes = []
  for row in list(worst_of.values())[:MOST_MISTAKES]:
    entry = database.pictures[int(predictions.numbers[row])]
    image = _thumbnail(entry.path)
    if image is not None:
      mistakes.append(
        _mistake(
          predictions,
          row,
          class_names,
          name=entry.path.relative_to(database.root).as_posix(),
          details=list(_told(database, entry)),
          image=image,
          reference=_thumbnail(entry.reference) if entry.reference not in (None, entry.path) else None,
        )
      )
  return mistakes


def _told(database: Database, entry: JudgedPicture) -> Iterator[str]:
  unit = database.level_units.get(entry.type, "")
  yield entry.type
  if np.isfinite(entry.level):
    yield f"level {entry.level:.4g} {unit}".strip()
  if np.isfinite(entry.score):
    yield f"score {entry.score:.4g}"


def _mistake(
  predictions: Predictions,
  row: int,
  class_names: Sequence[str],
  *,
  name: str,
  details: list[str],
  image: Image.Image,
  reference: Image.Image | None,
) -> Mistake:
  label, answer = int(predictions.labels[row]), int(predictions.answers[row])
  truth_probability, answer_probability = np.exp(predictions.log_probabilities[row, [label, answer]])
  if np.isfinite(predictions.ssim[row]):
    details = [*details, f"SSIM {predictions.ssim[row]:.3f}"]
  return Mistake(
    name,
    class_names[label],
    class_names[answer],
    float(truth_probability),
    float(answer_probability),
    tuple(details),
    image,
    reference,
  )


def _thumbnail(path: object) -> Image.Image | None:
  try:
    picture = read_picture(path)  # ty: ignore
  except BrokenPicture:
    return None
  picture.thumbnail((_SIDE, _SIDE), Image.Resampling.BICUBIC)
  return picture
