"""Whatever fails around a run, it says so in one line and goes on from where it can, to the same end."""

import errno
import os
import re
import sys

import jax
import numpy as np
import pytest

import jaxdistort
from jaxdistort.errors import InputError, WorkerLost, WorkFailed
from jaxdistort.locking import locked
from jaxdistort.training import train
from jaxdistort.training.feeding import HostFeed
from jaxdistort.training.records import Metrics
from tests.training.tiny import get_config

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("undrawn")]


def _config():
  config = get_config()
  config.model.name, config.steps, config.evaluate_every = "softmax", 6, 4
  return config


def _raise(error):
  raise error


def _full(*given, **more):
  raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/full")


def _advance_until(step, error):
  """A step of the feed that fails when it is this one's turn."""
  advance, done = HostFeed.advance, iter(range(1, 100))
  return lambda *given: _raise(error) if next(done) == step else advance(*given)


class _FullMetrics(Metrics):
  """Of a disk that is full once the run goes on."""

  def __init__(self, *given):
    super().__init__(*given)
    self._rows.close()
    self._rows = open("/dev/full", "ab", buffering=0)  # noqa: SIM115


_ORBAX = sys.modules["orbax.checkpoint._src.checkpointers.async_checkpointer"]
_TRAIN = sys.modules["jaxdistort.training.train"]
_FAILURES = (  # what is put where, and what the run says
  (HostFeed, "advance", _advance_until(1, WorkerLost("lost")), "^lost; there is no checkpoint yet; the same command"),
  (_ORBAX, "_background_wait_for_commit_futures", _full, "No space left on device.*; there is no checkpoint yet$"),
  (_TRAIN, "Metrics", _FullMetrics, r"^No space left on device.*; the last good .* is .*/run/checkpoints/[2-4]; the"),
  (HostFeed, "advance", _advance_until(1, OSError(errno.EIO, "gone", "/x")), r"^gone \(/x\); .* is .*/[2-4]; the same"),
  (HostFeed, "advance", _advance_until(2, InputError("none")), "^none; the last good checkpoint is .*/[3-5]; the same"),
  (_TRAIN, "write_evaluation", _full, r"^No space .* \(/full\): no report; .* best .* is .*/run/checkpoints/[46]: the"),
)


def test_whatever_fails_costs_no_step_and_changes_no_result(tmp_path, monkeypatch):
  expected = train(_config(), tmp_path / "unbroken")
  workdir = tmp_path / "run"
  for place, name, failing, said in _FAILURES:
    with monkeypatch.context() as patch:
      patch.setattr(place, name, failing)
      with pytest.raises(WorkFailed, match=said):
        train(_config(), workdir)
  for split, report in train(_config(), workdir).items():
    assert report | {"checkpoint": expected[split]["checkpoint"]} == expected[split]
  runs = workdir, tmp_path / "unbroken"
  jax.tree.map(np.testing.assert_array_equal, *(jaxdistort.load(run / "checkpoints" / "6").variables for run in runs))
  steps = [re.findall(r'"step": (\d+)', (run / "metrics.jsonl").read_text()) for run in runs]
  assert steps[0] == steps[1]

  report = workdir / "evaluation" / "test" / "report.json"
  whole = report.read_text()
  report.write_text(whole[:100])
  train(_config(), workdir)
  assert report.read_text() == whole

  before = {path: path.stat().st_mtime_ns for path in workdir.rglob("*")}
  with locked(workdir), pytest.raises(InputError, match=rf"run: is in use by process {os.getpid()} on"):
    train(_config(), workdir)
  assert {path: path.stat().st_mtime_ns for path in workdir.rglob("*")} == before


def test_a_bug_keeps_its_traceback_and_costs_no_step(tmp_path, monkeypatch):
  monkeypatch.setattr(HostFeed, "advance", _advance_until(2, ZeroDivisionError()))
  with pytest.raises(ZeroDivisionError) as error:
    train(_config(), tmp_path / "run")
  (note,) = error.value.__notes__
  assert note.endswith("checkpoints/1; the same command goes on from there")
