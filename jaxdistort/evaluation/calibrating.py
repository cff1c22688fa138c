"""Calibration of a recogniser: probabilities that keep their word, and thresholds for a stated rate of false alarms."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxdistort.data import PictureSet, default_workers, open_splits
from jaxdistort.distortions import DISTORTIONS
from jaxdistort.distortions.severities.perceptual import graded_parameters
from jaxdistort.errors import InputError
from jaxdistort.evaluation.judging import Judge
from jaxdistort.evaluation.wholes import Clean, distorted_whole
from jaxdistort.inference import Recogniser
from jaxdistort.metrics.curves import reliability
from jaxdistort.metrics.multilabel import expected_calibration_error
from jaxdistort.metrics.predictions import Predictions
from jaxdistort.progress import SILENT, Progress
from jaxdistort.protocols import PROTOCOLS, Protocol
from jaxdistort.runtime.mesh import create_mesh
from jaxdistort.tasks import (
  LevelScale,
  Recognition,
  best_f1_thresholds,
  counted,
  fit_calibration,
  thresholds_for,
)

FALSE_ALARMS = 1 / 50
"""Share of clean pictures on which something may be found, all groups together."""
_ASKED_FOR = {"blur": 3.0, "noise": 2.0, "overexposure": 3.0, "underexposure": 3.0}
"""How much it counts that a kind, or one of a group, is found; 1 of others. It is what people ask about most."""
_DOUBTS = 1 / 10  # share of clean pictures on which something may be found or in doubt
_KNOTS = 21  # severities at which the levels of a kind are kept


class Calibrated(NamedTuple):
  """What a calibration gives.

  Attributes:
    recogniser: the same network, calibrated.
    report: ready for JSON: pictures, thresholds, false alarms and the pictures that raise them, calibration error and
      reliability before and after.
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
  pictures (see `thresholds_for`), blur, exposure and noise before all; a kind is named, once its group is found, from
  the probability of the highest F1 on.
  A group is in doubt where 1 in 10 clean pictures are no better. These clean pictures are those of the validation and
  up to 4,000 of the training: a threshold hangs on the few highest, so it takes many, and on clean ones a network does
  no better where it has seen them.

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
  description = recogniser.description
  protocol = PROTOCOLS.find(description.protocol["name"])(description.jpeg_quality or None)
  predictions = _judged(recogniser, protocol, pictures, batch_size, workers, progress)
  tiles = _Tiles.of(task, predictions)
  kinds = len(task.labels.kinds)
  fitted = fit_calibration(tiles.logits, tiles.presence, np.where(tiles.presence, tiles.visibility, 1), kinds)
  probabilities, used = fitted.probabilities(tiles.logits), counted(predictions.targets)
  fitted_task = Recognition(task.labels, fitted)
  fitted_recogniser, strengths = _with_task(recogniser, fitted_task), fitted_task.strengths
  clean = Clean.of(fitted_recogniser, splits, batch_size, progress)
  on_clean = strengths(clean.scores)
  f1 = best_f1_thresholds(probabilities[:, :kinds], tiles.presence[:, :kinds], used.astype(np.float64))
  shown = used & tiles.presence[:, :kinds]
  present = [own[is_there] for own, is_there in zip(strengths(predictions.scores).T, shown.T, strict=True)]
  for place, scores in distorted_whole(fitted_recogniser, protocol, pictures, batch_size, progress):
    present[place] = strengths(scores)[:, place]
  asked = zip(task.labels.kinds, task.labels.groups, strict=True)
  weights = np.array([_ASKED_FOR.get(kind, _ASKED_FOR.get(group, 1.0)) for kind, group in asked])
  thresholds, doubts = (
    thresholds_for(on_clean, clean.owners, rate, present, weights) for rate in (false_alarms, _DOUBTS)
  )
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
    "found_on_clean": _found_on(clean, on_clean / thresholds, task.labels.kinds),
    **_reliability(truth, before=before, after=probabilities[:, :kinds][used]),
    **_limits(calibrated),
  }
  return Calibrated(_with_task(recogniser, calibrated), report)


def _found_on(clean: Clean, times: np.ndarray, kinds: Sequence[str]) -> list[dict[str, Any]]:
  """The clean pictures on which something is found, at any scale, the surest first; whether they are clean, eyes tell.

  Args:
    clean: that were judged.
    times: how many times the threshold each kind's strength is, float [N, K].
    kinds: their names.
  """
  found: dict[str, dict[str, float]] = {}
  for row, place in zip(*np.nonzero(times >= 1), strict=True):
    own = found.setdefault(clean.names[row], {})
    own[kinds[place]] = max(own.get(kinds[place], 0.0), round(float(times[row, place]), 3))
  surest = sorted(found.items(), key=lambda own: -max(own[1].values()))
  return [{"picture": name, "thresholds": own} for name, own in surest]


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
  recogniser: Recogniser,
  protocol: Protocol,
  pictures: PictureSet,
  batch_size: int,
  workers: int | None,
  progress: Progress,
) -> Predictions:
  """On the protocol of the training, as single tiles."""
  judge = Judge(
    recogniser,
    protocol,
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
