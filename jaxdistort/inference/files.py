"""Answers to files, one after the other, whatever is wrong with some of them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from PIL import Image

from jaxdistort.data.pictures import read_or, read_picture
from jaxdistort.inference.predicting import answers_to, looks_at
from jaxdistort.inference.recogniser import Recogniser
from jaxdistort.inference.tiling import TiledPicture
from jaxdistort.tasks import Answer

T = TypeVar("T")

_AHEAD = 8  # pictures a thread that are read before the network gets to them


class Judged(NamedTuple):
  """A file and the answer to it.

  Attributes:
    path: as it was given.
    answer: None where the file cannot be read as a picture.
    error: why it cannot be; "" where it can.
  """

  path: str
  answer: Answer | None
  error: str


def judge_files(
  recogniser: Recogniser,
  paths: Iterable[str],
  *,
  read: Callable[[str], Image.Image] = read_picture,
  native: bool = True,
  workers: int = 1,
) -> Iterator[Judged]:
  """Answers to files in their order, each as soon as it is known; those that cannot be read stop nothing.

  Args:
    recogniser: the network, on one device.
    paths: consumed a few ahead.
    read: gives the picture of a path, or raises BrokenPicture.
    native: whether pictures that are shrunk are looked at by their own pixels, too: up to 25 squares more.
    workers: threads that decode.
  """
  waiting: deque[tuple[str, str]] = deque()  # files without an answer yet, and why they cannot be read

  def look(path: str) -> tuple[list[TiledPicture], str]:
    picture, error = read_or(None, read, path)
    return ([] if picture is None else looks_at(recogniser, picture, native=native)), error

  def looks() -> Iterator[TiledPicture]:
    for path, (own, error) in _in_order(look, paths, workers):
      waiting.append((path, error))
      yield from own

  def unread() -> Iterator[Judged]:
    while waiting and waiting[0][1]:
      path, error = waiting.popleft()
      yield Judged(path, None, error)

  for answer in answers_to(recogniser, looks()):
    yield from unread()
    yield Judged(waiting.popleft()[0], answer, "")
  yield from unread()


def _in_order(work: Callable[[str], T], paths: Iterable[str], workers: int) -> Iterator[tuple[str, T]]:
  """The work on each path, by threads, of which no more is done ahead than they can take."""
  under_way: deque[tuple[str, Future[T]]] = deque()
  with ThreadPoolExecutor(workers) as pool:
    try:
      for path in paths:
        under_way.append((path, pool.submit(work, path)))
        if len(under_way) > _AHEAD * workers:
          done, future = under_way.popleft()
          yield done, future.result()
      while under_way:
        done, future = under_way.popleft()
        yield done, future.result()
    finally:  # where nobody asks for the rest
      for _, future in under_way:
        future.cancel()
