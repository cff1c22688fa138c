"""A process that watches over one of several that share a run."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

from jaxdistort.cli import interrupts

_SUPERVISED = "JAXDISTORT_SUPERVISED"


@contextmanager
def supervise(coordinator: str) -> Generator[None]:
  """Goes on in a process of its own, and says in one line when the runtime aborts it; `join` within the context.

  The runtime ends a process that has lost another, or whose others never came, with a stack trace, from a thread that
  no handler reaches.
  """
  parent, _, pipe = os.environ.get(_SUPERVISED, "").partition(":")
  if parent == str(os.getppid()):
    threading.Thread(target=_die_with_parent, args=(os.getppid(),), daemon=True).start()
    with _without_stack_trace():
      yield
    os.write(int(pipe), b"1")
    os.close(int(pipe))
    return
  met, tell = os.pipe()
  environment = os.environ | {_SUPERVISED: f"{os.getpid()}:{tell}"}
  words = [sys.executable, *sys.orig_argv[1:]]  # `-m jaxdistort` too
  # A group of its own: a terminal's Ctrl-C comes once, from here.
  child = subprocess.Popen(words, env=environment, pass_fds=[tell], process_group=0)
  os.close(tell)
  interrupts.dies_with_us(child.kill)
  for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: child.send_signal(number))
  with interrupts.first_asks(2):  # by then it has ended itself
    status = child.wait()
  if status < 0:
    name = signal.Signals(-status).name
    if os.read(met, 1):
      message = (
        f"another process of this run was lost, or this one was ended from outside ({name}); start all of them again "
        "with the same command, and the run goes on from its last checkpoint"
      )
    else:
      message = (
        f"coordinator {coordinator}: the processes of the run did not meet in time ({name}); start all of them within "
        "a minute, with the host of --process=0 and one of its ports that all can reach, the same --processes, and "
        "each its own --process"
      )
    print(f"error: {message}", file=sys.stderr)
  sys.stdout.flush()
  os._exit(1 if status < 0 else status)


@contextmanager
def _without_stack_trace() -> Generator[None]:
  """What the runtime writes to stderr from below Python is dropped."""
  sys.stderr.flush()
  kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
  os.dup2(nowhere, 2)
  try:
    yield
  finally:
    os.dup2(kept, 2)
    os.close(kept)
    os.close(nowhere)


def _die_with_parent(parent: int) -> None:
  while os.getppid() == parent:
    time.sleep(0.5)
  os._exit(1)
