"""A training run from its first picture to its report, on one page."""

import functools
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdistort.config import TrainConfig
from jaxdistort.data import Seen, load_resident
from jaxdistort.errors import NothingReadable
from jaxdistort.evaluation import origin_of, report_outcome
from jaxdistort.files import read_json, write_json
from jaxdistort.locking import locked
from jaxdistort.progress import SILENT, Progress
from jaxdistort.reporting import draw_grid, format_figures, write_evaluation
from jaxdistort.runtime.mesh import replicated
from jaxdistort.runtime.processes import any_of, is_first, losses_awaited
from jaxdistort.training.checkpoints import Checkpoints
from jaxdistort.training.evaluators import Evaluator, Validation, not_finite
from jaxdistort.training.feeding import Feed, ResidentFeed, host_feed
from jaxdistort.training.monitor import Monitor
from jaxdistort.training.parts import Parts, create_parts
from jaxdistort.training.records import Metrics
from jaxdistort.training.rescue import reports_repeatable, saved_on_failure
from jaxdistort.training.resuming import free_fields, settle

Reports = dict[str, dict[str, Any]]


def train(
  config: TrainConfig, workdir: Path, *, progress: Progress = SILENT, evaluators: Sequence[Evaluator] = ()
) -> Reports | None:
  """Trains a network, or goes on where the run in `workdir` stopped, and evaluates its best checkpoint.

  Writes below `workdir`: config.json, checkpoints/, metrics.jsonl, tensorboard/, first_batch.png,
  broken_pictures.jsonl (if any), evaluation/validation/ and evaluation/test/. Where several processes share the run
  (`jaxdistort.runtime.processes.join`), each calls this function with the same arguments; `workdir` must be the same
  folder for all, the first process writes, and all return the same.

  Args:
    config: of the run.
    workdir: its folder, made if need be.
    progress: hears of the run; when it asks to stop, the run is saved and can go on later.
    evaluators: more of them, called after the validation.

  Returns:
    The reports "validation" and "test", ready for JSON, without one whose pictures cannot be read; None if the run was
    asked to stop.

  Raises:
    InputError: something in the config cannot be used, `workdir` holds a run with another config, or another process
      is training there.
    TrainingDiverged: the loss is not finite any more.
    CheckpointFailed: the disk does not take a checkpoint.
    WorkFailed: a disk, or a process that decodes, failed otherwise; the message says from where the run goes on.
  """
  with locked(workdir) if is_first() else nullcontext():
    return _train(config, workdir, progress, evaluators)


def _train(config: TrainConfig, workdir: Path, progress: Progress, evaluators: Sequence[Evaluator]) -> Reports | None:
  # What is trained, on what, and where.
  config = settle(config, workdir)
  config.validate()
  backbone = config.open_backbone()
  config = config.resolved(backbone)
  parts = create_parts(config, backbone, workdir, progress)
  with losses_awaited(), Checkpoints(workdir, parts.description, parts.backbone) as checkpoints:
    checkpoints.check_description()
    if is_first():
      write_json(workdir / "config.json", config.to_dict())
    done = checkpoints.latest_step or 0

    # Finished before?
    reports = _finished_reports(workdir, checkpoints.best_step) if done >= config.steps else None
    if reports:
      longer = ", more steps go on" if "steps" in free_fields(config) else ""
      progress.tell(f"{workdir} is finished ({done} steps); another workdir begins anew{longer}")
      return reports

    # The steps.
    progress.tell(parts.introduce(done))
    judges: list[Evaluator] = [Validation(parts.judge, parts.task, parts.pictures["validation"]), *evaluators]
    if done < config.steps and not _train_from(done, parts, checkpoints, judges, progress):
      progress.tell(f"stopped and saved at step {checkpoints.latest_step}; the same command goes on from there")
      return None

    # How good the best is.
    with reports_repeatable(checkpoints):
      reports = _evaluate_best(parts, checkpoints, progress)
  if len(parts.broken):
    progress.tell(f"\n{len(parts.broken)} pictures could not be read and were skipped: {parts.broken.path}")
  if parts.broken.remarked:
    progress.tell(f"\n{parts.broken.remarked} pictures were used, with remarks: {parts.broken.path}")
  return reports


