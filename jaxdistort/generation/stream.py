"""The distorted pictures of a set in the order of their stream, batch by batch, while the next ones are made."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from jaxdistort.data import Loaded, LoadPictures, PictureSet, load_elements
from jaxdistort.protocols import Protocol, Samples, distort_sharded
from jaxdistort.runtime.mesh import data_sharding

# Constant, so that a device runs the same program, and gives the same bits, however many devices there are.
_ORIGINALS_A_DEVICE = 8


class DistortedBatch(NamedTuple):
  """Every picture that a protocol makes of some originals.

  Attributes:
    numbers: int64 [b], of the originals within the `PictureSet`.
    broken: bool [b], those that could not be read, whose pictures must not count.
    remarked: bool [b], those that were read, though not in every way as they are meant.
    samples: of b times the protocol's period pictures or more, on the host: all of an original, then of the next.
  """

  numbers: np.ndarray
  broken: np.ndarray
  remarked: np.ndarray
  samples: Samples


@contextmanager
def distorted_batches(
  pictures: PictureSet,
  protocol: Protocol,
  mesh: Mesh,
  *,
  runs: list[tuple[int, int]],
  size: int,
  seed: int,
  workers: int,
) -> Generator[Iterator[DistortedBatch]]:
  """The runs of originals in order; on leaving the context, workers end.

  Picture t of the stream shows original t // period in slot t % period, and is the same whatever the runs. No batch
  reaches from one run into the next.

  Args:
    pictures: the originals.
    protocol: distorts.
    mesh: over whose devices batches are split.
    runs: first and last (excluded) number of each.
    size: side of the pictures in pixels.
    seed: of the distortions.
    workers: decoding processes; 0: threads.
  """
  period, originals = protocol.period, mesh.devices.size * _ORIGINALS_A_DEVICE
  distort_batch = distort_sharded(protocol, mesh)

  @jax.jit
  def distort(images: jax.Array, first: jax.Array) -> Samples:
    return distort_batch(jax.random.key(seed), jnp.repeat(images, period, axis=0), first * jnp.uint32(period))

  bounds = [(begin, min(begin + originals, end)) for first, end in runs for begin in range(first, end, originals)]
  numbers = [np.arange(begin, end) for begin, end in bounds]
  slots = [np.pad(own, (0, originals - len(own)), constant_values=-1) for own in numbers]

  def put(loaded: Loaded) -> tuple[jax.Array, np.ndarray, np.ndarray]:
    return jax.device_put(loaded.images, data_sharding(mesh)), loaded.broken, loaded.remarked

  def distorted(batches: Iterator[tuple[jax.Array, np.ndarray, np.ndarray]]) -> Iterator[DistortedBatch]:
    pending = None
    for own, (images, *listed) in zip(numbers, batches, strict=True):
      broken, remarked = (those[: len(own)] >= 0 for those in listed)
      ahead = own, broken, remarked, distort(images, jnp.uint32(own[0]))
      if pending:
        yield DistortedBatch(*jax.device_get(pending))  # one batch behind: the device works while this one is written
      pending = ahead
    if pending:
      yield DistortedBatch(*jax.device_get(pending))

  with load_elements(slots, LoadPictures(pictures, size), workers=workers, put=put) as batches:
    yield distorted(batches)
