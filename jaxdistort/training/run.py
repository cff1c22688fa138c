"""The parts of a training run, and the loop over its steps."""

import functools
import json
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdistort.training.checkpoints import Checkpoints
from jaxdistort.config import TrainConfig
from jaxdistort.cli.console import progress_bar
from jaxdistort.data import (
  BrokenPictures,
  bytes_per_device,
  default_workers,
  load_resident,
  open_pictures,
  placement_of,
)
from jaxdistort.errors import InputError
from jaxdistort.evaluation import Outcome, draw_grid, make_predictor, make_report, write_outcome
from jaxdistort.models import Variables, count_parameters
from jaxdistort.runtime.processes import any_of, is_first, own_name, say
from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.training.feeding import Batches, Feed, ResidentFeed, host_feed
from jaxdistort.training.monitor import Monitor
from jaxdistort.training.optimizers import create_optimizer
from jaxdistort.training.records import Metrics
from jaxdistort.training.sampling import make_sampler
from jaxdistort.training.step import create_state, make_update
from jaxdistort.weights import WeightsFile, refer

Report = dict[str, Any]
StopAsked = Callable[[], bool]


class Run:
  """The parts of a run, built once.

  Args:
    config: of the run.
    base: file of the weights that the network stands on, if any.
    workdir: the run's folder, made if need be.

  Raises:
    InputError: pictures, devices or weights do not fit the config.
  """

  def __init__(self, config: TrainConfig, base: WeightsFile | None, workdir: Path):
    self.config, self.workdir = config, workdir
    self.mesh = create_mesh(config.fsdp)
    _check_batch(config, self.mesh.devices.size)
    self.pictures = {split: open_pictures(config.data.source, split) for split in ("train", "validation", "test")}
    self.workers = default_workers() if config.data.workers < 0 else config.data.workers
    self.protocol = config.create_protocol()
    optimizer = create_optimizer(config.optimizer, config.steps)
    self.structure, self.state, self.frozen = create_state(
      config.create_network, optimizer, config.seed, self.mesh, base
    )
    self.reference = refer(config.model.name, config.model.weights, config.model.fine_tune, base)
    size, side = config.data.image_size, config.data.training_side
    self.sample = make_sampler(self.protocol, self.mesh, seed=config.seed, size=size, augment=config.data.augment)
    self.update = make_update(
      self.structure, optimizer, self.sample, self.mesh, seed=config.seed, accumulate=config.accumulate
    )
    self.batches = Batches(self.pictures["train"], self.pictures["train"].order(config.seed), side, config.batch_size)
    placement = placement_of(config.data.placement, len(self.pictures["train"]), side, self.mesh)
    self.placement = "host" if any_of(placement == "host") else placement  # the same for all processes
    self.broken = BrokenPictures(workdir / own_name("broken_pictures.jsonl"), size)
    self.predict = make_predictor(
      self.structure,
      self.protocol,
      self.mesh,
      image_size=size,
      batch_size=config.batch_size,
      workers=self.workers,
      on_broken=self.broken.add,
    )
    for split, needed in (("train", side), ("validation", size), ("test", size)):
      self.pictures[split].load_or_next(0, needed)  # told now, not after hours of training
    workdir.mkdir(parents=True, exist_ok=True)

  @property
  def variables(self) -> Variables:
    return Variables(self.state.parameters, self.state.statistics, self.frozen)

  def introduction(self, done: int) -> str:
    config, sizes = self.config, {split: len(pictures) for split, pictures in self.pictures.items()}
    trained, total = count_parameters(self.variables)
    base = f" on {self.reference.name} weights" if self.reference.name else ""
    begin = f"resuming at step {done}" if done else "a new run"
    processes = f" of {jax.process_count()} processes" if jax.process_count() > 1 else ""
    return (
      f"{config.model.name}{base}: {trained:,} trainable of {total:,} parameters, {config.data.image_size} px; "
      f"{self.protocol.name}: {len(self.protocol.classes)} classes\n"
      f"{config.data.source}: {sizes['train']} pictures for training ({self._told_placement()}), "
      f"{sizes['validation']} for validation, {sizes['test']} for test\n"
      f"{self.mesh.devices.size} x {jax.devices()[0].device_kind}{processes}, {config.steps} steps of "
      f"{config.batch_size} pictures; {begin} in {self.workdir}"
    )

  def _told_placement(self) -> str:
    if self.placement == "host":
      return "from the host"
    needed = bytes_per_device(len(self.pictures["train"]), self.batches.side, self.mesh)
    return f"{needed / 1e9:.2g} GB on each device"

  def train_from(self, done: int, checkpoints: Checkpoints, stop_asked: StopAsked) -> bool:
    """Trains from step `done` to the last; False if a signal stopped it before."""
    config, pictures = self.config, self.pictures["train"]
    if done:
      self.state, position = checkpoints.restore(done, self.state)
      if position["pictures"] != repr(pictures):
        say(f"the training pictures have changed since step {done}: the run goes on, but an unbroken one would differ")
    with (
      Metrics(self.workdir, done) as metrics,
      self._feed(done) as feed,
      progress_bar(config.steps, done, unit="step", title="training", shown=is_first()) as bar,
    ):
      monitor = Monitor(
        bar, metrics, batch_size=config.batch_size, log_every=config.log_every, last_good=checkpoints.describe_latest
      )
      if not done:
        self._draw_first(feed.first_images())
      for step, count in dispatches(done, config.steps, config.evaluate_every, feed.most):
        self.state, step_metrics = feed.advance(self.state, self.frozen, count)
        monitor.add(step - count + 1, count, step_metrics)
        last = step == config.steps
        evaluate = last or step % config.evaluate_every == 0
        stop = self._stop(stop_asked, step, count, evaluate)
        if evaluate or stop:
          monitor.drain()  # nothing that is not finite is saved
          report = self._validate(step, monitor, metrics) if evaluate else None
          checkpoints.save(self.state, config, {"next_batch": step, "pictures": repr(pictures)}, report)
          if stop and not last:
            checkpoints.wait()
            return False
    checkpoints.wait()
    return True

  def _stop(self, stop_asked: StopAsked, step: int, count: int, evaluate: bool) -> bool:
    """Whether a signal asks for the end; of several processes all stop at the same step, and so ask now and then."""
    if jax.process_count() == 1:
      return stop_asked()
    due = evaluate or step // self.config.log_every != (step - count) // self.config.log_every
    return due and any_of(stop_asked())

  def _validate(self, step: int, monitor: Monitor, metrics: Metrics) -> Report:
    report = make_report(self._predict("validation").predictions, self.protocol.class_names)
    if not math.isfinite(report["loss"]):
      monitor.tell_divergence(step, f"validation loss is {report['loss']}")
    metrics.write(step, {f"validation_{name}": report[name] for name in ("loss", "accuracy")})
    monitor.tell(f"step {step}: validation accuracy {report['accuracy']:.4f}, loss {report['loss']:.4f}")
    return report

  def _feed(self, done: int) -> AbstractContextManager[Feed]:
    config, batches = self.config, self.batches
    report = functools.partial(self.broken.add, batches.pictures)
    if self.placement == "host":
      return host_feed(self.update, batches, self.mesh, first_batch=done, workers=self.workers, on_broken=report)
    with progress_bar(len(batches.pictures), unit="picture", title="reading", leave=False, shown=is_first()) as bar:
      resident = load_resident(batches.pictures, batches.side, self.mesh, workers=self.workers, on_progress=bar.update)
    report(resident.broken)
    return nullcontext(ResidentFeed(self.update, resident, batches, self.mesh, most=config.dispatched_steps))

  def _draw_first(self, images: jax.Array) -> None:
    samples = jax.jit(self.sample, out_shardings=replicated(self.mesh))(self.state.step, images)  # compiles once more
    if is_first():
      names = [self.protocol.class_names[label].replace("_", " ") for label in samples.labels.tolist()]
      draw_grid(np.asarray(samples.images[:28]), names, self.workdir / "first_batch.png")

  def _predict(self, split: str) -> Outcome:
    with progress_bar(len(self.pictures[split]), unit="picture", title=split, leave=False, shown=is_first()) as bar:
      return self.predict(self.variables, self.pictures[split], bar.update)

  def evaluate_best(self, checkpoints: Checkpoints) -> dict[str, Report]:
    """Writes and returns the reports of the checkpoint with the best validation accuracy."""
    best = checkpoints.best_step
    assert best is not None  # every training ends with a checkpoint
    self.state, _ = checkpoints.restore(best, self.state)
    origin = {
      "checkpoint": str(checkpoints.place(best)),
      "step": best,
      "model": self.config.model.name,
      "data": self.config.data.source,
      "trained_for": self.protocol.name,
      "protocol": self.protocol.name,
      "jpeg_quality": self.protocol.jpeg_quality or 0,
    }
    reports = {}
    for split in ("validation", "test"):
      outcome = self._predict(split)
      reports[split] = origin | {"split": split} | make_report(outcome.predictions, self.protocol.class_names)
      if is_first():
        write_outcome(reports[split], outcome, self.pictures[split], self.report_folder(split))
    return reports

  def report_folder(self, split: str) -> Path:
    return self.workdir / "evaluation" / split

  def finished_reports(self, step: int | None) -> dict[str, Report] | None:
    """The reports, if both are there and of this step's checkpoint."""
    files = {split: self.report_folder(split) / "report.json" for split in ("validation", "test")}
    if not all(file.exists() for file in files.values()):
      return None
    reports = {split: json.loads(file.read_text()) for split, file in files.items()}
    return reports if all(report["step"] == step for report in reports.values()) else None


def dispatches(done: int, steps: int, evaluate_every: int, most: int) -> Iterator[tuple[int, int]]:
  """Divides the steps after `done`: (last step, count of steps), none across an evaluation, none longer than `most`."""
  while done < steps:
    end = min(steps, (done // evaluate_every + 1) * evaluate_every, done + most)
    yield end, end - done
    done = end


def _check_batch(config: TrainConfig, devices: int) -> None:
  parts = devices * config.accumulate
  if config.batch_size % parts:
    accumulated = f", {config.accumulate} parts on each" if config.accumulate > 1 else ""
    raise InputError(f"config: batch_size {config.batch_size} cannot be split over {devices} devices{accumulated}")
