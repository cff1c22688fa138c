"""Which originals a network has seen, so that it is judged on others."""

import base64
import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
  from jaxdistort.data.picture_set import PictureSet


@dataclasses.dataclass(frozen=True, eq=False)
class Seen:
  """A set of originals, 8 bytes each; of a million others, one in 10^7 such sets takes one for its own.

  Attributes:
    hashes: uint64 [N], ascending.
  """

  hashes: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0, np.uint64))

  @classmethod
  def of(cls, sets: Iterable["PictureSet"]) -> "Seen":
    """The originals of some pictures, such as those for training and for validation."""
    return cls(np.unique(np.concatenate([_hashes(pictures.names_of_originals()) for pictures in sets])))

  def __len__(self) -> int:
    return len(self.hashes)

  def __or__(self, other: "Seen") -> "Seen":
    return Seen(np.union1d(self.hashes, other.hashes))

  def holds(self, originals: Sequence[str]) -> np.ndarray:
    """bool [N]: which originals, by name, are among these."""
    return np.isin(_hashes(originals), self.hashes)

  def to_text(self) -> str:
    """For JSON."""
    return base64.b64encode(self.hashes.astype("<u8").tobytes()).decode()

  @classmethod
  def from_text(cls, text: str) -> "Seen":
    """Reads what `to_text` gave; raises ValueError if it is something else."""
    return cls(np.frombuffer(base64.b64decode(text, validate=True), "<u8").astype(np.uint64))


def _hashes(originals: Sequence[str]) -> np.ndarray:
  digests = (hashlib.blake2b(o.encode("utf-8", "surrogatepass"), digest_size=8).digest() for o in originals)
  return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)
