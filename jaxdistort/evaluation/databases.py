"""Evaluation on databases of pictures that others distorted."""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jax.sharding import Mesh

from jaxdistort.data.databases import REFERENCE, Database
from jaxdistort.data.judging import ViewedPicture, viewed_pictures
from jaxdistort.errors import InputError
from jaxdistort.inference import Recogniser, TiledPicture, cannot_tell, gradients_of, score_pictures
from jaxdistort.metrics.breakdowns import accuracy_in_bins
from jaxdistort.metrics.classification import mean_level_by_answer
from jaxdistort.metrics.figures import Binned, Figures, MeanLevel, Unlabelled
from jaxdistort.metrics.predictions import Predictions
from jaxdistort.progress import SILENT, Progress
from jaxdistort.tasks import CLEAN, Task


class Verdicts(NamedTuple):
  """What a network says of the pictures of a database that can be read.

  Attributes:
    numbers: int64 [N], within `Database.pictures`.
    scores: view -> float32 [N, W].
    unclear: view -> bool [N]: too small, or flat everywhere; `predict` finds nothing there and calls it not clean.
    ssim: float [N], against the reference, at native size.
    psnr: float [N], dB.
    broken: number -> reason, of the pictures that cannot be read.
    remarks: number -> remarks, on pictures that were read, though not in every way as they are meant.
  """

  numbers: np.ndarray
  scores: dict[str, np.ndarray]
  unclear: dict[str, np.ndarray]
  ssim: np.ndarray
  psnr: np.ndarray
  broken: dict[int, str]
  remarks: dict[int, str]


def judge_database(
  recogniser: Recogniser,
  database: Database,
  views: tuple[str, ...],
  mesh: Mesh,
  *,
  jpeg_quality: int,
  batch_size: int,
  workers: int,
  progress: Progress = SILENT,
) -> Verdicts:
  """Runs a network over every picture once, each view's tiles in batches of one shape.

  Args:
    recogniser: the network; its weights lie whole on every device of the mesh.
    database: from `open_database`.
    views: names in `VIEWS`.
    mesh: over whose devices batches are split.
    jpeg_quality: of a JPEG step before the network, as in the training; 0: no JPEG.
    batch_size: tiles a batch, about.
    workers: decoding processes.
    progress: counts pictures.

  Raises:
    InputError: none of the pictures, or of the distorted ones, can be read.
    KeyboardInterrupt: `progress` asked to stop.
  """
  found: list[ViewedPicture] = []
  scores: dict[str, list[np.ndarray]] = {view: [] for view in views}
  unclear: dict[str, list[bool]] = {view: [] for view in views}
  with (
    viewed_pictures(database, views, size=recogniser.image_size, workers=workers) as pictures,
    progress.bar(len(database.pictures), unit="picture", title="evaluating") as bar,
  ):

    def tiled() -> Iterator[TiledPicture]:
      for picture in pictures:
        found.append(picture._replace(tiles={}))
        for view, tiles in picture.tiles.items():
          gradients = gradients_of(tiles)
          unclear[view].append(cannot_tell(tiles, gradients))
          yield TiledPicture(view, tiles, gradients)
        bar.advance()
        progress.check()

    for view, row in score_pictures(recogniser, tiled(), mesh, batch_size=batch_size, jpeg_quality=jpeg_quality):
      assert row is not None  # every view has a tile
      scores[view].append(row)
  seen = [picture for picture in found if not picture.reason]
  if not seen:
    first = f"{database.pictures[found[0].number].path}: {found[0].reason}"
    many = f"none of the {len(found)} pictures of {database.name} can be read"
    raise InputError(f"{database.root}: {many}, such as {first}")
  distorted = [picture for picture in found if database.pictures[picture.number].type != REFERENCE]
  if distorted and all(picture.reason for picture in distorted):
    first = f"{database.pictures[distorted[0].number].path}: {distorted[0].reason}"
    many = f"none of the {len(distorted)} distorted pictures of {database.name} can be read"
    raise InputError(f"{database.root}: {many}, such as {first}")
  return Verdicts(
    np.array([picture.number for picture in seen]),
    {view: np.stack(rows) for view, rows in scores.items()},
    {view: np.array(rows) for view, rows in unclear.items()},
    np.array([picture.ssim for picture in seen]),
    np.array([picture.psnr for picture in seen]),
    {picture.number: picture.reason for picture in found if picture.reason},
    {picture.number: picture.remarks for picture in found if picture.remarks},
  )


