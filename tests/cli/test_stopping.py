"""Ctrl-C as a person presses it, at moments that are certain: one line, no worker left, status 130."""

import os
import re
import signal
import subprocess
import sys

import pytest

from jaxdistort.cli.terminal import TerminalProgress
from tests.cli.processes import ROOT

# Of a batch that a worker is just handing over, grain may lose the memory; Python frees it, and says so in two lines.
_EXPECTED = re.compile(r"\s*|evaluating: .*|sweeping: .*|preparing: .*|distorting: .*|.*resource_tracker.*")


def _judge(command, run, data, folder, *words):
  more = ["--distortion", "gaussian_blur", "--levels", "1,9"] if command == "sweep" else []
  output = folder / "out"
  return [command, "--checkpoint", run, "--data", data, "--split", "all", "--output", output, *more, *words]


def _assert_stopped(child):
  assert child.wait() == 130, child.log.read_text()
  assert [line for line in child.log.read_text().split("\n") if not _EXPECTED.fullmatch(line)] == ["stopped"]
  child.wait_for_workers()


@pytest.mark.long
def test_stopped_as_a_worker_makes_the_first_batch(start, untrained, tmp_path):
  """A terminal tells the whole group of processes; the command ends when the batch is there."""
  words = _judge("evaluate", untrained / "variable", f"gated:{tmp_path}:0", tmp_path, "--workers", 1)
  child = start("-", *words)
  child.wait_until((tmp_path / "waiting").exists)
  os.killpg(child.pid, signal.SIGINT)
  (tmp_path / "go").touch()
  _assert_stopped(child)
  assert not (tmp_path / "out" / "report.json").exists()


@pytest.mark.long
@pytest.mark.parametrize(("command", "number"), [("evaluate", signal.SIGTERM), ("sweep", signal.SIGINT)])
def test_stopped_between_batches(start, untrained, tmp_path, command, number):
  here = tmp_path / "here"
  child = start(f"wait:{here}", *_judge(command, untrained / "variable", "samples", tmp_path, "--workers", 1))
  child.wait_until(here.exists)
  (os.killpg if number == signal.SIGINT else os.kill)(child.pid, number)
  _assert_stopped(child)
  assert not list((tmp_path / "out").glob("*.json"))


@pytest.mark.long
def test_twice_ends_an_evaluation_whose_worker_is_stuck(start, untrained, tmp_path):
  words = _judge("evaluate", untrained / "variable", f"gated:{tmp_path}:0", tmp_path, "--workers", 1)
  child = start("-", *words)
  child.wait_until((tmp_path / "waiting").exists)
  child.press()
  child.press()
  _assert_stopped(child)  # though nothing tells the worker to go on


@pytest.mark.long
@pytest.mark.parametrize("words", [(), ("--protocol", "variable")], ids=["pictures", "distorted"])
def test_once_ends_a_preparation_that_is_stuck(start, tmp_path, words):
  data = ("--data", f"gated:{tmp_path}:0", "--output", tmp_path / "out", "--workers", 1 - len(words) // 2)
  child = start("-", "prepare", *data, "--image-size", 32, *words)
  child.wait_until((tmp_path / "waiting").exists)
  child.press()
  _assert_stopped(child)


@pytest.mark.long
def test_twice_ends_a_run_whose_checkpoint_is_stuck(start, tmp_path):
  """A thread of Orbax waits for a disk that is gone; the run waits for it when it saves."""
  words = ("--config", "tests/training/tiny.py", "--config.model.name=softmax", "--config.steps=1000000")
  child = start(r"hang:^open .*/checkpoints/4\..* w", "train", *words, "--workdir", tmp_path / "run")
  child.wait_until((tmp_path / "hanging").exists)
  child.press()
  child.press()
  assert child.wait() == 130, child.log.read_text()
  assert child.log.read_text().endswith("\nstopped\n")
  assert "Traceback" not in child.log.read_text()


@pytest.mark.long
def test_workers_die_with_a_killed_command(start, untrained, tmp_path):
  words = _judge("evaluate", untrained / "variable", f"gated:{tmp_path}:0", tmp_path, "--workers", 1)
  child = start("-", *words)
  child.wait_until((tmp_path / "waiting").exists)
  assert child.workers()
  os.kill(child.pid, signal.SIGKILL)
  child.wait()
  child.wait_for_workers()  # though nothing tells the worker to go on


def test_the_first_signal_asks_and_the_second_acts(capsys):
  progress = TerminalProgress("stopping soon")
  before = signal.getsignal(signal.SIGINT)
  with progress.signals():
    assert not progress.stop_asked()
    progress.check()
    signal.raise_signal(signal.SIGINT)
    assert progress.stop_asked()
    with pytest.raises(KeyboardInterrupt):
      progress.check()
    with pytest.raises(KeyboardInterrupt):
      signal.raise_signal(signal.SIGTERM)
  assert signal.getsignal(signal.SIGINT) is before
  assert capsys.readouterr().out == "\nstopping soon\n"


def test_an_interrupt_that_python_drops_stops_too():
  """JAX has a callback in the garbage collector; an exception there is reported as ignored, and all goes on."""
  code = """
import gc, signal, time
from jaxdistort.cli import console
def main():
  gc.callbacks.append(lambda phase, info: signal.raise_signal(signal.SIGINT))
  gc.collect()
  time.sleep(10_000)
console.run(main)
"""
  result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
  assert (result.returncode, result.stderr) == (130, "\nstopped\n")


def test_names_that_the_terminal_cannot_show_are_no_error():
  code = "from jaxdistort.cli import console; console.run(lambda: print('k\\u00e4se \\udcff'))"
  ascii_terminal = os.environ | {"PYTHONIOENCODING": "ascii"}
  result = subprocess.run(
    [sys.executable, "-c", code], cwd=ROOT, env=ascii_terminal, capture_output=True, text=True, check=False
  )
  assert (result.returncode, result.stdout) == (0, "k\\xe4se \\udcff\n")
