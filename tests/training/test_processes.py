"""Runs that several processes share: the same losses, a lost process, going on in another number.

What a single process does, the one of the tests does: that saves starting another.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxdistort
from jaxdistort.errors import InputError
from jaxdistort.runtime.mesh import create_mesh
from jaxdistort.runtime.processes import join
from jaxdistort.training import parts, train
from tests.data.heard import Heard
from tests.training.tiny import get_config

pytestmark = [pytest.mark.slow, pytest.mark.optimised, pytest.mark.usefixtures("undrawn")]

_ROOT = Path(__file__).parents[2]
_COMMAND = [sys.executable, "scripts/train.py", "--config", "tests/training/tiny.py"]
_FLAGS = ["--config.log_every=1", "--config.data.placement=device"]


def _start(workdir, *flags, devices):
  environment = os.environ | {"JAX_NUM_CPU_DEVICES": str(devices), "PYTHONPATH": str(_ROOT)}
  return subprocess.Popen(
    [*_COMMAND, *_FLAGS, "--workdir", str(workdir), *flags],
    cwd=_ROOT,
    env=environment,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )


def _start_two(workdir, *flags):
  with socket.socket() as probe:
    probe.bind(("localhost", 0))
    port = probe.getsockname()[1]
  shared = ["--coordinator", f"localhost:{port}", "--processes=2"]
  return [_start(workdir, *flags, *shared, f"--process={number}", devices=4) for number in range(2)]


def _finish(*processes):
  outputs = [process.communicate() for process in processes]
  for process, (_, errors) in zip(processes, outputs, strict=True):
    assert process.returncode == 0, errors[-2000:]
  return [out for out, _ in outputs]


def _checkpoints(workdir):
  """The steps of the complete ones that are kept."""
  folder = workdir / "checkpoints"
  return [int(path.name) for path in folder.iterdir() if path.name.isdigit()] if folder.exists() else []


def _losses(workdir):
  rows = [json.loads(row) for row in (workdir / "metrics.jsonl").read_text().splitlines()]
  return np.array([row["loss"] for row in rows if "loss" in row])


def _config(steps, **fields):
  config = get_config()
  config.log_every, config.data.placement = 1, "device"
  config.steps = steps
  for name, value in fields.items():
    setattr(config, name, value)
  return config


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
  workdir = tmp_path_factory.mktemp("runs") / "alone"
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(parts, "create_mesh", lambda fsdp: create_mesh(devices=jax.devices()[:1]))
    train(_config(12, evaluate_every=20), workdir)
  return workdir


@pytest.mark.long
def test_two_processes_of_four_devices_learn_what_one_device_learns(alone, tmp_path):
  """With pictures from the host, where what follows has them on the devices."""
  flags = ["--config.fsdp=8", "--config.data.placement=host", "--config.steps=12", "--config.evaluate_every=20"]
  first, second = _finish(*_start_two(tmp_path / "run", *flags))
  np.testing.assert_allclose(_losses(tmp_path / "run"), _losses(alone), rtol=1e-5)
  assert "of 2 processes" in first
  assert "validation" not in second  # the first process speaks for all
  for split in ("validation", "test"):
    ours, theirs = (
      json.loads((run / "evaluation" / split / "report.json").read_text()) for run in (tmp_path / "run", alone)
    )
    ours, theirs = (report["views"]["standard"] for report in (ours, theirs))
    assert ours["pictures"] == theirs["pictures"]
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4)
    table = (tmp_path / "run" / "evaluation" / split / "predictions.csv").read_text().splitlines()
    assert len(table) == 1 + ours["pictures"]
  assert jaxdistort.load(tmp_path / "run").step == 12


@pytest.mark.long
@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_process_stops_the_others_and_the_run_goes_on(tmp_path, lost):
  workdir, flags = tmp_path / "run", ["--config.model.name=softmax", "--config.evaluate_every=100"]
  processes = _start_two(workdir, *flags, "--config.steps=1000000000")
  while not _checkpoints(workdir):
    assert all(process.poll() is None for process in processes)
    time.sleep(0.1)
  processes[lost].kill()
  _, errors = processes[1 - lost].communicate()
  assert processes[1 - lost].returncode == 1
  assert "another process of this run was lost" in errors.splitlines()[-1]
  processes[lost].communicate()
  done = max(_checkpoints(workdir))
  config, listener = _config(done + 3, evaluate_every=100), Heard()
  config.model.name = "softmax"
  train(config, workdir, progress=listener)
  assert any(f"resuming at step {done}" in line for line in listener.lines)
  assert len(_losses(workdir)) == done + 3
  config.steps = 4
  train(config, tmp_path / "unbroken")
  np.testing.assert_allclose(_losses(workdir)[:4], _losses(tmp_path / "unbroken"), rtol=1e-5)


@pytest.mark.long
def test_processes_that_cannot_meet_are_told(tmp_path):
  for count, number in ((2, None), (None, 0), (2, 2)):
    with pytest.raises(InputError, match="coordinator localhost:1: needs the number of processes N"):
      join("localhost:1", count, number)
  process = _start(tmp_path, "--coordinator=auto", devices=1)
  _, errors = process.communicate()
  assert process.returncode == 1
  assert "did not meet" in errors
  assert len(errors.splitlines()) == 1
