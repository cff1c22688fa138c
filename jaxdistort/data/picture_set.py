"""The clean pictures of one split of one or more sources, under one numbering."""

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from jaxdistort.data.order import Order
from jaxdistort.data.pictures import read_noting, read_or
from jaxdistort.data.seen import Seen
from jaxdistort.data.sources import WeightedSource, parse_sources
from jaxdistort.data.splits import SPLITS
from jaxdistort.errors import NothingReadable, choose
from jaxdistort.progress import SILENT, Progress
from jaxdistort.shuffle import mix32, permute

_CANDIDATES = 1024  # to stand in for a broken picture, that are drawn together


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
  _broken: set[int] = dataclasses.field(default_factory=set, init=False, repr=False, compare=False)

  def __len__(self) -> int:
    return sum(len(m) for m in self.members)

  def __repr__(self) -> str:
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

  def short_name(self, number: int) -> str:
    source, position = self._locate(number)
    return self.sources[source].source.short_name(int(self.members[source][position]))

  def file(self, number: int) -> str | None:
    """The file of a picture; see `Source.file`."""
    source, position = self._locate(number)
    return self.sources[source].source.file(int(self.members[source][position]))

  def original(self, number: int) -> str:
    """The original that a picture shows; see `Source.original`."""
    source, position = self._locate(number)
    return self.sources[source].source.original(int(self.members[source][position]))

  def names_of_originals(self) -> list[str]:
    """The original of every picture; see `Source.original`."""
    pairs = zip(self.sources, self.members, strict=True)
    return [source.original(i) for (source, _), members in pairs for i in members.tolist()]

  def originals(self) -> np.ndarray:
    """Numbers int64 [len]: the same for pictures that show the same original, in whichever source."""
    ids: dict[str, int] = {}
    return np.fromiter((ids.setdefault(name, len(ids)) for name in self.names_of_originals()), np.int64, len(self))

  def fingerprint(self) -> str:
    """The same for the same originals in the same order and shares, wherever their pictures lie."""
    shares = [f"{source.weight:g}*{len(members)}" for source, members in zip(self.sources, self.members, strict=True)]
    content = "\0".join([*shares, *self.names_of_originals()]).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=16).hexdigest()

  def of_split(self, split: str) -> "PictureSet":
    """All pictures of a split of the same sources.

    Where sources share an original and have put it into different splits (small ones fill theirs up), it belongs to the
    first of them: nothing is tested that serves the training.

    Raises:
      InputError: no such split, or a source is too small to be split.
    """
    pictures = self._as_split(split)
    if split == "all" or len(self.sources) == 1:
      return pictures
    before = SPLITS[: SPLITS.index(split)]
    return pictures.without(Seen.of(map(self._as_split, before))) if before else pictures

  def _as_split(self, split: str) -> "PictureSet":
    """What each source, alone, takes for a split."""
    return dataclasses.replace(self, members=tuple(source.members(split) for source, _ in self.sources))

  def without(self, seen: Seen) -> "PictureSet":
    """The pictures whose originals are not among these."""
    kept = [
      members[~seen.holds([source.original(i) for i in members.tolist()])]
      for (source, _), members in zip(self.sources, self.members, strict=True)
    ]
    return dataclasses.replace(self, members=tuple(kept))

  def load(self, number: int, size: int) -> np.ndarray:
    """Loads a picture as uint8 [size, size, 3]; see `Source.load`."""
    source, position = self._locate(number)
    return self.sources[source].source.load(int(self.members[source][position]), size)

  def load_or_other(self, number: int, size: int) -> tuple[np.ndarray, int]:
    """Loads a picture, or for a broken one another of its source: always the same, wherever it is asked for.

    Returns:
      uint8 [size, size, 3], and the number of the broken picture, or -1.

    Raises:
      NothingReadable: none of the source's pictures.
    """
    image, reason = read_or(None, self.load, number, size)
    if image is not None:
      return image, -1
    for other in self._others(number):
      if other not in self._broken:  # what this process has met once as a stand-in is not decoded for every slot
        image, _ = read_or(None, self.load, other, size)
        if image is not None:
          return image, number
        self._broken.add(other)
    source, _ = self._locate(number)
    raise NothingReadable(
      f"data source {self.sources[source].source!r}: none of its {len(self.members[source])} pictures here can be read "
      f"({self.name(number)}: {reason})"
    )

  def _others(self, number: int) -> Iterator[int]:
    """All other pictures of its source, shuffled by the number: broken ones may stand in long rows."""
    source, position = self._locate(number)
    length = len(self.members[source])
    key = mix32(np.full(1, position, np.uint32))
    for begin in range(0, length - 1, _CANDIDATES):
      turns = np.arange(begin, min(begin + _CANDIDATES, length - 1), dtype=np.uint32)
      for step in permute(turns, length - 1, key).tolist():
        yield self.number(source, (position + 1 + step) % length)

  def what_is_wrong(self, number: int, size: int) -> str:
    """The reason why a picture cannot be read, or the remarks on one that can; reads it once more."""
    _, reason, remarks = read_noting(None, self.load, number, size)
    return reason or remarks or "could not be read at first, now it can"


def open_pictures(spec: str, split: str, progress: Progress = SILENT) -> PictureSet:
  """Opens the pictures of a split.

  Args:
    spec: see `parse_sources`.
    split: train, validation, test, or all.
    progress: see `parse_sources`.

  Raises:
    InputError: a source cannot be opened, or is too small to be split.
  """
  choose("split", split, (*SPLITS, "all"))
  return open_splits(spec, progress, splits=(split,))[split]


def open_splits(spec: str, progress: Progress = SILENT, splits: Sequence[str] = SPLITS) -> dict[str, PictureSet]:
  """Opens several splits of the same sources at once, which are listed and identified once; see `open_pictures`."""
  sources = tuple(parse_sources(spec, progress))
  pictures = PictureSet(spec, sources, tuple(np.arange(len(source)) for source, _ in sources))
  return {split: pictures.of_split(split) for split in splits}
