"""One of several processes of a run, and the process that watches over it."""

import os
import signal
import subprocess
import sys

import pytest

from jaxdistort.cli import interrupts, supervision


@pytest.mark.parametrize("met", [True, False])
def test_a_process_is_watched_over_by_one_that_was_started_alike(monkeypatch, capsys, met):
  started = []

  class Child:
    def __init__(self, words, env, pass_fds, process_group):
      assert process_group == 0
      started.append(words)
      parent, pipe = env["JAXDISTORT_SUPERVISED"].split(":")
      assert (int(parent), [int(pipe)]) == (os.getpid(), pass_fds)
      if met:
        os.write(int(pipe), b"1")

    kill = None

    def wait(self):
      return -signal.SIGABRT

  def end(status):
    raise SystemExit(status)

  monkeypatch.setattr(subprocess, "Popen", Child)
  monkeypatch.setattr(interrupts, "_dependants", [])
  monkeypatch.setattr(supervision.os, "_exit", end)
  monkeypatch.setattr(supervision.signal, "signal", lambda *handler: None)
  monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "jaxdistort", "train", "--processes=2"])
  with pytest.raises(SystemExit, match="1"), supervision.supervise("host:1"):
    pytest.fail("the work is the child's")
  assert started == [[sys.executable, "-m", "jaxdistort", "train", "--processes=2"]]
  said = "another process of this run was lost" if met else "coordinator host:1: the processes of the run did not meet"
  assert capsys.readouterr().err.startswith(f"error: {said}")


def test_a_process_that_is_watched_over_meets_the_others_without_a_stack_trace(monkeypatch, capfd):
  end, tell = os.pipe()
  monkeypatch.setattr(supervision, "_die_with_parent", lambda parent: None)
  monkeypatch.setenv("JAXDISTORT_SUPERVISED", f"{os.getppid()}:{tell}")
  with supervision.supervise("host:1"):
    os.write(2, b"*** Check failure stack trace")
  os.write(2, b"and on")
  assert (os.read(end, 2), capfd.readouterr().err) == (b"1", "and on")
  os.close(end)