def _train_from(
  done: int, parts: Parts, checkpoints: Checkpoints, evaluators: Sequence[Evaluator], progress: Progress
) -> bool:
  """Trains from step `done` to the last; False if it was asked to stop before."""
  config, pictures, position = parts.config, parts.pictures["train"].fingerprint(), {}
  if done:
    parts.state, position = checkpoints.restore(done, parts.state)
    if position["pictures"] != pictures:
      progress.tell(
        f"the training pictures have changed since step {done}: the run goes on, but an unbroken one would differ"
      )
    parts.seen |= Seen.from_text(position["seen"])
  seen = parts.seen.to_text()
  with (
    Metrics(parts.workdir, done, position.get("unwritten", ()), progress) as metrics,
    _feed(parts, done, progress) as feed,
    progress.bar(config.steps, done=done, unit="step", title="training") as bar,
  ):
    monitor = Monitor(
      bar, metrics, batch_size=config.batch_size, log_every=config.log_every, last_good=checkpoints.describe_latest
    )

    def save(step: int, figures: dict[str, float] | None) -> None:
      monitor.drain()  # nothing that is not finite is saved
      where = {"next_batch": step, "pictures": pictures, "seen": seen, "unwritten": metrics.unwritten}
      checkpoints.save(parts.state, config, where, figures)

    def rescue() -> None:
      checkpoints.wait()
      step = int(parts.state.step)
      if step != checkpoints.latest_step and not _is_due(config, step):  # whose evaluation nobody would make up for
        save(step, None)
        checkpoints.wait()

    with saved_on_failure(checkpoints, rescue):
      if not done:
        _draw_first(parts, feed.first_images())
      for step, count in dispatches(done, config.steps, config.evaluate_every, feed.most):
        parts.state, step_metrics = feed.advance(parts.state, parts.frozen, count)
        monitor.add(step - count + 1, count, step_metrics)
        checkpoints.check()
        evaluate = _is_due(config, step)
        stop = _stop_asked(progress, metrics, parts, step, count)
        if evaluate or stop:
          monitor.drain()
          save(step, _evaluate(step, parts, evaluators, monitor, metrics, progress) if evaluate else None)
        if stop:
          break
      checkpoints.wait()
      if metrics.failure:
        raise metrics.failure
  return checkpoints.latest_step == config.steps


def _is_due(config: TrainConfig, step: int) -> bool:
  """Whether a step ends with an evaluation."""
  return step == config.steps or step % config.evaluate_every == 0


def _evaluate(
  step: int,
  parts: Parts,
  evaluators: Sequence[Evaluator],
  monitor: Monitor,
  metrics: Metrics,
  progress: Progress,
) -> dict[str, float] | None:
  """The figures of the first evaluator, the validation; all are recorded. None without a picture to judge it by."""
  found: dict[str, dict[str, float]] = {}
  for evaluator in evaluators:
    try:
      found[evaluator.name] = evaluator(parts.variables, _Unstoppable(progress))
    except NothingReadable as error:  # what was learnt is saved all the same
      progress.tell(f"step {step}: no {evaluator.name}: {error}")
  for name, figures in found.items():
    if wrong := not_finite(figures):
      monitor.report_divergence(step, f"{name}: {', '.join(wrong)}")
    metrics.write(step, {f"{name}_{figure}": value for figure, value in figures.items()})
    progress.tell(f"step {step}: {name} " + ", ".join(f"{n.replace('_', ' ')} {v:.4f}" for n, v in figures.items()))
  return found.get(evaluators[0].name)


