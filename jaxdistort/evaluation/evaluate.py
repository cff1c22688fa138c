"""Evaluation of a network from end to end."""

import dataclasses
import functools
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from jaxdistort.data import PictureSet, Seen, default_workers, open_database, open_pictures, originals_of_files
from jaxdistort.data.databases import Database
from jaxdistort.data.views import VIEWS
from jaxdistort.errors import InputError
from jaxdistort.evaluation.databases import Verdicts, figures_on_database, judge_database
from jaxdistort.evaluation.judging import Judge, OnBroken, Outcome
from jaxdistort.evaluation.mistakes import Mistake, worst_of_outcome, worst_on_database
from jaxdistort.evaluation.report import STANDARD, Origin, Report, origin_of
from jaxdistort.inference import Recogniser
from jaxdistort.progress import SILENT, Progress
from jaxdistort.protocols import PROTOCOLS
from jaxdistort.runtime.mesh import create_mesh


class Evaluation(NamedTuple):
  """What an evaluation on pictures that a protocol distorts gives.

  Attributes:
    report: its figures.
    outcome: every prediction, and pictures to look at.
    pictures: the clean ones.
    mistakes: view -> the worst.
    recogniser: that was judged.
  """

  report: Report
  outcome: Outcome
  pictures: PictureSet
  mistakes: dict[str, list[Mistake]]
  recogniser: Recogniser


class DatabaseEvaluation(NamedTuple):
  """The same on a database: what it says of every picture is in `verdicts`."""

  report: Report
  verdicts: Verdicts
  database: Database
  mistakes: dict[str, list[Mistake]]
  recogniser: Recogniser


def evaluate_on_protocol(
  recogniser: Recogniser,
  data: str,
  *,
  protocol: str | None = None,
  split: str = "auto",
  jpeg_quality: int | None = None,
  batch_size: int = 64,
  workers: int | None = None,
  on_broken: OnBroken = lambda pictures, broken, remarked: None,
  progress: Progress = SILENT,
) -> Evaluation:
  """Judges a network on clean pictures that a protocol distorts.

  Every original appears once in each slot of the protocol's period (each class of `six`; 1 : 4 : 4 in
  `variable`), always distorted in the same way.

  Args:
    recogniser: whose weights lie whole on every device of `create_mesh()`.
    data: see `parse_sources`.
    protocol: by name; the one of the training if None.
    split: see `pictures_to_judge`.
    jpeg_quality: 1..100, 0 for no JPEG; as in the training if None.
    batch_size: distorted pictures a batch, about.
    workers: decoding processes, 0 for threads; one fewer than processors if None.
    on_broken: gets the numbers of pictures that could not be read, and of those with remarks.
    progress: counts pictures.

  Raises:
    InputError: a path, name or value that cannot be used.
    KeyboardInterrupt: `progress` asked to stop.
  """
  check_counts(batch_size, workers)
  name = protocol or recogniser.description.protocol["name"]
  quality = quality_of(recogniser, jpeg_quality)
  distorting = PROTOCOLS.find(name)(quality or None)
  recogniser.task.check(distorting)
  split, pictures = pictures_to_judge(data, split, [recogniser], progress)
  broken = CountedBroken(on_broken)
  judge = Judge(
    recogniser,
    distorting,
    create_mesh(),
    batch_size=batch_size,
    workers=default_workers() if workers is None else workers,
    on_broken=broken,
    measure=True,
  )
  outcome = judge(recogniser.variables, pictures, progress)
  origin = origin_of(
    recogniser, data=data, jpeg_quality=quality, split=split, protocol=distorting.name, broken=len(broken.names)
  )
  return report_outcome(recogniser, outcome, pictures, origin)


def report_outcome(recogniser: Recogniser, outcome: Outcome, pictures: PictureSet, origin: Origin) -> Evaluation:
  """The evaluation of an outcome, and where it comes from."""
  seen = int(np.sum(recogniser.seen.holds(pictures.names_of_originals())))
  problems = (*origin.problems, promised_too_much(seen)) if seen and origin.split != "validation" else origin.problems
  origin = dataclasses.replace(origin, fingerprint=pictures.fingerprint(), seen=seen, problems=problems)
  report = Report(origin, {STANDARD: recogniser.task.figures(outcome.predictions)})
  mistakes = {STANDARD: worst_of_outcome(outcome, pictures, recogniser.task)}
  return Evaluation(report, outcome, pictures, mistakes, recogniser)


class CountedBroken:
  """Passes broken pictures on, and remembers which there were."""

  def __init__(self, on_broken: OnBroken):
    self._on_broken = on_broken
    self.names: set[str] = set()

  def __call__(self, pictures: PictureSet, broken: np.ndarray, remarked: np.ndarray) -> None:
    self.names |= {pictures.name(number) for number in broken.tolist()}
    self._on_broken(pictures, broken, remarked)


