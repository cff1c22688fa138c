"""A training run from its first picture to its report."""

from pathlib import Path
from typing import Any

from jaxdistort.training.checkpoints import Checkpoints
from jaxdistort.config import TrainConfig
from jaxdistort.cli.console import stop_signals
from jaxdistort.evaluation import format_report
from jaxdistort.files import write_json
from jaxdistort.runtime.processes import is_first, losses_told, say
from jaxdistort.training.resuming import check_same_run, free_fields
from jaxdistort.training.run import Run

Report = dict[str, Any]

_STOPPING = "stopping after this step, with a checkpoint; once more to stop at once"


def train(config: TrainConfig, workdir: Path) -> dict[str, Report] | None:
  """Trains a network, or goes on where the run in `workdir` stopped, and evaluates its best checkpoint.

  Writes below `workdir`: config.json, checkpoints/, metrics.jsonl, tensorboard/, first_batch.png,
  broken_pictures.jsonl (if any), evaluation/validation/ and evaluation/test/. Where several processes share the run
  (`jaxdistort.runtime.processes.join`), each calls this function with the same arguments; `workdir` must be the same folder for
  all, the first process writes and prints, and all return the same.

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
  check_same_run(config, workdir)
  run = Run(config, base, workdir)
  with losses_told(), Checkpoints(workdir, run.reference) as checkpoints, stop_signals(_STOPPING) as stop_asked:
    checkpoints.check_base()
    if is_first():
      write_json(workdir / "config.json", config.to_dict())
    done = checkpoints.latest_step or 0
    reports = run.finished_reports(checkpoints.best_step) if done >= config.steps else None
    if reports:
      longer = ", more steps go on" if "steps" in free_fields(config) else ""
      say(f"{workdir} is finished ({done} steps); another workdir begins anew{longer}")
    else:
      say(run.introduction(done))
      if done < config.steps and not run.train_from(done, checkpoints, stop_asked):
        say(f"stopped and saved at step {checkpoints.latest_step}; the same command goes on from there")
        return None
      reports = run.evaluate_best(checkpoints)
  for split, report in reports.items():
    say(f"\n{split} ({run.report_folder(split)})\n{format_report(report)}")
  if len(run.broken):
    say(f"\n{len(run.broken)} pictures could not be read and were skipped: {run.broken.path}")
  return reports
