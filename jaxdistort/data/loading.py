"""Clean pictures in batches: decoded in worker processes, on the device before they are needed."""

import dataclasses
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any, NamedTuple

import grain
import numpy as np
from absl import flags
from jax.sharding import Mesh

from jaxdistort.data.order import Order
from jaxdistort.data.picture_set import PictureSet
from jaxdistort.data.pictures import BrokenPicture
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
  """

  images: Any
  numbers: np.ndarray
  broken: np.ndarray


def default_workers() -> int:
  """One process fewer than there are processors, within 1..8."""
  return max(1, min(8, (os.cpu_count() or 1) - 1))


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
  load = _LoadForTraining(pictures, order, side, batch_size, local_rows(mesh, batch_size))
  with read_ahead(grain.MapDataset.range(first_batch, _ENDLESS).map(load), workers, _put_on(mesh)) as batches:
    yield batches


@contextmanager
def evaluation_batches(
  pictures: PictureSet, *, size: int, batch_size: int, mesh: Mesh, workers: int = 1
) -> Generator[Iterator[CleanBatch]]:
  """Every picture once, in order, in its standard form; the last batch is filled with empty slots."""
  load = _LoadForEvaluation(pictures, size, batch_size, local_rows(mesh, batch_size))
  count = -(-len(pictures) // batch_size)
  with read_ahead(grain.MapDataset.range(count).map(load), workers, _put_on(mesh)) as batches:
    yield batches


@dataclasses.dataclass(frozen=True)
class _LoadForTraining(grain.transforms.Map):
  pictures: PictureSet
  order: Order
  side: int
  batch_size: int
  rows: np.ndarray

  def map(self, element: int) -> CleanBatch:
    positions = np.arange(element * self.batch_size, (element + 1) * self.batch_size).astype(np.uint32)
    numbers = self.order.numbers(positions)
    loaded = [self.pictures.load_or_next(number, self.side) for number in numbers[self.rows].tolist()]
    images, broken = zip(*loaded, strict=True)
    return CleanBatch(np.stack(images), numbers.astype(np.int64), np.array(broken, np.int32))


@dataclasses.dataclass(frozen=True)
class _LoadForEvaluation(grain.transforms.Map):
  pictures: PictureSet
  size: int
  batch_size: int
  rows: np.ndarray

  def map(self, element: int) -> CleanBatch:
    numbers = np.arange(element * self.batch_size, (element + 1) * self.batch_size)
    numbers = np.where(numbers < len(self.pictures), numbers, -1)
    images = np.zeros((len(self.rows), self.size, self.size, 3), np.uint8)
    broken = np.full(len(self.rows), -1, np.int32)
    for place, number in enumerate(numbers[self.rows].tolist()):
      if number >= 0:
        try:
          images[place] = self.pictures.load(number, self.size)
        except BrokenPicture:
          broken[place] = number
    return CleanBatch(images, numbers, broken)


def _put_on(mesh: Mesh) -> Callable[[CleanBatch], CleanBatch]:
  def put(batch: CleanBatch) -> CleanBatch:
    # Copies: a worker's arrays live in shared memory, which JAX would hold on to (even past the end of the process).
    images, numbers, broken = (np.array(values) for values in batch)
    return CleanBatch(put_rows(mesh, images), numbers, broken)

  return put


@contextmanager
def read_ahead(elements: grain.MapDataset, workers: int, put: Callable[[Any], Any]) -> Generator[Iterator[Any]]:
  """The elements in order, made by workers (0: threads) and passed through `put` in a thread, before they are needed.

  Two whole elements are held per worker, and two more after `put`.
  """
  if not flags.FLAGS.is_parsed():
    flags.FLAGS.mark_as_parsed()  # grain's workers read absl flags, which a notebook never parses
  threads = grain.ReadOptions(num_threads=0 if workers else default_workers(), prefetch_buffer_size=0 if workers else 2)
  stream = elements.to_iter_dataset(threads)
  if workers:
    options = grain.MultiprocessingOptions(num_workers=workers, per_worker_buffer_size=2)
    stream = stream.mp_prefetch(options, worker_init_fn=_live_and_die_with_parent)
  iterator = iter(grain.experimental.ThreadPrefetchIterDataset(stream.map(put), prefetch_buffer_size=2))
  try:
    with _without_interrupts():
      iterator.start_prefetch()
    yield iterator
  finally:
    iterator.close()
    gc.collect()  # its last elements lie in cycles, and their shared memory would be told as leaked at the end


@contextmanager
def _without_interrupts() -> Generator[None]:
  """Threads that begin here, and their processes, do not get Ctrl-C: a worker that it ends early is waited for."""
  resource_tracker.ensure_running()  # it would take the mask off, were it begun later
  before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
  try:
    yield
  finally:
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _live_and_die_with_parent(worker: int, workers: int) -> None:
  """Leaves Ctrl-C to the parent, and ends the worker when the parent was killed."""
  del worker, workers
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  parent = os.getppid()

  def watch() -> None:
    while os.getppid() == parent:
      time.sleep(1)
    os._exit(1)

  threading.Thread(target=watch, daemon=True).start()
