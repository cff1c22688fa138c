"""What long work says while it goes on, and how it is asked to stop.

The library never prints: whoever calls it passes a `Progress` that shows what it hears. The command line's draws bars.
"""

from collections.abc import Generator
from contextlib import contextmanager


class Bar:
  """One piece of work that is counted; this one shows nothing."""

  def advance(self, count: int = 1) -> None:
    """`count` more units are done."""

  def note(self, text: str) -> None:
    """A word on how it goes, in place of the last one."""


class Progress:
  """Hears of long work; this one is silent and never asks to stop."""

  def tell(self, text: str) -> None:
    """A line that a person should see."""

  @contextmanager
  def bar(self, total: int, *, unit: str, title: str, done: int = 0) -> Generator[Bar]:
    """Work of `total` units, of which `done` were done before, goes on within the context."""
    del total, unit, title, done
    yield Bar()

  def stop_asked(self) -> bool:
    """Whether the work should end where it can go on later; asked between batches and steps."""
    return False

  def check(self) -> None:
    """Raises KeyboardInterrupt where the work is asked to stop and cannot go on later."""
    if self.stop_asked():
      raise KeyboardInterrupt


SILENT = Progress()
