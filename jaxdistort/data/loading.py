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
import jax
import numpy as np
from absl import flags

from jaxdistort.data.picture_set import PictureSet
from jaxdistort.data.pictures import BrokenPicture

_SHUFFLE_WINDOW = 256  # pictures


class CleanBatch(NamedTuple):
  """A batch of clean pictures.

  Attributes:
    images: uint8 [B, S, S, 3], on the device.
    numbers: int64 [B] on the host, numbers within the `PictureSet`; -1 where a slot only fills the last batch.
    broken: int64 [B] on the host, number of the picture that could not be read here, or -1. In training
      another picture stands in its place; in evaluation its slot is black and must not count.
  """

  images: jax.Array
  numbers: np.ndarray
  broken: np.ndarray


def default_workers() -> int:
  """One process fewer than there are processors, within 1..8."""
  return max(1, min(8, (os.cpu_count() or 1) - 1))


@contextmanager
def training_batches(
  pictures: PictureSet,
  *,
  size: int,
  batch_size: int,
  seed: int,
  first_batch: int = 0,
  augment: bool = True,
  workers: int = 1,
  sharding: jax.sharding.Sharding | None = None,
) -> Generator[Iterator[CleanBatch]]:
  """Endless batches of shuffled pictures; on leaving the context, workers end.

  Batch k is the same for the same arguments however many workers there are and wherever the run began,
  so a position in the data is a number of batches.

  Args:
    pictures: of the training split; sources are mixed by weight.
    size: side of the pictures in pixels.
    batch_size: pictures a batch.
    seed: of the order (a new one every epoch) and of the views.
    first_batch: number of the first batch.
    augment: random squares and flips; without it every picture always looks the same.
    workers: decoding processes; 0 decodes in threads of this process.
    sharding: where the images go; the default device if None.
  """
  shuffled = [
    grain.MapDataset.range(len(members)).map(_Number(pictures, source)).shuffle(seed=seed + source).repeat()
    for source, members in enumerate(pictures.members)
  ]
  mixed = shuffled[0]
  if len(shuffled) > 1:
    mixed = grain.MapDataset.mix(shuffled, weights=[w.weight for w in pictures.sources])
    # Sources take turns in a mix and classes in a protocol: unshuffled, a source could meet some classes only.
    mixed = grain.experimental.WindowShuffleMapDataset(mixed, window_size=_SHUFFLE_WINDOW, seed=seed)
  loaded = mixed.random_map(_LoadForTraining(pictures, size, augment), seed=seed)
  batches = loaded.batch(batch_size, drop_remainder=True)[first_batch:]
  with _on_device(batches, workers, sharding) as iterator:
    yield iterator


@contextmanager
def evaluation_batches(
  pictures: PictureSet,
  *,
  size: int,
  batch_size: int,
  workers: int = 1,
  sharding: jax.sharding.Sharding | None = None,
) -> Generator[Iterator[CleanBatch]]:
  """Every picture once, in order, in its standard form; the last batch is filled with empty slots."""
  slots = grain.MapDataset.range(-(-len(pictures) // batch_size) * batch_size)
  loaded = slots.map(_LoadForEvaluation(pictures, size))
  with _on_device(loaded.batch(batch_size), workers, sharding) as iterator:
    yield iterator


@dataclasses.dataclass(frozen=True)
class _Number(grain.transforms.Map):
  """Position among a source's members -> number in the set."""

  pictures: PictureSet
  source: int

  def map(self, element: int) -> int:
    return self.pictures.number(self.source, element)


@dataclasses.dataclass(frozen=True)
class _LoadForTraining(grain.transforms.RandomMap):
  pictures: PictureSet
  size: int
  augment: bool

  def random_map(self, element: int, rng: np.random.Generator) -> dict[str, Any]:
    image, broken = self.pictures.load_or_next(element, self.size, rng if self.augment else None)
    return {"image": image, "number": np.int64(element), "broken": np.int64(broken)}


@dataclasses.dataclass(frozen=True)
class _LoadForEvaluation(grain.transforms.Map):
  pictures: PictureSet
  size: int

  def map(self, element: int) -> dict[str, Any]:
    number = element if element < len(self.pictures) else -1
    image, broken = np.zeros((self.size, self.size, 3), np.uint8), -1
    if number >= 0:
      try:
        image = self.pictures.load(number, self.size)
      except BrokenPicture:
        broken = number
    return {"image": image, "number": np.int64(number), "broken": np.int64(broken)}


@contextmanager
def _on_device(
  batches: grain.MapDataset, workers: int, sharding: jax.sharding.Sharding | None
) -> Generator[Iterator[CleanBatch]]:
  def put(batch: dict[str, np.ndarray]) -> CleanBatch:
    # Copies: a worker's arrays live in shared memory, which JAX would hold on to (even past the end of the process).
    batch = {name: np.array(values) for name, values in batch.items()}
    return CleanBatch(jax.device_put(batch["image"], sharding), batch["number"], batch["broken"])

  with read_ahead(batches, workers, put) as iterator:
    yield iterator


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
