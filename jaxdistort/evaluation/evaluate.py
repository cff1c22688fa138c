"""Evaluation of a network from end to end."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from jaxdistort.data import PictureSet, default_workers, open_database, open_pictures, parse_sources
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
  on_broken: OnBroken = lambda pictures, numbers: None,
  progress: Progress = SILENT,
) -> Evaluation:
  """Judges a network on clean pictures that a protocol distorts.

  Every original appears once in each slot of the protocol's period (each class of `six`; 1 : 4 : 4 in
  `variable`), always distorted in the same way.

  Args:
    recogniser: whose weights lie whole on every device of `create_mesh()`.
    data: see `parse_sources`.
    protocol: by name; the one of the training if None.
    split: all, train, validation or test; auto is all, but test if any of the sources served the training.
    jpeg_quality: 1..100, 0 for no JPEG; as in the training if None.
    batch_size: distorted pictures a batch, about.
    workers: decoding processes, 0 for threads; one fewer than processors if None.
    on_broken: gets the numbers of pictures that could not be read.
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
  split = split_to_judge(split, data, [recogniser])
  pictures = open_pictures(data, split)
  broken = _Counted(on_broken)
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
  report = Report(origin, {STANDARD: recogniser.task.figures(outcome.predictions)})
  mistakes = {STANDARD: worst_of_outcome(outcome, pictures, recogniser.task)}
  return Evaluation(report, outcome, pictures, mistakes, recogniser)


class _Counted:
  """Passes broken pictures on, and remembers which there were."""

  def __init__(self, on_broken: OnBroken):
    self._on_broken = on_broken
    self.names: set[str] = set()

  def __call__(self, pictures: PictureSet, numbers: np.ndarray) -> None:
    self.names |= {pictures.name(number) for number in numbers.tolist()}
    self._on_broken(pictures, numbers)


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
  unreadable = [f"{database.pictures[number].path}: {reason}" for number, reason in verdicts.broken.items()]
  most = [
    f"only {len(verdicts.numbers):,} of {len(database.pictures):,} pictures can be read: all figures are of those"
  ]
  most = most if len(verdicts.numbers) < len(unreadable) else []
  origin = origin_of(
    recogniser,
    data=data,
    jpeg_quality=quality,
    database=database.name,
    score=database.score,
    labels=dict(database.labels),
    broken=len(unreadable),
    problems=(*most, *database.problems, *unreadable),
  )
  return DatabaseEvaluation(Report(origin, figures), verdicts, database, mistakes, recogniser)


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


def split_to_judge(given: str, data: str, recognisers: Iterable[Recogniser]) -> str:
  """What `auto` means: the test pictures if a source served the training of any of the networks, else all."""
  if given != "auto":
    return given
  seen = [recogniser.description.pictures for recogniser in recognisers]
  return "test" if any(f"*{w.source!r}[" in pictures for w in parse_sources(data) for pictures in seen) else "all"
