"""A training run that ends when its time is over, and the curves that it leaves."""

import csv
import dataclasses
import importlib.util
import io
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from jaxdistort.config import TrainConfig
from jaxdistort.data import open_pictures
from jaxdistort.evaluation import evaluate_on_protocol
from jaxdistort.files import read_rows, write_json, write_whole
from jaxdistort.inference import load
from jaxdistort.progress import Bar, Progress
from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.training import train

_STUDY = 200_000  # pictures of an epoch of the study's first data set


class Deadline(Progress):
  """Asks the training, and nothing else, to stop at a moment.

  Args:
    end: of the training, as `time.monotonic` counts.
    on_news: is called when something was said: at the start, after each validation, at the end.
  """

  def __init__(self, end: float, on_news: Callable[[], None]):
    self._end, self._on_news = end, on_news
    self._training = False

  def tell(self, text: str) -> None:
    print(f"   {text}", flush=True)
    self._on_news()

  @contextmanager
  def bar(self, total: int, *, unit: str, title: str, done: int = 0) -> Generator[Bar]:
    del total, title, done
    before, self._training = self._training, unit == "step"
    try:
      yield Bar()
    finally:
      self._training = before

  def stop_asked(self) -> bool:
    return self._training and time.monotonic() > self._end


def with_steps_for(config: TrainConfig, seconds: float, pictures_per_second: float, evaluations: int) -> TrainConfig:
  """The config with as many steps as fit a time, over which a cosine takes the learning rate to 0.

  Args:
    config: of the run.
    seconds: of training.
    pictures_per_second: that training makes.
    evaluations: validations on the way.
  """
  steps = max(evaluations, int(seconds * pictures_per_second / config.batch_size))
  optimizer = dataclasses.replace(
    config.optimizer, schedule="cosine", warmup_steps=min(config.optimizer.warmup_steps, steps // 10)
  )
  return dataclasses.replace(config, optimizer=optimizer, steps=steps, evaluate_every=-(-steps // evaluations))


def train_until(config: TrainConfig, end: float, workdir: Path, output: Path) -> list[dict[str, Any]]:
  """Trains until a moment, or to the last step, and judges the best checkpoint on validation and test pictures.

  Writes PROTOCOL.csv and, where matplotlib is installed, PROTOCOL.png (the curves, anew at each validation), and
  PROTOCOL.json (both reports) into `output`.

  Args:
    config: of the run.
    end: of the training, as `time.monotonic` counts; the evaluation comes behind it.
    workdir: of the run, with its checkpoints.
    output: folder for the small files.

  Returns:
    A row.

  Raises:
    InputError: something in the config cannot be used.
    TrainingDiverged: the loss is not finite any more.
    CheckpointFailed: the disk does not take a checkpoint.
  """
  name, metrics = config.protocol.name, workdir / "metrics.jsonl"
  start = time.monotonic()
  reports = train(config, workdir, progress=Deadline(end, lambda: write_curves(metrics, output / name)))
  stopped = reports is None
  if reports is None:
    recogniser = load(workdir, sharding=replicated(create_mesh()))
    options: dict[str, Any] = {"batch_size": config.batch_size, "workers": config.data.workers}
    reports = {
      split: evaluate_on_protocol(recogniser, config.data.source, split=split, **options).report.to_dict()
      for split in ("validation", "test")
    }
  write_curves(metrics, output / name)
  write_json(output / f"{name}.json", reports)
  rows = read_rows(metrics)
  rates = [row["pictures_per_second"] for row in rows if "pictures_per_second" in row]
  rate = float(np.median(rates)) if rates else None
  figures = {split: next(iter(report["views"].values())) for split, report in reports.items()}
  row = {
    "op": f"{config.model.name} trained in {name}",
    "library": "jaxdistort",
    "model": config.model.name,
    "protocol": name,
    "data": config.data.source,
    "training_pictures": len(open_pictures(config.data.source, "train")),
    "batch_size": config.batch_size,
    "size": config.data.image_size,
    "steps": max((row["step"] for row in rows), default=0),
    "steps_planned": config.steps,
    "stopped": stopped,
    "seconds": time.monotonic() - start,
    "pictures_per_second": rate,
    "seconds_per_200000_pictures": _STUDY / rate if rate else None,
  }
  for split, found in figures.items():
    row[f"{split}_accuracy"], row[f"{split}_interval"] = found["accuracy"], found["intervals"].get("accuracy")
    row[f"{split}_pictures"] = found["pictures"]
  return [row]


def write_curves(metrics: Path, stem: Path) -> None:
  """Writes the rows of metrics.jsonl as STEM.csv and, where matplotlib is installed, as STEM.png.

  Args:
    metrics: of a run; nothing is written while it has no rows.
    stem: the files' path without suffix.
  """
  rows = read_rows(metrics)
  if not rows:
    return
  columns = list(dict.fromkeys(name for row in rows for name in row))
  text = io.StringIO(newline="")
  table = csv.DictWriter(text, columns, lineterminator="\n")
  table.writeheader()
  table.writerows(rows)
  write_whole(stem.with_suffix(".csv"), text.getvalue())
  if importlib.util.find_spec("matplotlib"):
    _draw(rows, stem.with_suffix(".png"))


def _draw(rows: list[dict[str, float]], path: Path) -> None:
  from matplotlib.figure import Figure

  figure = Figure(figsize=(10, 4), layout="constrained")
  for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
    for column, label in ((name, "training"), (f"validation_{name}", "validation")):
      points = [(row["step"], row[column]) for row in rows if column in row]
      axes.plot(*zip(*points, strict=True) if points else ([], []), ".-" if column != name else "-", label=label)
    axes.set_xlabel("step")
    axes.set_ylabel(name)
    axes.legend()
  content = io.BytesIO()
  figure.savefig(content, format="png", dpi=100)
  write_whole(path, content.getvalue())
