"""Prepares a source: its pictures standardised once, in files that training reads without decoding.

A folder of prepared pictures holds, for every shard, a file of records (raw pixels) and a table of its pictures;
`index.npz`, what the tables say as columns in the source's order; and `prepared.json`, the settings. A shard counts
when its table is there, the folder when its index is.
"""

import dataclasses
import functools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxdistort.data.loading import default_workers, load_elements
from jaxdistort.data.outputs import make_output_for
from jaxdistort.data.pictures import read_noting, training_side
from jaxdistort.data.prepared import (
  INDEX,
  SETTINGS,
  Prepared,
  Settings,
  count_changes,
  describe_changes,
  file_stamps,
  pack_texts,
  read_settings,
  shard_path,
)
from jaxdistort.data.shards import HEAD, KNOWN_BEFORE, holds, read_shard_table, record_file
from jaxdistort.data.source import Source
from jaxdistort.data.sources import parse_sources
from jaxdistort.data.splits import SPLITS, place_of, split_of
from jaxdistort.errors import InputError
from jaxdistort.files import (
  check_unicode,
  is_free,
  write_table,
  write_whole,
  writing_whole,
)
from jaxdistort.locking import locked
from jaxdistort.progress import SILENT, Bar, Progress

_PICTURES_A_SHARD = 1024
_MOST_SHARDS = 256  # each is a file that every process may hold open

_Loaded = tuple[np.ndarray, str, str]  # a picture, or nothing; why it cannot be read; remarks on one that was read


class Preparation(NamedTuple):
  """What `prepare` did.

  Attributes:
    pictures: of the source.
    broken: of them, which could not be read.
    shards: of the folder.
    made: of them, in this call.
    size: of the folder's records in bytes.
    remarked: of the pictures, which were read, though not in every way as they are meant.
  """

  pictures: int
  broken: int
  shards: int
  made: int
  size: int
  remarked: int


def prepare(
  data: str,
  output: Path,
  *,
  image_size: int = 224,
  augment: bool = True,
  workers: int | None = None,
  progress: Progress = SILENT,
) -> Preparation:
  """Makes a folder for the source `prepared:OUTPUT`, or brings it up to date, or goes on where it was stopped.

  Only shards with pictures that were added, removed or changed (by size and time of their files, or by another
  side) are made again.

  Args:
    data: names one source; see `parse_sources`.
    output: the folder, made if need be.
    image_size: side of validation and test pictures in pixels.
    augment: training pictures are kept at `training_side(image_size)`, for random squares; else at `image_size`.
    workers: decoding processes; 0: threads; None: one fewer than processors.
    progress: hears what changed since the last time, and how far it is.

  Raises:
    InputError: a source that cannot be prepared, or the folder holds something else, or another process prepares it.
    OSError: the folder cannot be written; what is finished stays.
    KeyboardInterrupt: `progress` asked to stop.
  """
  source = _open_single(data, progress)
  with locked(output):
    return _prepare(data, source, output, image_size, augment, workers, progress)


def _prepare(
  data: str, source: Source, output: Path, image_size: int, augment: bool, workers: int | None, progress: Progress
) -> Preparation:
  settings = _settings(data, source, output, image_size, training_side(image_size) if augment else image_size)
  try:
    plan = _Plan(source, settings)
  except InputError as error:
    raise InputError(f"data source {data}: {error}") from None
  stale, changes = plan.compare(output)
  if changes:
    progress.tell(f"{changes} since {output} was prepared")
  if 0 < len(stale) < settings.shards:
    progress.tell(f"{settings.shards - len(stale)} of {settings.shards} shards are there, {len(stale)} are to be made")
  if stale:
    (output / INDEX).unlink(missing_ok=True)
  write_whole(output / SETTINGS, json.dumps(dataclasses.asdict(settings), indent=2) + "\n")
  plan.make(output, stale, default_workers() if workers is None else workers, progress)
  return plan.finish(output, len(stale))


def _open_single(data: str, progress: Progress) -> Source:
  sources = parse_sources(data, progress)
  if len(sources) > 1:
    raise InputError(
      f"data source {data}: a mix cannot be prepared; prepare each source on its own and mix them, as in "
      "0.9*prepared:a+0.1*prepared:b"
    )
  if isinstance(sources[0].source, Prepared):
    raise InputError(f"data source {data}: is prepared already")
  return sources[0].source


def _settings(data: str, source: Source, output: Path, image_size: int, side: int) -> Settings:
  """Of the folder as it shall be; its number of shards never changes."""
  check_unicode(output.absolute())
  before = read_settings(output)
  if before is None and not is_free(output):
    raise InputError(f"output {output}: is no empty folder, and holds no prepared pictures; give another")
  if before and before.source != repr(source) and not _same_originals(output, source):
    raise InputError(f"output {output}: holds the pictures of {before.source}, not of {source!r}; give another")
  make_output_for([source], output)
  shards = before.shards if before else min(max(round(len(source) / _PICTURES_A_SHARD), 1), _MOST_SHARDS)
  named = repr(source) if data.startswith("folder:") else data  # a folder by its full path
  return Settings(named, repr(source), image_size, side, shards)


