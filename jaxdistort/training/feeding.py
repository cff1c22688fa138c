"""Steps with the pictures that they need: sent by the host step by step, or in device memory for many steps at once."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from jaxdistort.data import CleanBatch, Order, PictureSet, ResidentPictures, make_take, training_batches
from jaxdistort.training.step import StepMetrics, TrainState, Update, make_train_step, make_train_steps


class Feed(Protocol):
  """Where the pictures of a run come from.

  Attributes:
    most: steps a dispatch, at most.
  """

  most: int

  def first_images(self) -> jax.Array:
    """The clean pictures of the first step, before it is made."""
    ...

  def advance(self, state: TrainState, frozen: Any, count: int) -> tuple[TrainState, StepMetrics]:
    """Begins `count` steps; the metrics are float32 [`count` or more], in the order of the steps."""
    ...


class Batches(NamedTuple):
  """What decides which picture comes when."""

  pictures: PictureSet
  order: Order
  side: int
  size: int


class ResidentFeed:
  """Pictures in device memory, up to `most` steps a dispatch."""

  def __init__(self, update: Update, resident: ResidentPictures, batches: Batches, *, most: int):
    self.most, self._images, self._batches = most, resident.images, batches
    self._take = make_take(update.mesh)
    self._steps = make_train_steps(update, batches.order, batch_size=batches.size, most=most)

  def first_images(self) -> jax.Array:
    numbers = self._batches.order.numbers(jnp.arange(self._batches.size, dtype=jnp.uint32))
    return jax.jit(self._take)(self._images, numbers)

  def advance(self, state: TrainState, frozen: Any, count: int) -> tuple[TrainState, StepMetrics]:
    return self._steps(state, frozen, self._images, count)


class HostFeed:
  """Batches that come one by one, decoded and sent ahead of their step."""

  most = 1

  def __init__(
    self, update: Update, batches: Iterator[CleanBatch], on_broken: Callable[[np.ndarray, np.ndarray], None]
  ):
    self._batches, self._on_broken = batches, on_broken
    self._step = make_train_step(update)
    self._waiting: list[CleanBatch] = []

  def first_images(self) -> jax.Array:
    self._waiting.append(next(self._batches))
    return self._waiting[0].images

  def advance(self, state: TrainState, frozen: Any, count: int) -> tuple[TrainState, StepMetrics]:
    assert count == 1
    batch = self._waiting.pop() if self._waiting else next(self._batches)
    self._on_broken(*batch.to_list)
    state, metrics = self._step(state, frozen, batch.images)
    return state, metrics


@contextmanager
def host_feed(
  update: Update,
  batches: Batches,
  *,
  first_batch: int,
  workers: int,
  on_broken: Callable[[np.ndarray, np.ndarray], None],
) -> Generator[HostFeed]:
  """A `HostFeed` from batch `first_batch` on; on leaving the context, workers end."""
  with training_batches(
    batches.pictures,
    batches.order,
    side=batches.side,
    batch_size=batches.size,
    mesh=update.mesh,
    first_batch=first_batch,
    workers=workers,
  ) as stream:
    yield HostFeed(update, stream, on_broken)
