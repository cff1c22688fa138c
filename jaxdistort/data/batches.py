"""Clean pictures in batches: decoded in worker processes, on the device before they are needed."""

import dataclasses
import functools
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from jax.sharding import Mesh

from jaxdistort.data.decoding import collected_remarks
from jaxdistort.data.loading import load_elements
from jaxdistort.data.order import Order
from jaxdistort.data.picture_set import PictureSet
from jaxdistort.data.pictures import read_or
from jaxdistort.runtime.mesh import local_rows, put_rows

_ENDLESS = 2**31  # batches


class CleanBatch(NamedTuple):
  """A batch of clean pictures.

  Attributes:
    images: uint8 [B, S, S, 3], split over the devices; in the workers numpy, the rows of this process alone.
    numbers: int64 [B] on the host, numbers within the `PictureSet`; -1 where a slot only fills the last batch.
    broken: int32 [b] on the host, for the rows that this process read (all, if it is the only one): number of
      the picture that could not be read here, or -1. In training another picture stands in its place; in
      evaluation its slot is black and must not count.
    remarked: int32 [b], likewise: number of the picture that was read, though not in every way as it is meant, or -1.
  """

  images: Any
  numbers: np.ndarray
  broken: np.ndarray
  remarked: np.ndarray

  @property
  def to_list(self) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the broken and of the remarked pictures, as `BrokenPictures.add` takes them."""
    return self.broken[self.broken >= 0], self.remarked[self.remarked >= 0]


class Loaded(NamedTuple):
  """Pictures that were loaded together.

  Attributes:
    images: uint8 [n, S, S, 3].
    broken: int32 [n], as in `CleanBatch`.
    remarked: int32 [n], as in `CleanBatch`.
  """

  images: np.ndarray
  broken: np.ndarray
  remarked: np.ndarray


@dataclasses.dataclass(frozen=True)
class LoadPictures:
  """Loads pictures together, by their numbers int [n].

  Where the number is -1 the slot is black. The slot of a picture that cannot be read is black, or with `replace` shows
  another picture of its source.

  Attributes:
    pictures: numbered.
    side: of the result in pixels.
    replace: broken pictures; NothingReadable is raised where none of a source can be read.
  """

  pictures: PictureSet
  side: int
  replace: bool = False

  def __call__(self, numbers: np.ndarray) -> Loaded:
    images = np.zeros((len(numbers), self.side, self.side, 3), np.uint8)
    broken, remarked = np.full((2, len(numbers)), -1, np.int32)
    for place, number in enumerate(numbers.tolist()):
      if number < 0:
        continue
      with collected_remarks() as remarks:
        if self.replace:
          images[place], broken[place] = self.pictures.load_or_other(number, self.side)
        else:
          images[place], reason = read_or(images[place], self.pictures.load, number, self.side)
          broken[place] = number if reason else -1
      if remarks and broken[place] < 0:
        remarked[place] = number
    return Loaded(images, broken, remarked)


@contextmanager
def training_batches(
  pictures: PictureSet, order: Order, *, side: int, batch_size: int, mesh: Mesh, first_batch: int = 0, workers: int = 1
) -> Generator[Iterator[CleanBatch]]:
  """Endless batches of pictures in their order; on leaving the context, workers end.

  Batch k is the same for the same arguments however many workers and processes there are and wherever the run
  began, so a position in the data is a number of batches. Every process reads its own rows only.

  Args:
    pictures: of the training split.
    order: in which they come.
    side: of the pictures in pixels.
    batch_size: pictures a batch, of all processes together.
    mesh: over whose devices batches are split.
    first_batch: number of the first batch.
    workers: decoding processes; 0 decodes in threads of this process.
  """
  load = LoadPictures(pictures, side, replace=True)
  make = functools.partial(_load_batch, load, local_rows(mesh, batch_size), functools.partial(_take, order, batch_size))
  with load_elements(range(first_batch, _ENDLESS), make, workers=workers, put=_put_on(mesh)) as batches:
    yield batches


@contextmanager
def evaluation_batches(
  pictures: PictureSet, *, size: int, batch_size: int, mesh: Mesh, workers: int = 1
) -> Generator[Iterator[CleanBatch]]:
  """Every picture once, in order, in its standard form; the last batch is filled with empty slots."""
  load = LoadPictures(pictures, size)
  numbers = functools.partial(_take_in_turn, len(pictures), batch_size)
  make = functools.partial(_load_batch, load, local_rows(mesh, batch_size), numbers)
  count = -(-len(pictures) // batch_size)
  with load_elements(range(count), make, workers=workers, put=_put_on(mesh)) as batches:
    yield batches


def _take(order: Order, batch_size: int, batch: int) -> np.ndarray:
  """Numbers int64 [batch_size] of a batch of training."""
  return order.numbers(np.arange(batch * batch_size, (batch + 1) * batch_size).astype(np.uint32)).astype(np.int64)


def _take_in_turn(count: int, batch_size: int, batch: int) -> np.ndarray:
  """Numbers int64 [batch_size] of a batch of evaluation; -1 beyond the last picture."""
  numbers = np.arange(batch * batch_size, (batch + 1) * batch_size)
  return np.where(numbers < count, numbers, -1)


def _load_batch(
  load: LoadPictures, rows: np.ndarray, numbers_of: Callable[[int], np.ndarray], batch: int
) -> CleanBatch:
  numbers = numbers_of(batch)
  loaded = load(numbers[rows])
  return CleanBatch(loaded.images, numbers, loaded.broken, loaded.remarked)


def _put_on(mesh: Mesh) -> Callable[[CleanBatch], CleanBatch]:
  return lambda batch: batch._replace(images=put_rows(mesh, batch.images))