def kinds_of(database: Database, numbers: np.ndarray) -> list[str | None]:
  """Our name for the kind of each picture: CLEAN, a kind, or None for types that we have no name for."""
  return [database.labels.get(database.pictures[number].type) for number in numbers]


def figures_on_database(database: Database, verdicts: Verdicts, view: str, task: Task) -> tuple[Figures, Predictions]:
  """The figures of one view, and the predictions that count in its accuracy.

  Args:
    database: that was judged.
    verdicts: on it.
    view: one of its views.
    task: of the network.

  Returns:
    `Task.figures` of the types that the network has a name for, with the accuracy by type and level and by people's
    scores; types without a name apart.

  Raises:
    InputError: none of the pictures is of a kind that the network knows.
  """
  pictures = [database.pictures[number] for number in verdicts.numbers]
  kinds = kinds_of(database, verdicts.numbers)
  scores = verdicts.scores[view]
  originals = np.unique([picture.original for picture in pictures], return_inverse=True)[1]
  counts = np.array([kind == CLEAN or kind in task.labels.kinds for kind in kinds])
  if not counts.any():
    raise InputError(f"{database.root}: no readable picture of {database.name} is of a kind that the network knows")
  known = np.flatnonzero(counts)
  predictions = Predictions(
    verdicts.numbers[known],
    originals[known],
    task.targets_of_kinds([None if kinds[row] == CLEAN else kinds[row] for row in known]),
    scores[known],
    np.empty((len(known), 0), np.float32),
    (),
    (),
    verdicts.ssim[known],
    verdicts.psnr[known],
  )
  right = ~task.mistaken(predictions.scores, predictions.targets)
  types = np.array([picture.type for picture in pictures])
  levels, people = (np.array([getattr(p, name) for p in pictures], np.float64) for name in ("level", "score"))
  by_level, mean_level = _by_type(database, predictions, right, types[known], levels[known], task)
  figures = dataclasses.replace(
    task.figures(predictions),
    accuracy_by_score=accuracy_in_bins(people[known], right, predictions.originals),
    accuracy_by_level=by_level,
    mean_level=mean_level,
    unlabelled=_unlabelled(types[~counts], scores[~counts], task),
    without_unchanged=_without_unchanged(database, types[known], levels[known], right),
  )
  return figures, predictions


def _by_type(
  database: Database, predictions: Predictions, right: np.ndarray, types: np.ndarray, levels: np.ndarray, task: Task
) -> tuple[dict[str, Binned], dict[str, MeanLevel]]:
  """Accuracy by level, and mean level by answer, of each type whose levels are known."""
  by_level, mean_level = {}, {}
  probabilities = task.probabilities(predictions.scores)
  for kind in dict.fromkeys(types.tolist()):
    own = types == kind
    if kind != REFERENCE and np.isfinite(levels[own]).all():
      unit = database.level_units[kind]
      by_level[kind] = Binned(unit, accuracy_in_bins(levels[own], right[own], predictions.originals[own]))
      answers = np.argmax(probabilities[own], axis=1)
      mean_level[kind] = mean_level_by_answer(levels[own], answers, task.answer_names, unit)
  return by_level, mean_level


def _unlabelled(types: np.ndarray, scores: np.ndarray, task: Task) -> dict[str, Unlabelled]:
  found = {}
  for kind in dict.fromkeys(types.tolist()):
    shares = np.mean([task.finds(scores[types == kind], name) for name in task.answer_names], axis=1)
    found[kind] = Unlabelled(int(np.sum(types == kind)), dict(zip(task.answer_names, shares.tolist(), strict=True)))
  return found


def _without_unchanged(
  database: Database, types: np.ndarray, levels: np.ndarray, right: np.ndarray
) -> dict[str, float] | None:
  """Accuracy without the levels that change nothing, where the database has such."""
  changed = np.array([pair not in database.unchanged for pair in zip(types.tolist(), levels.tolist(), strict=True)])
  if not database.unchanged or not changed.any():
    return None
  return {"accuracy": float(right[changed].mean()), "pictures": int(changed.sum())}
