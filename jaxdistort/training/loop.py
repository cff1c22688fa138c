"""A training run from its first picture to its report."""

import json
import math
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdistort.checkpoints import Checkpoints
from jaxdistort.config import TrainConfig
from jaxdistort.console import progress_bar
from jaxdistort.data import BrokenPictures, CleanBatch, default_workers, open_pictures, training_batches
from jaxdistort.data.sources import same_sources
from jaxdistort.errors import InputError
from jaxdistort.evaluation import Outcome, draw_grid, format_report, make_predictor, make_report, write_outcome
from jaxdistort.files import write_whole
from jaxdistort.models import Variables, count_parameters
from jaxdistort.sharding import create_mesh, data_sharding
from jaxdistort.training.monitor import Monitor
from jaxdistort.training.optimizers import create_optimizer
from jaxdistort.training.records import Metrics
from jaxdistort.training.step import create_state, make_sampler, make_train_step
from jaxdistort.weights import WeightsFile, refer

Report = dict[str, Any]
StopAsked = Callable[[], bool]


def train(config: TrainConfig, workdir: Path) -> dict[str, Report] | None:
  """Trains a network, or goes on where the run in `workdir` stopped, and evaluates its best checkpoint.

  Writes below `workdir`: config.json, checkpoints/, metrics.jsonl, tensorboard/, first_batch.png,
  broken_pictures.jsonl (if any), evaluation/validation/ and evaluation/test/.

  Args:
    config: of the run.
    workdir: its folder, made if need be.

  Returns:
    The reports "validation" and "test"; None if a signal stopped the run (which is saved).

  Raises:
    InputError: something in the config cannot be used, or `workdir` holds a run with another config.
    TrainingDiverged: the loss is not finite any more.
    CheckpointFailed: the disk does not take a checkpoint.
  """
  config.validate()
  base = config.open_base()
  config = config.with_scaling_of(base)
  _check_same_run(config, workdir)
  run = _Run(config, base, workdir)
  with Checkpoints(workdir, run.reference) as checkpoints, _stop_signals() as stop_asked:
    checkpoints.check_base()
    write_whole(workdir / "config.json", json.dumps(config.to_dict(), indent=2) + "\n")
    done = checkpoints.latest_step or 0
    reports = run.finished_reports(checkpoints.best_step) if done >= config.steps else None
    if reports:
      longer = ", more steps go on" if "steps" in _free_fields(config) else ""
      print(f"{workdir} is finished ({done} steps); another workdir begins anew{longer}")
    else:
      print(run.introduction(done))
      if done < config.steps and not run.train_from(done, checkpoints, stop_asked):
        print(f"stopped and saved at step {checkpoints.latest_step}; the same command goes on from there")
        return None
      reports = run.evaluate_best(checkpoints)
  for split, report in reports.items():
    print(f"\n{split} ({run.report_folder(split)})\n{format_report(report)}")
  if len(run.broken):
    print(f"\n{len(run.broken)} pictures could not be read and were skipped: {run.broken.path}")
  return reports


