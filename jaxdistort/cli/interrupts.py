"""Ctrl-C that ends a command for certain, whatever hangs.

Python runs its handlers of signals between two of its own instructions: never, while the main thread waits in a library
or for a disk that is gone. What the system's handler writes into a pipe is heard even then, by a thread.
"""

import multiprocessing
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import NoReturn

GRACE = 3.0
"""Seconds that a command has to end by itself."""
_ENDING = (signal.SIGINT, signal.SIGTERM)


class _Countdown:
  """Counts signals that end, and ends the process when its time is over."""

  def __init__(self):
    self._courtesies, self._begun = 0, False
    self._graces: float = 1

  @contextmanager
  def leave(self, graces: float, courtesies: int = 0) -> Generator[None]:
    self._courtesies, self._graces = courtesies, graces
    try:
      yield
    finally:
      self._courtesies, self._graces = 0, 1

  def listen(self, pipe: int) -> None:
    while True:
      for number in os.read(pipe, 64):
        if number in _ENDING:
          self._hear()

  def _hear(self) -> None:
    if self._courtesies:
      self._courtesies -= 1
    elif not self._begun:
      self._begun = True
      threading.Thread(target=self._run_out, daemon=True, name="countdown").start()

  def _run_out(self) -> None:
    time.sleep(self._graces * GRACE)
    end_stopped()


_countdown = _Countdown()
_dependants: list[Callable[[], None]] = []
_said = False


def watch() -> None:
  """From now on a signal that ends does so within `GRACE` seconds; call it once, in the main thread."""
  heard, written = os.pipe()
  os.set_blocking(written, False)
  signal.set_wakeup_fd(written, warn_on_full_buffer=False)
  threading.Thread(target=_countdown.listen, args=(heard,), daemon=True, name="interrupts").start()


def first_asks(graces: int = 1) -> AbstractContextManager[None]:
  """Within the context, the first signal only asks; the second one ends within `graces` times `GRACE`."""
  return _countdown.leave(graces, courtesies=1)


def ends_within(seconds: float) -> AbstractContextManager[None]:
  """Within the context, the command has so many seconds from the first signal on in place of `GRACE`."""
  return _countdown.leave(seconds / GRACE)


def dies_with_us(kill: Callable[[], None]) -> None:
  """Has `kill` called when this process is ended; workers of `multiprocessing` need not be told."""
  _dependants.append(kill)


def end_stopped() -> NoReturn:
  """Ends the process, and its workers, without the interpreter's own end: JAX may have been interrupted at work.

  Python's streams may be what hangs: they are not used, and nobody waits for a terminal that takes no more.
  """
  global _said
  said, _said = _said, True
  for worker in multiprocessing.active_children():
    worker.kill()
  for kill in _dependants:
    with suppress(OSError):
      kill()
  with suppress(OSError, ValueError):  # whoever read our output may have been stopped before
    if not said and select.select((), (2,), (), 0)[1]:
      os.write(2, b"\nstopped\n")
  os._exit(130)
