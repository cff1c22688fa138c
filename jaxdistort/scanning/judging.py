"""Pictures judged by their names: here, and in the form that engines of many machines call."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxdistort.inference import Recogniser, load
from jaxdistort.inference.files import Judged, judge_files
from jaxdistort.inference.verdicts import group_probabilities, record_of
from jaxdistort.scanning.places import Place, place_of


class Judgement(NamedTuple):
  """What is said of a file.

  Attributes:
    path: relative to the folder.
    error: why it cannot be read; "" where it can.
    record: of `record_of`, with the `probabilities` of the groups; empty where there is an error.
  """

  path: str
  error: str
  record: dict[str, Any]


def judge_here(recogniser: Recogniser, place: Place, names: Iterable[str], *, workers: int) -> Iterator[Judgement]:
  """Judgements on files in their order, each as soon as it is known; those that cannot be read stop nothing.

  Args:
    recogniser: the network, on one device.
    place: where the files lie.
    names: of the files, consumed a few ahead.
    workers: threads that decode.
  """
  return map(_judgement, judge_files(recogniser, names, read=place.read, native=False, workers=workers))


def _judgement(judged: Judged) -> Judgement:
  if judged.answer is None:
    return Judgement(judged.path, judged.error, {})
  told = record_of(judged.answer) | {"probabilities": group_probabilities(judged.answer)}
  return Judgement(judged.path, "", told)


class JudgePictures:
  """Judges batches of names, for `map_batches` of Ray Data, `mapInPandas` of Spark and their like.

  Args:
    folder: path or URL, which every worker can read.
    checkpoint: a run, a checkpoint or a model file, which every worker can read; None: the weights of the package.
    workers: threads that decode.
  """

  def __init__(self, folder: str, checkpoint: str | None = None, *, workers: int = 1):
    self._place, self._recogniser, self._workers = place_of(folder), load(checkpoint), workers

  def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
    """Of a batch with a column `path` of names relative to the folder, texts or bytes (names that are no UTF-8).

    Returns:
      `path` as it was given; `error`, "" where there is none; `answer`, JSON of `Judgement.record`.
    """
    given = list(batch["path"])
    judged = list(judge_here(self._recogniser, self._place, map(os.fsdecode, given), workers=self._workers))
    answers = [json.dumps(own.record) for own in judged]
    return {"path": np.array(given, object), "error": [own.error for own in judged], "answer": answers}
