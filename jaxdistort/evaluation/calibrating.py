"""Calibration of a recogniser: probabilities that keep their word, and thresholds for a stated rate of false alarms."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from jaxdistort.data import PictureSet, default_workers, open_splits
from jaxdistort.data.pictures import read_picture
from jaxdistort.data.views import VIEWS
from jaxdistort.distortions import DISTORTIONS, distort
from jaxdistort.distortions.severities.perceptual import graded_parameters
from jaxdistort.errors import BrokenPicture, InputError
from jaxdistort.evaluation.judging import Judge
from jaxdistort.inference import Recogniser, TiledPicture, score_pictures
from jaxdistort.metrics.curves import reliability
from jaxdistort.metrics.multilabel import expected_calibration_error
from jaxdistort.metrics.predictions import Predictions
from jaxdistort.progress import SILENT, Progress
from jaxdistort.protocols import PROTOCOLS
from jaxdistort.runtime.mesh import create_mesh
from jaxdistort.tasks import (
  GLOBAL,
  LevelScale,
  Recognition,
  best_f1_thresholds,
  counted,
  fit_calibration,
  thresholds_for,
)

FALSE_ALARMS = 1 / 50
"""Share of clean pictures on which something may be found, all groups together."""
_DOUBTS = 1 / 10  # share of clean pictures on which something may be found or in doubt
_SCALES = (1.0, 0.75, 0.5, 1.25)  # at which clean pictures are looked at
_CLEAN = 600  # training pictures among these: enough that a threshold does not hang on three of them
_KNOTS = 21  # severities at which the levels of a kind are kept
_LEAST_SIDE = 96  # pixels of a picture that was shrunk
_SQUARE = 192  # pixels of pictures that are distorted as a whole
_SLIGHTEST = 0.2  # severity of these


class Calibrated(NamedTuple):
  """What a calibration gives.

  Attributes:
    recogniser: the same network, calibrated.
    report: ready for JSON: pictures, thresholds, false alarms, calibration error and reliability before and after.
  """

  recogniser: Recogniser
  report: dict[str, Any]


def calibrate(
  recogniser: Recogniser,
  data: str,
  *,
  false_alarms: float = FALSE_ALARMS,
  batch_size: int = 64,
  workers: int | None = None,
  progress: Progress = SILENT,
) -> Calibrated:
  """Fits the calibration of a network's task.

  Slopes and offsets of the logits are fitted on the validation split in the training's protocol. The thresholds of
  kinds are those at which `false_alarms` of the clean pictures, whole, at four scales, raise an alarm in any of them,
  also where thresholds are chosen without them, and at which most of the kinds that can be seen are found on validation
  pictures (see `thresholds_for`); a kind is named, once its group is found, from the probability of the highest F1 on.
  A group is in doubt where 1 in 10 clean pictures are no better. These clean pictures are those of the validation and
  600 of the training: a threshold hangs on the few highest, so it takes many, and on clean ones a network does no
  better where it has seen them.

  Args:
    recogniser: whose task is recognition; its weights lie whole on every device of `create_mesh()`.
    data: clean pictures, see `parse_sources`.
    false_alarms: 0..1.
    batch_size: pictures or tiles a batch, about.
    workers: decoding processes, 0 for threads; one fewer than processors if None.
    progress: counts pictures.

  Raises:
    InputError: another task, or data that cannot be used.
  """
  task = recogniser.task
  if not isinstance(task, Recognition):
    raise InputError(f"{recogniser.path}: its task is {task.name}; only a recognition is calibrated")
  splits = open_splits(data, progress, ("validation", "train"))
  pictures = splits["validation"]
  predictions = _judged(recogniser, pictures, batch_size, workers, progress)
  tiles = _Tiles.of(task, predictions)
  kinds = len(task.labels.kinds)
  fitted = fit_calibration(tiles.logits, tiles.presence, np.where(tiles.presence, tiles.visibility, 1), kinds)
  probabilities, used = fitted.probabilities(tiles.logits), counted(predictions.targets)
  fitted_task = Recognition(task.labels, fitted)
  fitted_recogniser, strengths = _with_task(recogniser, fitted_task), fitted_task.strengths
  clean = _Clean.of(fitted_recogniser, splits, batch_size, progress)
  on_clean = strengths(clean.scores)
  f1 = best_f1_thresholds(probabilities[:, :kinds], tiles.presence[:, :kinds], used.astype(np.float64))
  shown = used & tiles.presence[:, :kinds]
  present = [own[is_there] for own, is_there in zip(strengths(predictions.scores).T, shown.T, strict=True)]
  for place, scores in distorted_whole(fitted_recogniser, pictures, batch_size, progress):
    present[place] = strengths(scores)[:, place]
  thresholds, doubts = (thresholds_for(on_clean, clean.owners, rate, present) for rate in (false_alarms, _DOUBTS))
  calibrated = Recognition(
    task.labels, fitted.with_thresholds(thresholds, doubts, f1), _level_scales(task, predictions)
  )
  alarms = {
    "pictures": _alarms(on_clean, thresholds),
    "validation": _alarms(on_clean[clean.held_out], thresholds),
    "tiles": _alarms(strengths(predictions.scores[~tiles.presence.any(axis=1)]), thresholds),
  }
  truth, before = tiles.presence[:, :kinds][used], task.probabilities(predictions.scores)[used]
  report = {
    "data": data,
    "pictures": len(pictures),
    "tiles": len(predictions),
    "clean_pictures": clean.pictures,
    "broken": clean.broken,
    "false_alarms": alarms,
    **_reliability(truth, before=before, after=probabilities[:, :kinds][used]),
    **_limits(calibrated),
  }
  return Calibrated(_with_task(recogniser, calibrated), report)


def _with_task(recogniser: Recogniser, task: Recognition) -> Recogniser:
  return dataclasses.replace(recogniser, description=dataclasses.replace(recogniser.description, task=task))


def _reliability(truth: np.ndarray, **said: np.ndarray) -> dict[str, Any]:
  """Of probabilities by name, against the truth bool [N]."""
  return {
    "expected_calibration_error": {name: expected_calibration_error(truth, own) for name, own in said.items()},
    "reliability": {name: [dataclasses.asdict(b) for b in reliability(truth, own)] for name, own in said.items()},
  }


def _limits(task: Recognition) -> dict[str, Any]:
  """From where on each kind raises an alarm and is named, and how far its levels are off."""
  calibration = task.calibration
  return {
    "level_errors": {
      kind: {"parameter": scale.parameter, "unit": scale.unit, "errors": list(scale.errors)}
      for kind, scale in task.levels.items()
    },
    "thresholds": dict(zip(task.labels.kinds, calibration.thresholds, strict=True)),
    "naming": dict(zip(task.labels.kinds, calibration.naming, strict=True)),
  }


def _judged(
  recogniser: Recogniser, pictures: PictureSet, batch_size: int, workers: int | None, progress: Progress
) -> Predictions:
  """On the protocol of the training, as single tiles."""
  description = recogniser.description
  judge = Judge(
    recogniser,
    PROTOCOLS.find(description.protocol["name"])(description.jpeg_quality or None),
    create_mesh(),
    batch_size=batch_size,
    workers=default_workers() if workers is None else workers,
    on_broken=lambda pictures, broken, remarked: None,
  )
  return judge(recogniser.variables, pictures, progress).predictions


class _Tiles(NamedTuple):
  """Of N tiles, by kind and then by group: logits, presence (bool) and visibility, [N, K + G] each."""

  logits: np.ndarray
  presence: np.ndarray
  visibility: np.ndarray

  @classmethod
  def of(cls, task: Recognition, predictions: Predictions) -> "_Tiles":
    targets, of_groups = predictions.targets, task.labels.of_groups
    presence, visibility = (
      np.concatenate([own, of_groups(own)], axis=1) for own in (targets.presence, targets.visibility)
    )
    return cls(task.logits(predictions.scores), presence > 0, visibility)


def _alarms(clean: np.ndarray, thresholds: np.ndarray) -> float | None:
  """The share of clean pictures on which something is found; None where there are none."""
  return float(np.any(clean >= thresholds, axis=1).mean()) if len(clean) else None


def _level_scales(task: Recognition, predictions: Predictions) -> dict[str, LevelScale]:
  """What the severities of each kind mean, with the errors on pictures that show it."""
  scales, estimated, used = {}, task.severities(predictions.scores), counted(predictions.targets)
  severities = np.linspace(0, 1, _KNOTS, dtype=np.float32)
  for place, kind in enumerate(task.labels.kinds):
    if kind in DISTORTIONS:
      parameter = DISTORTIONS[kind].parameter(DISTORTIONS[kind].graded[0])
      values = np.asarray(graded_parameters(kind, jnp.asarray(severities))[parameter.name])
      scale = LevelScale(parameter.name, parameter.unit, tuple(severities.tolist()), tuple(values.tolist()))
      present = used[:, place] & (predictions.targets.presence[:, place] > 0)
      true = predictions.levels[:, predictions.level_names.index(f"{kind}.{parameter.name}")]
      scales[kind] = scale.measured(estimated[present, place], true[present])
  return scales


def distorted_whole(
  recogniser: Recogniser, pictures: PictureSet, batch_size: int, progress: Progress
) -> Iterator[tuple[int, np.ndarray]]:
  """Of each kind that is told by the whole of a picture: its place, and the scores of pictures that have it."""
  labels, look = recogniser.task.labels, VIEWS.find(recogniser.description.view, "view")
  images = np.stack(list(_squares(pictures)))
  severities = np.linspace(_SLIGHTEST, 1, len(images), dtype=np.float32)
  wholes = [own for own in enumerate(labels.kinds) if labels.groups[own[0]] in GLOBAL and own[1] in DISTORTIONS]
  with progress.bar(len(wholes), unit="kind", title="whole pictures") as bar:
    for place, kind in wholes:
      progress.check()
      distorted = distort(images, kind, severity=severities, key=jax.random.key(place))
      tiled = (TiledPicture(None, look(Image.fromarray(own), recogniser.image_size)) for own in np.asarray(distorted))
      found = score_pictures(recogniser, tiled, create_mesh(), batch_size=batch_size)
      yield place, np.stack([scores for _, scores in found if scores is not None])
      bar.advance()


def _squares(pictures: PictureSet) -> Iterator[np.ndarray]:
  for number in range(len(pictures)):
    with contextlib.suppress(BrokenPicture):  # reported where the clean ones are read
      yield pictures.load(number, _SQUARE)


class _Clean(NamedTuple):
  """Clean pictures at several scales, as prediction looks at them.

  Attributes:
    scores: float32 [N, W].
    held_out: which are of the validation split, bool [N].
    owners: number of the picture of each, int [N].
    pictures: how many there are, at one scale.
    broken: names of those that could not be read.
  """

  scores: np.ndarray
  held_out: np.ndarray
  owners: np.ndarray
  pictures: int
  broken: list[str]

  @classmethod
  def of(
    cls, recogniser: Recogniser, splits: Mapping[str, PictureSet], batch_size: int, progress: Progress
  ) -> "_Clean":
    look, size = VIEWS.find(recogniser.description.view, "view"), recogniser.image_size
    held_out, more = splits["validation"], splits["train"]
    spread = np.linspace(0, len(more), min(_CLEAN, len(more)), endpoint=False).astype(int).tolist()
    chosen = [*((held_out, number) for number in range(len(held_out))), *((more, number) for number in spread)]
    broken: list[str] = []

    def tiled() -> Iterator[TiledPicture]:
      with progress.bar(len(chosen), unit="picture", title="clean pictures") as bar:
        for owner, (pictures, number) in enumerate(chosen):
          bar.advance()
          progress.check()
          try:
            picture = _whole(pictures, number)
          except BrokenPicture:
            broken.append(pictures.name(number))
            continue
          for scaled in _scaled(picture):
            yield TiledPicture((pictures is held_out, owner), look(scaled, size))

    found = list(score_pictures(recogniser, tiled(), create_mesh(), batch_size=batch_size))
    return cls(
      np.stack([scores for _, scores in found if scores is not None]),
      np.array([is_held_out for (is_held_out, _), _ in found]),
      np.array([owner for (_, owner), _ in found]),
      len(chosen) - len(broken),
      broken,
    )


def _scaled(picture: Image.Image) -> Iterator[Image.Image]:
  for scale in _SCALES:
    sides = [round(side * scale) for side in picture.size]
    if scale >= 1 or min(sides) >= _LEAST_SIDE:
      yield picture if scale == 1 else picture.resize(sides, Image.Resampling.BICUBIC)


def _whole(pictures: PictureSet, number: int) -> Image.Image:
  """A picture as its file has it; of sources without files a square of 256 px."""
  file = pictures.file(number)
  return Image.fromarray(pictures.load(number, 256)) if file is None else read_picture(file)