class _Run:
  """The parts of a run, built once."""

  def __init__(self, config: TrainConfig, base: WeightsFile | None, workdir: Path):
    self.config, self.workdir = config, workdir
    self.pictures = {split: open_pictures(config.data.source, split) for split in ("train", "validation", "test")}
    self.mesh = create_mesh()
    if config.batch_size % self.mesh.devices.size:
      raise InputError(f"config: batch_size {config.batch_size} cannot be split over {self.mesh.devices.size} devices")
    self.workers = default_workers() if config.data.workers < 0 else config.data.workers
    self.protocol = config.create_protocol()
    optimizer = create_optimizer(config.optimizer, config.steps)
    self.structure, self.state, self.frozen = create_state(
      config.create_network, optimizer, config.seed, self.mesh, base
    )
    self.reference = refer(config.model.name, config.model.weights, config.model.fine_tune, base)
    self.sample = make_sampler(self.protocol, self.mesh, seed=config.seed, flip=config.data.augment)
    self.train_step = make_train_step(self.structure, optimizer, self.sample, self.mesh, seed=config.seed)
    self.broken = BrokenPictures(workdir / "broken_pictures.jsonl", config.data.image_size)
    self.predict = make_predictor(
      self.structure,
      self.protocol,
      self.mesh,
      image_size=config.data.image_size,
      batch_size=config.batch_size,
      workers=self.workers,
      on_broken=self.broken.add,
    )
    for split in ("validation", "test"):
      self.pictures[split].load_or_next(0, config.data.image_size)  # told now, not after hours of training
    workdir.mkdir(parents=True, exist_ok=True)

  @property
  def variables(self) -> Variables:
    return Variables(self.state.parameters, self.state.statistics, self.frozen)

  def introduction(self, done: int) -> str:
    config, sizes = self.config, {split: len(pictures) for split, pictures in self.pictures.items()}
    trained, total = count_parameters(self.variables)
    base = f" on {self.reference.name} weights" if self.reference.name else ""
    begin = f"resuming at step {done}" if done else "a new run"
    return (
      f"{config.model.name}{base}: {trained:,} trainable of {total:,} parameters, {config.data.image_size} px; "
      f"{self.protocol.name}: {len(self.protocol.classes)} classes\n"
      f"{config.data.source}: {sizes['train']} pictures for training, {sizes['validation']} for validation, "
      f"{sizes['test']} for test\n"
      f"{self.mesh.devices.size} x {jax.devices()[0].device_kind}, {config.steps} steps of {config.batch_size} "
      f"pictures; {begin} in {self.workdir}"
    )

  def train_from(self, done: int, checkpoints: Checkpoints, stop_asked: StopAsked) -> bool:
    """Trains from step `done` to the last; False if a signal stopped it before."""
    config, pictures, names = self.config, self.pictures["train"], self.protocol.class_names
    next_batch = 0
    if done:
      self.state, position = checkpoints.restore(done, self.state)
      next_batch = position["next_batch"]
      if position["pictures"] != repr(pictures):
        print(
          f"the training pictures have changed since step {done}: the run goes on, but an unbroken one would differ"
        )
    with (
      Metrics(self.workdir, done) as metrics,
      self._batches(first_batch=next_batch) as batches,
      progress_bar(config.steps, done, unit="step", title="training") as bar,
    ):
      monitor = Monitor(
        bar, metrics, batch_size=config.batch_size, log_every=config.log_every, last_good=checkpoints.describe_latest
      )
      for step in range(done + 1, config.steps + 1):
        batch = next(batches)
        self._look_at(batch, first=step == 1)
        self.state, step_metrics = self.train_step(self.state, self.frozen, batch.images)
        monitor.add(step, step_metrics)
        stop, last = stop_asked(), step == config.steps
        evaluate = last or step % config.evaluate_every == 0
        if evaluate or stop:
          monitor.drain()  # nothing that is not finite is saved
          report = make_report(self._predict("validation").predictions, names) if evaluate else None
          if report and not math.isfinite(report["loss"]):
            monitor.tell_divergence(step, f"validation loss is {report['loss']}")
          if report:
            metrics.write(step, {f"validation_{name}": report[name] for name in ("loss", "accuracy")})
            bar.write(f"step {step}: validation accuracy {report['accuracy']:.4f}, loss {report['loss']:.4f}")
          checkpoints.save(self.state, config, {"next_batch": step, "pictures": repr(pictures)}, report)
          if stop and not last:
            checkpoints.wait()
            return False
    checkpoints.wait()
    return True

  def _batches(self, first_batch: int) -> AbstractContextManager[Iterator[CleanBatch]]:
    return training_batches(
      self.pictures["train"],
      size=self.config.data.image_size,
      batch_size=self.config.batch_size,
      seed=self.config.seed,
      first_batch=first_batch,
      augment=self.config.data.augment,
      workers=self.workers,
      sharding=data_sharding(self.mesh),
    )

  def _look_at(self, batch: CleanBatch, *, first: bool) -> None:
    self.broken.add(self.pictures["train"], batch.broken[batch.broken >= 0])
    if first:
      samples = jax.jit(self.sample)(self.state.step, batch.images)  # compiles the distortions once more
      names = [self.protocol.class_names[label].replace("_", " ") for label in samples.labels.tolist()]
      draw_grid(np.asarray(samples.images[:28]), names, self.workdir / "first_batch.png")

  def _predict(self, split: str) -> Outcome:
    with progress_bar(len(self.pictures[split]), unit="picture", title=split, leave=False) as bar:
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


def _check_same_run(config: TrainConfig, workdir: Path) -> None:
  """Raises InputError if `workdir` holds a run whose results another config made."""
  try:
    before = _flatten(json.loads((workdir / "config.json").read_text()))
  except FileNotFoundError:
    return
  except (OSError, ValueError) as error:
    raise InputError(f"workdir {workdir}: config.json cannot be read ({error}); give another workdir") from error
  if not any(path.name.isdigit() for path in workdir.glob("checkpoints/*")):
    return
  now = _flatten(config.to_dict())
  free = _free_fields(config)
  changed = [name for name in now if name not in free and before.get(name) != now[name]]
  if "data.source" in changed and same_sources(before["data.source"], now["data.source"]):
    changed.remove("data.source")
  if changed:
    told = ", ".join(f"{name}={before.get(name)!r} (now {now[name]!r})" for name in changed)
    raise InputError(f"workdir {workdir}: holds a run with {told}; give another workdir, or remove it to begin anew")


def _free_fields(config: TrainConfig) -> set[str]:
  """Fields that a resumed run may give other values: how long it is, how closely watched, where its weights lie.

  (That the weights are the same is for the checkpoint to say.)
  """
  length = set() if config.optimizer.schedule == "cosine" else {"steps"}  # a cosine ends at its last step
  return length | {"evaluate_every", "log_every", "data.workers", "model.weights"}


def _flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
  flat = {}
  for name, value in values.items():
    flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
  return flat


@contextmanager
def _stop_signals() -> Generator[StopAsked]:
  """Turns the first SIGINT or SIGTERM into a question to ask between steps; the second one acts at once."""
  asked: list[int] = []

  def remember(signal_number: int, frame: object) -> None:
    del frame
    if asked:
      raise KeyboardInterrupt
    asked.append(signal_number)
    print("\nstopping after this step, with a checkpoint; once more to stop at once", flush=True)

  if threading.current_thread() is not threading.main_thread():
    yield lambda: False
    return
  before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
  try:
    yield lambda: bool(asked)
  finally:
    for number, handler in before.items():
      signal.signal(number, handler)
