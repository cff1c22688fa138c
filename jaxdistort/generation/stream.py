"""The distorted pictures of a set in the order of their stream, batch by batch, while the next ones are made."""

import dataclasses
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import grain
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from jaxdistort.data import BrokenPicture, PictureSet
from jaxdistort.data.loading import read_ahead
from jaxdistort.protocols import Protocol, Samples, distort_sharded
from jaxdistort.runtime.mesh import data_sharding

# Constant, so that a device runs the same program, and gives the same bits, however many devices there are.
_ORIGINALS_A_DEVICE = 8


class DistortedBatch(NamedTuple):
  """Every picture that a protocol makes of some originals.

  Attributes:
    numbers: int64 [b], of the originals within the `PictureSet`.
    broken: bool [b], those that could not be read, whose pictures must not count.
    samples: of b times the protocol's period pictures or more, on the host: all of an original, then of the next.
  """

  numbers: np.ndarray
  broken: np.ndarray
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

  def put(batch: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, jax.Array]:
    # Copies: a worker's arrays live in shared memory, which JAX would hold on to.
    numbers, broken, images = (np.array(batch[name]) for name in ("numbers", "broken", "images"))
    return numbers, broken, jax.device_put(images, data_sharding(mesh))

  def distorted(batches: Iterator[tuple[np.ndarray, np.ndarray, jax.Array]]) -> Iterator[DistortedBatch]:
    pending = None
    for numbers, broken, images in batches:
      ahead = numbers, broken, distort(images, jnp.uint32(numbers[0]))
      if pending:
        yield DistortedBatch(*jax.device_get(pending))  # one batch behind: the device works while this one is written
      pending = ahead
    if pending:
      yield DistortedBatch(*jax.device_get(pending))

  bounds = [(begin, min(begin + originals, end)) for first, end in runs for begin in range(first, end, originals)]
  elements = grain.MapDataset.range(len(bounds)).map(_Load(pictures, np.array(bounds), size, originals))
  with read_ahead(elements, workers, put) as batches:
    yield distorted(batches)


@dataclasses.dataclass(frozen=True)
class _Load(grain.transforms.Map):
  """Number of a batch -> its clean pictures; slots that only fill it, and broken pictures, are black."""

  pictures: PictureSet
  bounds: np.ndarray
  size: int
  originals: int

  def map(self, element: int) -> dict[str, np.ndarray]:
    numbers = np.arange(*self.bounds[element])
    images = np.zeros((self.originals, self.size, self.size, 3), np.uint8)
    broken = np.zeros(len(numbers), bool)
    for place, number in enumerate(numbers.tolist()):
      try:
        images[place] = self.pictures.load(number, self.size)
      except BrokenPicture:
        broken[place] = True
    return {"numbers": numbers, "broken": broken, "images": images}
