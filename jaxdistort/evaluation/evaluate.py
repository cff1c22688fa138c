"""Evaluation of a checkpoint from end to end."""

from pathlib import Path
from typing import Any

import numpy as np

from jaxdistort.training.checkpoints import TrainedModel, load_trained
from jaxdistort.cli.console import progress_bar, stoppable
from jaxdistort.data import VIEWS, BrokenPictures, default_workers, open_database, open_pictures
from jaxdistort.errors import choose
from jaxdistort.evaluation.checks import check_counts, jpeg_quality_of, split_to_judge
from jaxdistort.evaluation.database_reports import predictions_rows, report_database
from jaxdistort.evaluation.databases import judge_database
from jaxdistort.evaluation.mistakes import worst_on_database
from jaxdistort.evaluation.predicting import make_predictor
from jaxdistort.reporting.files import write_outcome, write_report
from jaxdistort.evaluation.reports import make_report
from jaxdistort.protocols import PROTOCOLS, Protocol
from jaxdistort.runtime.mesh import create_mesh, replicated


def evaluate_checkpoint(
  checkpoint: str | Path,
  data: str,
  *,
  output: Path,
  protocol: str | None = None,
  split: str = "auto",
  jpeg_quality: int | None = None,
  batch_size: int = 64,
  workers: int | None = None,
  weights: str | None = None,
) -> dict[str, Any]:
  """Judges a trained network on clean pictures that a protocol distorts.

  Every original appears once in each slot of the protocol's period (each class of `six`; 1 : 4 : 4 in
  `variable`), always distorted in the same way.

  Args:
    checkpoint: a run's folder (its best checkpoint) or one checkpoint.
    data: see `parse_sources`.
    output: folder for the files of `write_outcome` and, if pictures cannot be read, broken_pictures.jsonl.
    protocol: by name; the one of the training if None.
    split: all, train, validation or test; auto is all, but test if any of the sources served the training.
    jpeg_quality: 1..100, 0 for no JPEG; as in the training if None.
    batch_size: distorted pictures a batch, about.
    workers: decoding processes, 0 for threads; one fewer than processors if None.
    weights: of the base of a transfer network, where they are not where the training found them.

  Returns:
    The report: see `make_report`; and where its figures come from.

  Raises:
    InputError: a path, name or value that cannot be used.
  """
  check_counts(batch_size, workers)
  mesh = create_mesh()
  trained = load_trained(checkpoint, replicated(mesh), weights)
  law = _protocol(trained, protocol, jpeg_quality)
  known = trained.config.create_protocol().class_names  # may be more than the protocol draws
  labels = np.array([known.index(choose(f"class of {law.name}", name, known)) for name in law.class_names])
  split = split_to_judge(split, data, [trained])
  pictures = open_pictures(data, split)
  output.mkdir(parents=True, exist_ok=True)
  (output / "broken_pictures.jsonl").unlink(missing_ok=True)
  broken = BrokenPictures(output / "broken_pictures.jsonl", trained.config.data.image_size)
  predict = make_predictor(
    trained.structure,
    law,
    mesh,
    image_size=trained.config.data.image_size,
    batch_size=batch_size,
    workers=default_workers() if workers is None else workers,
    on_broken=broken.add,
    measure=True,
    labels=labels,
  )
  with stoppable(progress_bar(len(pictures), unit="picture", title="evaluating", leave=False)) as advance:
    outcome = predict(trained.variables, pictures, advance)
  origin = {
    "checkpoint": str(trained.path),
    "step": trained.step,
    "model": trained.config.model.name,
    "data": data,
    "split": split,
    "trained_for": trained.config.protocol.name,
    "trained_on": trained.config.data.source,
    "trained_jpeg": trained.config.protocol.jpeg_quality,
    "protocol": law.name,
    "jpeg_quality": law.jpeg_quality or 0,
    "broken": len(broken),
  }
  report = origin | make_report(outcome.predictions, known)
  write_outcome(report, outcome, pictures, output)
  return report


def evaluate_on_database(
  checkpoint: str | Path,
  data: str,
  *,
  output: Path,
  views: tuple[str, ...] = ("pad",),
  jpeg_quality: int | None = None,
  batch_size: int = 64,
  workers: int | None = None,
  weights: str | None = None,
) -> dict[str, Any]:
  """Judges a trained network on a database of pictures that others distorted.

  Args:
    checkpoint: a run's folder (its best checkpoint) or one checkpoint.
    data: see `open_database`.
    output: folder for the files of `write_report`.
    views: names in `VIEWS`.
    jpeg_quality: 1..100, of a JPEG step before the network, 0 for none; as in the training if None.
    batch_size: squares a batch, about.
    workers: decoding processes, 0 for threads; one fewer than processors if None.
    weights: of the base of a transfer network, where they are not where the training found them.

  Returns:
    Where the figures come from, and those of `report_database`: of a single view beside it, of several under
    views[name].

  Raises:
    InputError: a path, name or value that cannot be used.
  """
  check_counts(batch_size, workers)
  views = tuple(dict.fromkeys(choose("view", view, VIEWS) for view in views))
  database = open_database(data)
  mesh = create_mesh()
  trained = load_trained(checkpoint, replicated(mesh), weights)
  quality = jpeg_quality_of(trained, jpeg_quality)
  class_names = trained.config.create_protocol().class_names
  output.mkdir(parents=True, exist_ok=True)
  with stoppable(progress_bar(len(database.pictures), unit="picture", title="evaluating", leave=False)) as advance:
    verdicts = judge_database(
      trained,
      database,
      views,
      mesh,
      jpeg_quality=quality or None,
      batch_size=batch_size,
      workers=default_workers() if workers is None else workers,
      on_progress=advance,
    )
  figures, sections = {}, {}
  for view in views:
    figures[view], predictions = report_database(database, verdicts, view, class_names)
    sections[view] = figures[view], worst_on_database(database, predictions, class_names)
  unreadable = [f"{database.pictures[number].path}: {reason}" for number, reason in verdicts.broken.items()]
  origin = {
    "checkpoint": str(trained.path),
    "step": trained.step,
    "model": trained.config.model.name,
    "data": data,
    "database": database.name,
    "score": database.score,
    "labels": dict(database.labels),
    "trained_for": trained.config.protocol.name,
    "trained_on": trained.config.data.source,
    "trained_jpeg": trained.config.protocol.jpeg_quality,
    "jpeg_quality": quality,
    "broken": len(unreadable),
    "problems": [*database.problems, *unreadable],
  }
  report = origin | ({"view": views[0]} | figures[views[0]] if len(views) == 1 else {"views": figures})
  write_report(report, sections, predictions_rows(database, verdicts, class_names), output)
  return report


def _protocol(trained: TrainedModel, name: str | None, jpeg_quality: int | None) -> Protocol:
  """The protocol of an evaluation: as in the training where nothing else is said."""
  name = choose("protocol", name or trained.config.protocol.name, PROTOCOLS)
  return PROTOCOLS[name](jpeg_quality_of(trained, jpeg_quality) or None)
