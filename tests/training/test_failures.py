"""Whatever fails around a run, it says so in one line and goes on from where it can, to the same end."""

import errno
import json
import os
import sys

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest

import jaxdistort
from jaxdistort.data import PictureSet
from jaxdistort.errors import CheckpointFailed, InputError, WorkerLost, WorkFailed
from jaxdistort.locking import locked
from jaxdistort.training import train
from jaxdistort.training.feeding import HostFeed
from jaxdistort.training.records import Metrics
from tests.training.tiny import get_config

pytestmark = pytest.mark.slow


def _config():
  config = get_config()
  config.data.source, config.model.name, config.steps, config.evaluate_every = "samples", "softmax", 6, 4
  return config


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
  workdir = tmp_path_factory.mktemp("runs") / "unbroken"
  return workdir, train(_config(), workdir)


def _assert_same(workdir, reports, unbroken):
  for split, report in reports.items():
    assert report | {"checkpoint": unbroken[1][split]["checkpoint"]} == unbroken[1][split]
  ours, theirs = (jaxdistort.load(run / "checkpoints" / "6").variables for run in (workdir, unbroken[0]))
  jax.tree.map(np.testing.assert_array_equal, ours, theirs)
  steps = [[json.loads(row)["step"] for row in (run / "metrics.jsonl").open()] for run in (workdir, unbroken[0])]
  assert steps[0] == steps[1]


def _raise(error):
  raise error


def _full(*given):
  raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/full")


def _advance_until(step, error):
  """A step of the feed that fails when it is this one's turn."""
  advance, done = HostFeed.advance, iter(range(1, 100))
  return lambda *given: _raise(error) if next(done) == step else advance(*given)


_LOST = WorkerLost("a process was lost")


@pytest.mark.parametrize(
  ("step", "kept", "error"),
  [
    (1, "there is no checkpoint yet", _LOST),
    (3, ".*/2", _LOST),
    (3, ".*/2", InputError("a process was lost")),
    (3, ".*/2", OSError(errno.EIO, "a process was lost")),
    (5, ".*/4", _LOST),
    (6, ".*/5", _LOST),
  ],
)
def test_what_fails_between_steps_costs_none(tmp_path, monkeypatch, unbroken, step, kept, error):
  with monkeypatch.context() as patch:
    patch.setattr(HostFeed, "advance", _advance_until(step, error))
    with pytest.raises(WorkFailed, match=rf"^a process was lost; .*{kept}; the same command goes on from there$"):
      train(_config(), tmp_path / "run")
  _assert_same(tmp_path / "run", train(_config(), tmp_path / "run"), unbroken)


def test_a_bug_keeps_its_traceback_and_costs_no_step(tmp_path, monkeypatch):
  load, loaded = PictureSet.load, iter(range(1000))
  patched = lambda *given: load(*given) if next(loaded) < 100 else 1 / 0
  monkeypatch.setattr(PictureSet, "load", patched)
  with pytest.raises(ZeroDivisionError) as error:
    train(_config(), tmp_path / "run")
  (note,) = error.value.__notes__
  assert note.endswith("; the same command goes on from there")


def test_rows_that_cannot_be_written_stop_the_run_with_a_checkpoint(tmp_path, monkeypatch, unbroken):
  class Full(Metrics):
    def __init__(self, *given):
      super().__init__(*given)
      self._rows.close()
      self._rows = open("/dev/full", "ab", buffering=0)  # noqa: SIM115

  with monkeypatch.context() as patch:
    patch.setattr(sys.modules["jaxdistort.training.train"], "Metrics", Full)
    with pytest.raises(WorkFailed, match=r"No space left on device.*; the last good checkpoint is .*/[2-4]; the same"):
      train(_config(), tmp_path / "run")
  _assert_same(tmp_path / "run", train(_config(), tmp_path / "run"), unbroken)


def test_a_checkpoint_that_fails_in_its_thread_is_told(tmp_path, monkeypatch, unbroken):
  with monkeypatch.context() as patch:
    patch.setattr(ocp.CheckpointManager, "_finalize_checkpoint", _full)
    with pytest.raises(CheckpointFailed, match=r"No space left on device.*; there is no checkpoint yet$"):
      train(_config(), tmp_path / "run")
  _assert_same(tmp_path / "run", train(_config(), tmp_path / "run"), unbroken)


def test_reports_that_cannot_be_written_are_made_by_the_same_command(tmp_path, monkeypatch, unbroken):
  with monkeypatch.context() as patch:
    patch.setattr(sys.modules["jaxdistort.training.train"], "write_evaluation", _full)
    with pytest.raises(
      WorkFailed,
      match=r"^No space left on device \(/full\): no report; .* best .* is .*/run/checkpoints/[46]: the",
    ):
      train(_config(), tmp_path / "run")
  _assert_same(tmp_path / "run", train(_config(), tmp_path / "run"), unbroken)
  report = tmp_path / "run" / "evaluation" / "test" / "report.json"
  whole = report.read_text()
  for damaged in ("", whole[:100], "[]"):
    report.write_text(damaged)
    train(_config(), tmp_path / "run")
    assert report.read_text() == whole


def test_a_folder_that_another_run_holds_is_refused_and_left_alone(tmp_path, unbroken):
  before = {path: path.stat().st_mtime_ns for path in unbroken[0].rglob("*")}
  with locked(unbroken[0]), pytest.raises(InputError, match=rf"unbroken: is in use by process {os.getpid()} on"):
    train(_config(), unbroken[0])
  assert {path: path.stat().st_mtime_ns for path in unbroken[0].rglob("*")} == before