def _same_originals(output: Path, source: Source) -> bool:
  """Whether what was prepared in a folder are the pictures of this source, from where they lay before."""
  try:
    there = Prepared(os.fspath(output))
  except InputError:  # unfinished
    return False
  return [there.original(i) for i in range(len(there))] == [source.original(i) for i in range(len(source))]


class _Plan:
  """Which picture belongs to which shard, and what is known of it before it is read."""

  def __init__(self, source: Source, settings: Settings):
    self.source, self.settings = source, settings
    self.names = [source.short_name(i) for i in range(len(source))]
    self.originals = [source.original(i) for i in range(len(source))]
    splits = split_of(self.originals)
    self.split = np.array([SPLITS.index(splits[o]) for o in self.originals], np.int8)
    self.side = np.where(self.split == 0, settings.training_side, settings.image_size).astype(np.int32)
    # By the original alone, so that a picture that comes or goes leaves the other shards as they are.
    self.shard = np.array([int(place_of(o) * settings.shards) for o in self.originals], np.int32)
    self.stamps = file_stamps([source.file(i) for i in range(len(source))])
    self._order = np.argsort(self.shard, kind="stable")
    self._ends = np.searchsorted(self.shard[self._order], np.arange(settings.shards + 1))

  def members(self, shard: int) -> np.ndarray:
    """Indices int64 [n] in the source, ascending."""
    return self._order[self._ends[shard] : self._ends[shard + 1]]

  def rows(self, shard: int) -> list[list[str]]:
    """Of the shard's table, as far as they are known before."""
    return [
      [self.names[i], self.originals[i], SPLITS[self.split[i]], *map(str, (self.side[i], *self.stamps[i].tolist()))]
      for i in self.members(shard)
    ]

  def compare(self, output: Path) -> tuple[list[int], str]:
    """The shards that must be made, and how many pictures were added, removed or changed, in words; "" if none were."""
    stale, then, now = [], {}, {}
    for shard in range(self.settings.shards):
      table, rows = read_shard_table(output, shard), self.rows(shard)
      before = [row[:KNOWN_BEFORE] for row in table or ()]
      if before != rows or not holds(output, shard, table or []):
        stale.append(shard)
        if table is not None:
          then |= {row[0]: row for row in before}
          now |= {row[0]: row for row in rows}
    return stale, describe_changes(count_changes(then, now))

  def make(self, output: Path, shards: list[int], workers: int, progress: Progress) -> None:
    order = np.concatenate([np.empty(0, int), *(self.members(shard) for shard in shards)])
    if not len(order):
      return
    elements, load = np.stack([order, self.side[order]], axis=1), functools.partial(_load, self.source)
    with (
      load_elements(elements, load, workers=workers) as pictures,
      progress.bar(len(order), unit="picture", title="preparing") as bar,
    ):
      counted = self._counted(pictures, bar, progress)
      for shard in shards:
        self._make_shard(output, shard, counted)

  @staticmethod
  def _counted(pictures: Iterator[_Loaded], bar: Bar, progress: Progress) -> Iterator[_Loaded]:
    for picture in pictures:
      bar.advance()
      progress.check()
      yield picture

  def _make_shard(self, output: Path, shard: int, pictures: Iterator[_Loaded]) -> None:
    rows, count = self.rows(shard), 0
    shard_path(output, shard, ".csv").unlink(missing_ok=True)
    with record_file(shard_path(output, shard)) as file:
      for row in rows:
        image, reason, remarks = next(pictures)
        if reason:
          row += ["-1", reason]
        else:
          file.write(image.tobytes())
          row += [str(count), remarks]
          count += 1
    write_table(shard_path(output, shard, ".csv"), [HEAD, *rows])

  def finish(self, output: Path, made: int) -> Preparation:
    """Writes the index from the tables."""
    record, reasons, remarked = np.empty(len(self.names), np.int32), [], 0
    for shard in range(self.settings.shards):
      for index, row in zip(self.members(shard), read_shard_table(output, shard) or (), strict=True):
        record[index] = int(row[KNOWN_BEFORE])
        if record[index] < 0:
          reasons.append(row[-1])
          record[index] = -len(reasons)
        else:
          remarked += bool(row[-1])
    sizes = [shard_path(output, shard).stat().st_size for shard in range(self.settings.shards)]
    columns: dict[str, Any] = {"shard": self.shard, "record": record, "side": self.side, "split": self.split}
    columns |= {"bytes": self.stamps[:, 0], "mtime": self.stamps[:, 1], "shard_bytes": np.array(sizes)}
    for name, texts in (("name", self.names), ("original", self.originals), ("reason", reasons)):
      columns |= pack_texts(name, texts)
    with writing_whole(output / INDEX) as file:
      np.savez(file, **columns)
    return Preparation(len(record), len(reasons), len(sizes), made, sum(sizes), remarked)


def _load(source: Source, element: np.ndarray) -> _Loaded:
  """Of the index and the side of a picture."""
  index, side = element.tolist()
  return read_noting(np.empty((0, 0, 3), np.uint8), source.load, index, side)
