"""The clean pictures of one split of one or more sources, under one numbering."""

import dataclasses

import numpy as np

from jaxdistort.data.order import Order
from jaxdistort.data.pictures import read_noting, read_or
from jaxdistort.data.sources import WeightedSource, parse_sources
from jaxdistort.data.splits import SPLITS
from jaxdistort.errors import InputError, choose
from jaxdistort.progress import SILENT, Progress

_MOST_BROKEN_IN_A_ROW = 100


@dataclasses.dataclass(frozen=True)
class PictureSet:
  """Pictures of a split, numbered through all sources. Pickles small enough to go to workers.

  Attributes:
    spec: the text that named the sources.
    sources: with their weights in a training mix.
    members: per source, int64 indices of its pictures that belong to the split.
  """

  spec: str
  sources: tuple[WeightedSource, ...]
  members: tuple[np.ndarray, ...]

  def __len__(self) -> int:
    return sum(len(m) for m in self.members)

  def __repr__(self) -> str:
    # Grain compares it between runs, so it names pictures, not objects.
    return " + ".join(f"{w.weight:g}*{w.source!r}[{len(m)}]" for w, m in zip(self.sources, self.members, strict=True))

  def order(self, seed: int) -> Order:
    """The order in which training shows them, the sources mixed by weight."""
    return Order.of(tuple(map(len, self.members)), tuple(source.weight for source in self.sources), seed)

  def _locate(self, number: int) -> tuple[int, int]:
    """Source and position among its members of a picture's number."""
    position = number
    for source, members in enumerate(self.members):
      if position < len(members):
        return source, position
      position -= len(members)
    raise IndexError(f"picture {number} of {len(self)}")

  def number(self, source: int, position: int) -> int:
    return sum(len(m) for m in self.members[:source]) + position

  def name(self, number: int) -> str:
    source, position = self._locate(number)
    return self.sources[source].source.name(int(self.members[source][position]))

  def originals(self) -> np.ndarray:
    """Numbers int64 [len]: the same for pictures that show the same original. Asks every picture's name."""
    ids: dict[tuple[int, str], int] = {}
    keys = ((k, w.source.original(int(i))) for k, w in enumerate(self.sources) for i in self.members[k])
    return np.fromiter((ids.setdefault(key, len(ids)) for key in keys), np.int64, len(self))

  def load(self, number: int, size: int) -> np.ndarray:
    """Loads a picture as uint8 [size, size, 3]; see `Source.load`."""
    source, position = self._locate(number)
    return self.sources[source].source.load(int(self.members[source][position]), size)

  def load_or_next(self, number: int, size: int) -> tuple[np.ndarray, int]:
    """Loads a picture, or for a broken one the next of its source that is not.

    Returns:
      uint8 [size, size, 3], and the number of the broken picture, or -1.

    Raises:
      InputError: a hundred pictures in a row are broken.
    """
    source, position = self._locate(number)
    members = self.members[source]
    for attempt in range(min(len(members), _MOST_BROKEN_IN_A_ROW)):
      candidate = self.number(source, (position + attempt) % len(members))
      image, _ = read_or(None, self.load, candidate, size)
      if image is not None:
        return image, number if attempt else -1
    raise InputError(f"data source {self.spec}: no readable picture from {self.name(number)} on")

  def what_is_wrong(self, number: int, size: int) -> str:
    """The reason why a picture cannot be read, or the remarks on one that can; reads it once more."""
    _, reason, remarks = read_noting(None, self.load, number, size)
    return reason or remarks or "could not be read at first, now it can"


def open_pictures(spec: str, split: str, progress: Progress = SILENT) -> PictureSet:
  """Opens the pictures of a split.

  Args:
    spec: see `parse_sources`.
    split: train, validation, test, or all.
    progress: hears, once, what changed since a prepared source was made.

  Raises:
    InputError: a source cannot be opened, or is too small to be split.
  """
  choose("split", split, (*SPLITS, "all"))
  sources = tuple(parse_sources(spec, progress))
  return PictureSet(spec, sources, tuple(source.members(split) for source, _ in sources))
