"""The loop of everything that a network is asked: batch after batch, the device always one ahead."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Batch = TypeVar("Batch")
Outputs = TypeVar("Outputs")


def one_behind(dispatch: Callable[[Batch], Outputs], batches: Iterable[Batch]) -> Iterator[tuple[Batch, Outputs]]:
  """Every batch with what `dispatch` began for it, once the next one has begun.

  Whoever reads the outputs waits for one batch (a sync point) while the device is at work on the next.
  """
  pending: tuple[Batch, Outputs] | None = None
  for batch in batches:
    ahead = batch, dispatch(batch)
    if pending:
      yield pending
    pending = ahead
  if pending:
    yield pending
