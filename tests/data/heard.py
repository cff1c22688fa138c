"""A progress that remembers."""

import contextlib

from jaxdistort.progress import Bar, Progress


class Heard(Progress):
  """Remembers what it is told, and how far the bars came."""

  def __init__(self):
    self.lines, self.bars = [], []

  def tell(self, text):
    self.lines.append(text)

  @contextlib.contextmanager
  def bar(self, total, *, unit, title, done=0):
    bar = Bar()
    counts = [done]
    bar.advance = lambda count=1: counts.append(counts[-1] + count)
    yield bar
    self.bars.append((title, unit, counts[-1], total))