class _Unstoppable(Progress):
  """Passes bars on, but no wish to stop: an evaluation within a run is finished, then the run is saved."""

  def __init__(self, progress: Progress):
    self.bar = progress.bar


def _stop_asked(progress: Progress, metrics: Metrics, parts: Parts, step: int, count: int) -> bool:
  """Whether to end; of several processes all stop at the same step, and so ask each other now and then."""
  asked = progress.stop_asked() or metrics.failure is not None
  if jax.process_count() == 1:
    return asked
  due = _is_due(parts.config, step) or step // parts.config.log_every != (step - count) // parts.config.log_every
  return due and any_of(asked)


def _feed(parts: Parts, done: int, progress: Progress) -> AbstractContextManager[Feed]:
  batches = parts.batches
  report = functools.partial(parts.broken.add, batches.pictures)
  if parts.placement == "host":
    options = {"first_batch": done, "workers": parts.workers, "on_broken": report}
    return host_feed(parts.update, batches, **options)
  resident = load_resident(batches.pictures, batches.side, parts.mesh, workers=parts.workers, progress=progress)
  report(resident.broken, resident.remarked)
  most = parts.config.dispatched_steps
  return nullcontext(ResidentFeed(parts.update, resident, batches, most=most))


def _draw_first(parts: Parts, images: jax.Array) -> None:
  # Compiles the distortion once more.
  distorted, targets = jax.jit(parts.update.sample, out_shardings=replicated(parts.mesh))(parts.state.step, images)
  if is_first():
    names = parts.task.truth_in_words(jax.device_get(targets))
    titles = [name.replace("_", " ") for name in names]
    draw_grid(np.asarray(distorted[:28]), titles, parts.workdir / "first_batch.png")


def _evaluate_best(parts: Parts, checkpoints: Checkpoints, progress: Progress) -> Reports:
  """Writes and returns the reports of the best checkpoint, of the splits that have a picture to judge it by."""
  best = checkpoints.best_step
  assert best is not None  # every training ends with a checkpoint
  parts.state, position = checkpoints.restore(best, parts.state)
  parts.seen |= Seen.from_text(position["seen"])  # of a run whose steps were all made before
  recogniser = parts.recogniser(checkpoints.place(best), best)
  reports = {}
  for split in ("validation", "test"):
    pictures, folder = parts.pictures[split], _report_folder(parts.workdir, split)
    try:
      outcome = parts.judge(parts.variables, pictures, progress)
    except NothingReadable as error:
      if is_first():
        (folder / "report.json").unlink(missing_ok=True)  # of an earlier checkpoint
      progress.tell(f"\n{split}: no report: {error}")
      continue
    quality = parts.protocol.jpeg_quality or 0
    origin = origin_of(
      recogniser, data=parts.config.data.source, jpeg_quality=quality, split=split, protocol=parts.protocol.name
    )
    evaluation = report_outcome(recogniser, outcome, pictures, origin)
    reports[split] = evaluation.report.to_dict()
    if is_first():
      write_evaluation(evaluation, folder)
    progress.tell(f"\n{split} ({folder})\n{format_figures(evaluation.report.figures)}")
  return reports


def _report_folder(workdir: Path, split: str) -> Path:
  return workdir / "evaluation" / split


def _finished_reports(workdir: Path, step: int | None) -> Reports | None:
  """The reports, if both are there, whole, and of this step's checkpoint."""
  reports = {split: read_json(_report_folder(workdir, split) / "report.json") for split in ("validation", "test")}
  return reports if all(report.get("step") == step for report in reports.values()) else None


def dispatches(done: int, steps: int, evaluate_every: int, most: int) -> Iterator[tuple[int, int]]:
  """Divides the steps after `done`: (last step, count of steps), none across an evaluation, none longer than `most`."""
  while done < steps:
    end = min(steps, (done // evaluate_every + 1) * evaluate_every, done + most)
    yield end, end - done
    done = end
