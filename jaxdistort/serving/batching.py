"""Pictures of many requests, judged together by one thread that has the network to itself."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from jaxdistort.inference.predicting import answers_to
from jaxdistort.inference.recogniser import Recogniser
from jaxdistort.inference.tiling import TiledPicture
from jaxdistort.tasks import Answer


class _Waiting(NamedTuple):
  """A picture, by the looks at it, and whoever waits for the answer."""

  looks: Sequence[TiledPicture]
  answer: Future[Answer]


class Batcher:
  """A thread that takes what waits, judges it in one go, and gives everyone the own answer.

  While it is at work others gather, so that under load batches are full, and a picture alone hardly waits.

  Args:
    recogniser: the network, on one device.
    company: seconds that the first picture waits for others.
    most: pictures judged in one go.
    observe: called with the number of pictures before each go.
  """

  def __init__(
    self, recogniser: Recogniser, *, company: float, most: int = 32, observe: Callable[[int], Any] = lambda count: None
  ):
    self._recogniser, self._company, self._most, self._observe = recogniser, company, most, observe
    self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
    self._thread = threading.Thread(target=self._work, daemon=True, name="judging")
    self._thread.start()

  def submit(self, looks: Sequence[TiledPicture]) -> Future[Answer]:
    """The answer to a picture of which there are looks (`looks_at`), in time. One that is cancelled is left out."""
    waiting = _Waiting(looks, Future())
    self._queue.put(waiting)
    return waiting.answer

  def close(self, patience: float | None = None) -> None:
    """Judges what waits, for so many seconds at most, and ends the thread; nothing may be submitted any more."""
    self._queue.put(None)
    self._thread.join(patience)

  def _work(self) -> None:
    while (first := self._queue.get()) is not None:
      gathered, ends = self._gather(first)
      self._judge([own for own in gathered if own.answer.set_running_or_notify_cancel()])
      if ends:
        return

  def _gather(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
    """The first and those that come until its patience ends, and whether none will come after them."""
    gathered, until = [first], time.monotonic() + self._company
    while len(gathered) < self._most:
      try:
        own = self._queue.get(timeout=max(0.0, until - time.monotonic()))
      except queue.Empty:
        break
      if own is None:
        return gathered, True
      gathered.append(own)
    return gathered, False

  def _judge(self, gathered: list[_Waiting]) -> None:
    if not gathered:
      return
    self._observe(len(gathered))
    done = 0
    try:
      for answer in answers_to(self._recogniser, (look for own in gathered for look in own.looks)):
        gathered[done].answer.set_result(answer)
        done += 1
    except Exception as error:  # theirs who asked; the thread must live on for others
      for own in gathered[done:]:
        own.answer.set_exception(error)
