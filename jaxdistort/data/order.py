"""Which clean picture comes when in training: computed from its position, on the host as on the device."""

import dataclasses
from typing import Any

import jax
import numpy as np

from jaxdistort.errors import InputError
from jaxdistort.shuffle import mix32, permute

_BLOCK = 1024  # pictures of a mix in which every source has its share
_MOST = 2**31 - 1  # pictures of a source: sums of two numbers must fit 32 bits

Positions = np.ndarray | jax.Array  # uint32 [N]


@dataclasses.dataclass(frozen=True)
class Order:
  """An endless stream of the pictures of one or more sources, in an order that nothing has to store.

  Position t of the stream shows the same picture wherever it is asked for, at a cost that the size of the set
  does not change. Each source shows all of its pictures, newly shuffled, before it shows one again. In a mix,
  every run of 1,024 positions holds the sources in their shares, shuffled (else sources and the classes of
  a protocol, which take turns too, could meet always in the same way).

  Attributes:
    lengths: pictures of each source, which are numbered on from source to source.
    shares: positions of each source in a run of 1,024.
    seed: 0..2^31-1.

  The shuffle is `permute`.
  """

  lengths: tuple[int, ...]
  shares: tuple[int, ...]
  seed: int

  @classmethod
  def of(cls, lengths: tuple[int, ...], weights: tuple[float, ...], seed: int) -> "Order":
    """The order of sources that are mixed by weights (rounded to 1/1,024 of their sum).

    Raises:
      InputError: a source is empty or too large, or its weight is next to nothing.
    """
    if not all(0 < length <= _MOST for length in lengths):
      raise InputError(f"data sources of {', '.join(map(str, lengths))} training pictures: 1 to {_MOST} can be used")
    ends = np.round(np.cumsum(weights) / np.sum(weights) * _BLOCK).astype(int)
    shares = np.diff(ends, prepend=0)
    if np.any(shares == 0):
      raise InputError(f"data sources with the weights {weights}: the least share in a mix is 1/{_BLOCK}")
    return cls(tuple(lengths), tuple(shares.tolist()), seed)

  def numbers(self, positions: Positions) -> Any:
    """The numbers int32 [N] of the pictures at positions uint32 [N], of numpy or JAX, of the stream."""
    if len(self.lengths) == 1:
      return self._of_source(0, positions)
    block, slot = positions // np.uint32(_BLOCK), positions % np.uint32(_BLOCK)
    slot = permute(slot, _BLOCK, mix32(mix32(block) + np.uint32(self.seed)))
    numbers, start = slot.astype(np.int32) * np.int32(0), 0
    for source, share in enumerate(self.shares):
      inside = (slot >= np.uint32(start)) & (slot < np.uint32(start + share))
      turn = block * np.uint32(share) + (slot - np.uint32(start))  # of the source; of no meaning outside
      numbers += self._of_source(source, turn) * inside.astype(np.int32)
      start += share
    return numbers

  def _of_source(self, source: int, turns: Positions) -> Any:
    length = np.uint32(self.lengths[source])
    epoch, place = turns // length, turns % length
    key = mix32(mix32(epoch) + np.uint32(self.seed)) + np.uint32((source + 1) * 0x9E3779B9 % 2**32)
    return permute(place, int(length), key).astype(np.int32) + np.int32(sum(self.lengths[:source]))
