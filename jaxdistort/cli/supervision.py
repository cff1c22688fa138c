"""A process that watches over one of several that share a run."""

import os
import signal
import subprocess
import sys
import threading
import time

from jaxdistort.cli import interrupts

_SUPERVISED = "JAXDISTORT_SUPERVISED"


def supervise() -> None:
  """Goes on in a process of its own, and says in one line when the runtime aborts it; call it before `join`.

  The runtime ends a process that has lost another with a stack trace, from a thread that no handler reaches.
  """
  if os.environ.get(_SUPERVISED) == str(os.getppid()):
    threading.Thread(target=_die_with_parent, args=(os.getppid(),), daemon=True).start()
    return
  environment = os.environ | {_SUPERVISED: str(os.getpid())}
  # A group of its own: a terminal's Ctrl-C comes once, from here.
  child = subprocess.Popen([sys.executable, *sys.orig_argv[1:]], env=environment, process_group=0)  # `-m` too
  interrupts.dies_with_us(child.kill)
  for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: child.send_signal(number))
  with interrupts.first_asks(2):  # by then it has ended itself
    status = child.wait()
  if status < 0:
    name = signal.Signals(-status).name
    print(
      f"error: another process of this run was lost, or this one was ended from outside ({name}); start all of them "
      "again with the same command, and the run goes on from its last checkpoint",
      file=sys.stderr,
    )
  sys.stdout.flush()
  os._exit(1 if status < 0 else status)


def _die_with_parent(parent: int) -> None:
  while os.getppid() == parent:
    time.sleep(0.5)
  os._exit(1)