def evaluate_on_database(
  recogniser: Recogniser,
  data: str,
  *,
  views: Sequence[str] = ("pad",),
  jpeg_quality: int | None = None,
  batch_size: int = 64,
  workers: int | None = None,
  progress: Progress = SILENT,
) -> DatabaseEvaluation:
  """Judges a network on a database of pictures that others distorted.

  Args:
    recogniser: whose weights lie whole on every device of `create_mesh()`.
    data: see `open_database`.
    views: names in `VIEWS`.
    jpeg_quality: 1..100, of a JPEG step before the network, 0 for none; as in the training if None.
    batch_size: tiles a batch, about.
    workers: decoding processes, 0 for threads; one fewer than processors if None.
    progress: counts pictures.

  Raises:
    InputError: a path, name or value that cannot be used.
    KeyboardInterrupt: `progress` asked to stop.
  """
  check_counts(batch_size, workers)
  views = tuple(dict.fromkeys(views))
  for view in views:
    VIEWS.find(view, "view")
  quality = quality_of(recogniser, jpeg_quality)
  database = open_database(data)
  verdicts = judge_database(
    recogniser,
    database,
    views,
    create_mesh(),
    jpeg_quality=quality,
    batch_size=batch_size,
    workers=default_workers() if workers is None else workers,
    progress=progress,
  )
  figures, mistakes = {}, {}
  for view in views:
    figures[view], predictions = figures_on_database(database, verdicts, view, recogniser.task)
    mistakes[view] = worst_on_database(database, predictions, recogniser.task)
  seen = count_seen(recogniser, database, progress)
  origin = origin_of(
    recogniser,
    data=data,
    jpeg_quality=quality,
    database=database.name,
    score=database.score,
    labels=dict(database.labels),
    seen=seen,
    broken=len(verdicts.broken),
    problems=tuple(problems_of(database, verdicts, seen)),
  )
  return DatabaseEvaluation(Report(origin, figures), verdicts, database, mistakes, recogniser)


def count_seen(recogniser: Recogniser, database: Database, progress: Progress) -> int:
  """How many pictures of a database, or their references, the network was trained or validated on."""
  files = [{picture.path, picture.reference or picture.path} for picture in database.pictures]
  paths = sorted({str(path) for own in files for path in own})
  seen = recogniser.seen.holds(originals_of_files(paths, str(database.root), progress))
  known = {path for path, was in zip(paths, seen.tolist(), strict=True) if was}
  return sum(any(str(path) in known for path in own) for own in files)


def problems_of(database: Database, verdicts: Verdicts, seen: int) -> Iterator[str]:
  """What is amiss in an evaluation on a database, what matters most first."""
  if len(verdicts.numbers) < len(verdicts.broken):
    yield f"only {len(verdicts.numbers):,} of {len(database.pictures):,} pictures can be read: all figures are of those"
  if seen:
    yield promised_too_much(seen)
  yield from database.problems
  for number, text in {**verdicts.broken, **verdicts.remarks}.items():
    yield f"{database.pictures[number].path}: {text}"


def promised_too_much(seen: int) -> str:
  """Of figures on pictures that the network knows."""
  return f"{seen} of these pictures, or their originals, served the training: the figures promise too much"


def check_counts(batch_size: int, workers: int | None) -> None:
  """Raises InputError for numbers that make no sense."""
  if batch_size < 1:
    raise InputError(f"batch size must be at least 1, got {batch_size}")
  if workers is not None and workers < 0:
    raise InputError(f"workers must be at least 0, got {workers}")


def quality_of(recogniser: Recogniser, given: int | None) -> int:
  """Of the JPEG step, 0 for none: as in the training where nothing else is said; InputError beyond 0..100."""
  quality = recogniser.description.jpeg_quality if given is None else given
  if quality not in range(101):
    raise InputError(f"jpeg quality must be within 0..100, got {quality}; whole numbers only")
  return quality


def pictures_to_judge(
  data: str, split: str, recognisers: Iterable[Recogniser], progress: Progress = SILENT
) -> tuple[str, PictureSet]:
  """The pictures that networks are judged on.

  Args:
    data: see `parse_sources`.
    split: all, train, validation or test; auto: every picture whose original none of the networks has seen in training
      or validation, whatever it is called and wherever it lies now.
    recognisers: that are judged.
    progress: see `parse_sources`.

  Returns:
    What they are: the split, for auto "all", "test" or, where it is neither, "unseen"; and the pictures.

  Raises:
    InputError: a source cannot be opened, or the networks have seen all of it.
  """
  if split != "auto":
    return split, open_pictures(data, split, progress)
  pictures = open_pictures(data, "all", progress)
  unseen = pictures.without(functools.reduce(operator.or_, (recogniser.seen for recogniser in recognisers), Seen()))
  if len(unseen) == len(pictures):
    return "all", pictures
  if not len(unseen):
    raise InputError(
      f"data source {data}: all {len(pictures)} pictures served the training; give others, or a split to judge these"
    )
  return ("test" if _are_test_pictures(unseen) else "unseen"), unseen


def _are_test_pictures(pictures: PictureSet) -> bool:
  try:
    return pictures.of_split("test").fingerprint() == pictures.fingerprint()
  except InputError:  # too few to be split
    return False
