"""Ctrl-C and SIGTERM, which stop a run between two steps."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

StopAsked = Callable[[], bool]


@contextmanager
def stop_signals() -> Generator[StopAsked]:
  """Turns the first SIGINT or SIGTERM into a question to ask between steps; the second one acts at once."""
  asked: list[int] = []

  def remember(signal_number: int, frame: object) -> None:
    del frame
    if asked:
      raise KeyboardInterrupt
    asked.append(signal_number)
    print("\nstopping after this step, with a checkpoint; once more to stop at once", flush=True)

  if threading.current_thread() is not threading.main_thread():
    yield lambda: False
    return
  before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
  try:
    yield lambda: bool(asked)
  finally:
    for number, handler in before.items():
      signal.signal(number, handler)
