"""Progress as a terminal shows it, and Ctrl-C as a question between batches."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Generator

from tqdm import tqdm

from jaxdistort.cli import interrupts
from jaxdistort.progress import Bar, Progress


class TerminalProgress(Progress):
  """Bars on stderr, lines on stdout; the first SIGINT or SIGTERM asks the work to stop, the second one acts at once.

  Args:
    stopping: printed at the first signal.
    shown: whether this process prints at all.
  """

  def __init__(self, stopping: str = "", *, shown: bool = True):
    self._stopping, self._shown = stopping, shown
    self._asked = False

  def tell(self, text: str) -> None:
    if self._shown:
      tqdm.write(text, file=sys.stdout)
      sys.stdout.flush()

  @contextlib.contextmanager
  def bar(self, total: int, *, unit: str, title: str, done: int = 0) -> Generator[Bar]:
    terminal = sys.stderr.isatty()
    with contextlib.ExitStack() as stack:
      file = sys.stderr if self._shown else stack.enter_context(open(os.devnull, "w"))
      yield _TerminalBar(
        stack.enter_context(
          tqdm(
            file=file,
            leave=unit == "step",
            total=total,
            initial=done,
            desc=title,
            unit=unit,
            unit_scale=unit == "B",
            dynamic_ncols=terminal,
            mininterval=0.5 if terminal else 10,
            smoothing=0.1,
          )
        )
      )

  def stop_asked(self) -> bool:
    return self._asked

  @contextlib.contextmanager
  def signals(self) -> Generator[None]:
    """Within the context, signals ask; elsewhere they act."""
    if threading.current_thread() is not threading.main_thread():
      yield
      return
    with interrupts.first_asks(), self._handlers():
      yield

  @contextlib.contextmanager
  def _handlers(self) -> Generator[None]:
    before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
      yield
    finally:
      for number, handler in before.items():
        signal.signal(number, handler)

  def _ask(self, number: int, frame: object) -> None:
    del number, frame
    if self._asked:
      raise KeyboardInterrupt
    self._asked = True
    if self._stopping and self._shown:
      print(f"\n{self._stopping}", flush=True)


class _TerminalBar(Bar):
  def __init__(self, bar: tqdm):
    self._bar = bar

  def advance(self, count: int = 1) -> None:
    self._bar.update(count)

  def note(self, text: str) -> None:
    self._bar.set_postfix_str(text, refresh=False)
