"""The command line in a process that something befalls at a moment that no machine's speed can change.

python -m tests.cli.child MOMENT WORD...

MOMENT is one of
  -           nothing befalls it;
  kill:WHAT   the process is killed as soon as the regular expression WHAT finds something in an audit event of Python
              with its arguments, such as "os.rename /tmp/a /tmp/b -1";
  hang:WHAT   the thread in which such an event occurs makes the file HANGING and waits for ever, deaf to signals: as
              one does for a disk that is gone;
  wait:FILE   the first time that work could end between batches, it makes FILE and waits until it is asked to stop.
"""

import ctypes
import os
import re
import signal
import sys
import time
from pathlib import Path

from matplotlib.figure import Figure

from jaxdistort.cli import main
from jaxdistort.cli.terminal import TerminalProgress
from tests.cli import gated


def _kill_at(what: str) -> None:
  pattern = re.compile(what)

  def hook(event: str, arguments: tuple) -> None:
    if pattern.search(f"{event} {' '.join(map(str, arguments))}"):
      os.kill(os.getpid(), signal.SIGKILL)

  sys.addaudithook(hook)


def _hang_at(what: str) -> None:
  pattern, here = re.compile(what), os.environ["HANGING"]
  lock, mutex = ctypes.CDLL(None).pthread_mutex_lock, ctypes.create_string_buffer(64)
  lock(mutex)

  def hook(event: str, arguments: tuple) -> None:
    if pattern.search(f"{event} {' '.join(map(str, arguments))}"):
      os.close(os.open(here, os.O_CREAT))
      lock(mutex)

  sys.addaudithook(hook)


def _wait_at(file: str) -> None:
  check = TerminalProgress.check

  def wait(self: TerminalProgress) -> None:
    Path(file).touch()
    while not self.stop_asked():
      time.sleep(0.01)
    check(self)

  TerminalProgress.check = wait


if __name__ == "__main__":  # not in workers, which import this file too
  gated.register()
  Figure.savefig = lambda figure, path, **options: Path(path).write_bytes(b"")  # to draw takes longer than a short run
  moment, _, more = sys.argv[1].partition(":")
  {"-": lambda _: None, "kill": _kill_at, "hang": _hang_at, "wait": _wait_at}[moment](more)
  main(sys.argv[2:])
