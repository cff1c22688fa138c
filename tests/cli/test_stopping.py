"""Ctrl-C as a person presses it, at any moment: one line, no worker left, status 130."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.training.tiny import get_config, save_untrained

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
  folder = tmp_path_factory.mktemp("stopping") / "run"
  save_untrained(get_config(), folder)
  return folder


def _children_of(pid):
  return subprocess.run(["pgrep", "-P", str(pid)], check=False, capture_output=True, text=True).stdout.split()


def _wait_until(is_so, process, log):
  deadline = time.monotonic() + 120
  while not is_so():
    assert process.poll() is None, log.read_text()
    assert time.monotonic() < deadline, log.read_text()
    time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
  ("script", "number", "moment"),
  [("evaluate", signal.SIGINT, "worker"), ("evaluate", signal.SIGTERM, "worker"), ("sweep", signal.SIGINT, "batch")],
)
def test_stopped_while_it_judges(run, tmp_path, script, number, moment):
  """As a worker starts, and between batches; a terminal tells the whole group of processes."""
  log, more = tmp_path / "log", ["--distortion", "gaussian_blur"] if script == "sweep" else []
  command = [sys.executable, f"scripts/{script}.py", "--checkpoint", run, "--data", "samples+synthetic"]
  with log.open("w") as file:
    process = subprocess.Popen(
      [*command, "--workers", "1", "--split", "all", "--output", tmp_path / "out", *more],
      cwd=_ROOT,
      stdout=file,
      stderr=file,
      start_new_session=True,
    )
  # A bar appears with the first batch, workers before.
  moments = {
    "worker": lambda: len(_children_of(process.pid)) > 1,  # the first one tracks shared memory
    "batch": lambda: re.search(r"\| [1-9]\d*/\d+ \[", log.read_text()),
  }
  _wait_until(moments[moment], process, log)
  (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
  assert process.wait(60) == 130
  # Of a batch that a worker is just handing over, grain may lose the memory; Python frees it, and says so in two lines.
  expected = re.compile(r"\s*|evaluating: .*|sweeping: .*|.*resource_tracker.*")
  lines = [line for line in log.read_text().split("\n") if not expected.fullmatch(line)]
  assert lines == ["stopped"]
  assert not (tmp_path / "out" / "report.json").exists()
  deadline = time.monotonic() + 20
  while subprocess.run(["pgrep", "-g", str(process.pid)], check=False, capture_output=True).returncode == 0:
    assert time.monotonic() < deadline
    time.sleep(0.1)


@pytest.mark.slow
def test_an_interrupt_that_python_drops_stops_too():
  """JAX has a callback in the garbage collector; an exception there is told as ignored, and all goes on."""
  code = """
import gc, signal, time
from jaxdistort.cli import console
def main():
  gc.callbacks.append(lambda phase, info: signal.raise_signal(signal.SIGINT))
  gc.collect()
  time.sleep(60)
console.run(main)
"""
  command = [sys.executable, "-c", code]
  result = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False, timeout=50)
  assert (result.returncode, result.stderr) == (130, "\nstopped\n")


@pytest.mark.slow
def test_names_that_the_terminal_cannot_show_are_no_error():
  code = "from jaxdistort.cli import console; console.run(lambda: print('k\\u00e4se \\udcff'))"
  result = subprocess.run(
    [sys.executable, "-c", code],
    cwd=_ROOT,
    env=os.environ | {"PYTHONIOENCODING": "ascii"},
    capture_output=True,
    text=True,
    check=False,
  )
  assert (result.returncode, result.stdout) == (0, "k\\xe4se \\udcff\n")
