"""The command line in the process of the tests: what costs a second of importing elsewhere is there already."""

import signal
import sys
from typing import NamedTuple

import pytest
from absl import logging

from jaxdistort.cli import console, interrupts, main
from tests.cli.processes import Child
from tests.inference.recognisers import small_recogniser


class Ended(NamedTuple):
  """How a command ended, and what it said."""

  status: int
  out: str
  err: str


@pytest.fixture(scope="session")
def model(tmp_path_factory):
  """A model file of a small recogniser that knows nothing."""
  folder = tmp_path_factory.mktemp("model")
  return small_recogniser(folder).save(folder / "model.safetensors")


@pytest.fixture
def command(capsys, monkeypatch):
  """A function that runs `jaxdistort WORD...` here as a terminal would, with its exit status and what it printed."""
  monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)  # to be put back
  monkeypatch.setattr(interrupts, "watch", lambda: None)  # it would end the tests
  monkeypatch.setattr(console, "_end_stopped", lambda: sys.exit(130))  # which ends the process at once
  handler, verbosity = signal.getsignal(signal.SIGTERM), logging.get_verbosity()

  def run(*words) -> Ended:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
      main([str(word) for word in words])
    return Ended(ended.value.code, *capsys.readouterr())

  yield run
  signal.signal(signal.SIGTERM, handler)
  logging.set_verbosity(verbosity)


@pytest.fixture
def start(tmp_path):
  """A function that starts `jaxdistort WORD...` as a `Child`; see tests/cli/child.py for the moment."""
  children = []

  def run(moment, *words) -> Child:
    command = [sys.executable, "-m", "tests.cli.child", moment, *map(str, words)]
    children.append(Child(tmp_path / f"log_{len(children)}", command, HANGING=str(tmp_path / "hanging")))
    return children[-1]

  yield run
  for child in children:
    child.end()


@pytest.fixture
def refused(command):
  """A function that runs a command that must fail, and returns the one line that it says."""

  def run(*words) -> str:
    ended = command(*words)
    assert ended.status == 1
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert ended.err.endswith("\n")
    return ended.err

  return run
