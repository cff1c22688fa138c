"""Ctrl-C ends a command whatever hangs: no library of ours is imported here, so each takes little but the grace."""

import os
import signal
import subprocess
import sys

import pytest

from tests.cli.processes import ROOT, Child

_HEAD = """
import concurrent.futures, ctypes, multiprocessing, os, sys, threading, time
from jaxdistort.cli import console, interrupts
from jaxdistort.cli.terminal import TerminalProgress

interrupts.GRACE = 0.2

def hang():  # in C, deaf to signals, as where a disk is gone
  lock, mutex = ctypes.CDLL(None).pthread_mutex_lock, ctypes.create_string_buffer(64)
  lock(mutex)
  say("hanging")
  lock(mutex)

def say(word):
  os.write(1, f"{word}\\n".encode())
"""

_STUCK = {
  "the main thread": "main = hang",
  "a thread that is waited for at the end": """
def main():
  concurrent.futures.ThreadPoolExecutor(1).submit(hang)
""",
  "what tidies up": """
def main():
  try:
    say("hanging")
    time.sleep(10_000)
  finally:
    hang()
""",
  "what goes on whatever it hears": """
def main():
  say("hanging")
  while True:
    try:
      time.sleep(10_000)
    except KeyboardInterrupt:
      pass
""",
}


@pytest.fixture
def started(tmp_path):
  """A function that starts a program that hangs, and returns it when it does."""
  children = []

  def start(program):
    children.append(Child(tmp_path / "log", [sys.executable, "-c", f"{_HEAD}{program}\nconsole.run(main)"]))
    children[-1].wait_until(lambda: "hanging" in children[-1].log.read_text())
    children[-1].wait_until_it_sleeps()  # until it does, Python would hear signals
    return children[-1]

  yield start
  for child in children:
    child.end()


@pytest.mark.parametrize("program", _STUCK.values(), ids=_STUCK)
def test_one_ends_what_cannot_be_asked(started, program):
  child = started(program)
  child.press(signal.SIGTERM if "finally" in program else signal.SIGINT)
  assert child.wait() == 130
  assert child.log.read_text().endswith("\nstopped\n")


def test_two_end_what_is_asked_first(started):
  child = started("""
def main():
  with TerminalProgress("stopping soon").signals():
    hang()
""")
  child.press()
  child.press()
  assert child.wait() == 130
  assert child.log.read_text() == "hanging\n\nstopped\n"  # its own word waits for the main thread


@pytest.mark.slow
def test_one_that_is_honoured_ends_nothing(started):
  child = started("""
def main():
  progress = TerminalProgress("stopping soon")
  with progress.signals():
    say("hanging")
    while not progress.stop_asked():
      time.sleep(0.01)
    say("asked")
    time.sleep(1)
    say("saved")
  return 130
""")
  child.press()
  assert child.wait() == 130
  assert child.log.read_text() == "hanging\n\nstopping soon\nasked\nsaved\n"


def test_a_terminal_that_takes_no_more_is_not_waited_for():
  """The reader of our errors stands still; Python's own streams wait for it."""
  program = f"{_HEAD}\ndef main():\n  sys.stderr.write('x' * 10_000_000)\nconsole.run(main)"
  with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE) as child:
    assert child.stderr.read(1) == b"x"
    os.kill(child.pid, signal.SIGINT)
    assert child.wait() == 130


def test_workers_end_too(started):
  child = started("""
import signal
def main():
  context = multiprocessing.get_context("fork")
  context.Process(target=deaf, daemon=True).start()
  hang()
def deaf():
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  hang()
""")
  child.wait_until(lambda: child.log.read_text().count("hanging") == 2)
  child.press()
  assert child.wait() == 130
  child.wait_for_workers()


def test_what_storage_writes_on_after_an_error_is_no_news():
  """tensorstore prints what its callbacks raise; asyncio's loop is closed once one of many files has failed."""
  program = """
import sys, types
from jaxdistort.cli import console
def call_soon_threadsafe(words):
  raise RuntimeError(words)
def main():
  lost = []
  for words in ("Event loop is closed", "another"):
    try:
      call_soon_threadsafe(words)
    except RuntimeError as error:
      what = dict(exc_type=RuntimeError, exc_value=error, exc_traceback=error.__traceback__.tb_next)
      lost.append(types.SimpleNamespace(**what, err_msg=None, object=None))
  sys.__unraisablehook__ = lambda lost: print(lost.exc_value)
  for each in lost:
    sys.unraisablehook(each)
console.run(main)
"""
  result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
  assert (result.returncode, result.stdout, result.stderr) == (0, "another\n", "")
