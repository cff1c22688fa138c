"""A finished distorted data set: every original in every slot of the protocol's period, distorted on the device.

While it is made, the folder `unfinished` holds a table for every part of the set that is done; the manifest comes last.
"""

import csv
import itertools
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxdistort.data import SPLITS, BrokenPictures, PictureSet, default_workers, open_pictures, open_splits
from jaxdistort.errors import InputError, NothingReadable, choose
from jaxdistort.files import check_unicode, read_table, write_table
from jaxdistort.generation.description import begin, describe
from jaxdistort.generation.pictures import PictureFiles
from jaxdistort.generation.records import check_installed, pack
from jaxdistort.generation.stream import DistortedBatch, distorted_batches
from jaxdistort.locking import locked
from jaxdistort.progress import SILENT, Bar, Progress
from jaxdistort.protocols import PROTOCOLS, Protocol
from jaxdistort.runtime.mesh import create_mesh

FORMS = ("jpeg", "arrayrecord")
MANIFEST = "manifest.csv"
_ORIGINALS_A_PART = 256


class Generated(NamedTuple):
  """What `generate` did.

  Attributes:
    pictures: distorted ones in the set.
    broken: originals that could not be read.
    made: distorted pictures made in this call.
    remarked: originals that were read, though not in every way as they are meant.
  """

  pictures: int
  broken: int
  made: int
  remarked: int


def generate(
  data: str,
  output: Path,
  *,
  protocol: str,
  form: str = "jpeg",
  jpeg_quality: int | None = None,
  seed: int = 0,
  image_size: int = 224,
  split: str = "all",
  workers: int | None = None,
  progress: Progress = SILENT,
) -> Generated:
  """Makes a distorted set, or goes on where it was stopped; the same arguments give the same bytes.

  Args:
    data: clean pictures; see `parse_sources`.
    output: folder of the set, made if need be.
    protocol: name in `PROTOCOLS`.
    form: "jpeg": {train,validation,test}/KIND/PICTURE.jpg; "arrayrecord": a set of TensorFlow Datasets.
    jpeg_quality: 1..100, with chroma at half resolution, as the last step of the protocol; 0: PNG; None: the
      protocol's own.
    seed: 0..2^31-1, of the distortions.
    image_size: side of the pictures in pixels.
    split: train, validation, test or all.
    workers: decoding processes; 0: threads; None: one fewer than processors.
    progress: hears what is there already, and how far it is.

  Raises:
    InputError: an argument that cannot be used, or the folder holds something else, or another process makes it.
    OSError: the folder cannot be written; what is finished stays.
    KeyboardInterrupt: `progress` asked to stop.
  """
  create = PROTOCOLS.find(protocol, "protocol")
  choose("form", form, FORMS)
  if jpeg_quality is None:
    jpeg_quality = create().jpeg_quality or 0
  for name, value, low, high in (("jpeg_quality", jpeg_quality, 0, 100), ("seed", seed, 0, 2**31 - 1)):
    if not low <= value <= high:
      raise InputError(f"{name} must be within {low}..{high}, got {value}")
  if form == "arrayrecord":
    check_installed()
    check_unicode(output.absolute())
  pictures = open_pictures(data, split, progress)
  given = {"jpeg_quality": jpeg_quality, "image_size": image_size, "seed": seed, "split": split}
  description = describe(pictures, create(jpeg_quality or None), form=form, **given)
  with locked(output):
    begin(output, description, pictures)
    making = _Making(pictures, create(None), output, form, description, progress)
    made = 0
    if making.finished() is None:
      made = making.make_parts(default_workers() if workers is None else workers)
      making.finish()
    shutil.rmtree(making.unfinished, ignore_errors=True)
    return Generated(making.finished() or 0, len(making.broken), made, making.broken.remarked)


class _Making:
  """A set on its way from its parts to its manifest; the protocol leaves the JPEG step to the files."""

  def __init__(
    self,
    pictures: PictureSet,
    protocol: Protocol,
    output: Path,
    form: str,
    description: dict[str, Any],
    progress: Progress,
  ):
    self.pictures, self.protocol, self.description, self.progress = pictures, protocol, description, progress
    self.output, self.form = output, form
    self.unfinished = output / "unfinished"
    self.broken = BrokenPictures(output / "broken_pictures.jsonl", description["image_size"])
    self.files = PictureFiles(
      output if form == "jpeg" else self.unfinished / "pictures",
      protocol,
      pictures,
      _split_of_each(pictures, description["split"]),
      quality=description["jpeg_quality"],
      seed=description["seed"],
    )

  def _table(self, part: int) -> Path:
    return self.unfinished / f"part-{part:06d}.csv"

  @property
  def parts(self) -> list[tuple[int, int]]:
    """First and last (excluded) original of each."""
    count = len(self.pictures)
    return [(n, min(n + _ORIGINALS_A_PART, count)) for n in range(0, count, _ORIGINALS_A_PART)]

  def make_parts(self, workers: int) -> int:
    """Makes what is missing; how many distorted pictures that was."""
    missing = [part for part in range(len(self.parts)) if self._count(self._table(part), self.files.head) is None]
    if 0 < len(missing) < len(self.parts):
      there = len(self.parts) - len(missing)
      self.progress.tell(f"{there} of {len(self.parts)} parts are there, {len(missing)} are to be made")
    if not missing:
      return 0
    self.unfinished.mkdir(exist_ok=True)
    runs = [self.parts[part] for part in missing]
    made, total = 0, sum(end - first for first, end in runs) * self.protocol.period
    side = self.protocol.clean_side(self.description["image_size"])
    options = {"size": side, "seed": self.description["seed"]}
    with (
      distorted_batches(self.pictures, self.protocol, create_mesh(), runs=runs, workers=workers, **options) as batches,
      ThreadPoolExecutor(default_workers()) as pool,
      self.progress.bar(total, unit="picture", title="distorting") as bar,
    ):
      for part in missing:
        rows = self._make_part(part, batches, pool, bar)
        write_table(self._table(part), [self.files.head, *rows])
        made += len(rows)
    return made

  def _make_part(self, part: int, batches: Iterator[DistortedBatch], pool: ThreadPoolExecutor, bar: Bar) -> list[Any]:
    rows, end = [], self.parts[part][1]
    for batch in batches:
      self.broken.add(self.pictures, batch.numbers[batch.broken], batch.numbers[batch.remarked])
      rows += self.files.write(batch, pool)
      bar.advance(len(batch.numbers) * self.protocol.period)
      self.progress.check()
      if batch.numbers[-1] == end - 1:
        break
    return rows

  def _count(self, table: Path, head: Sequence[str]) -> int | None:
    """Pictures in a table; None if it is not there, or not whole."""
    try:
      rows = read_table(table)
      if next(rows, None) != head:
        return None
      count = 0  # there may be millions, which no memory holds
      for row in rows:
        if len(row) != len(head):
          return None
        count += 1
    except (FileNotFoundError, ValueError, csv.Error):
      return None
    return None if count % self.protocol.period else count

  def _rows(self) -> Iterator[list[str]]:
    for part in range(len(self.parts)):
      yield from itertools.islice(read_table(self._table(part)), 1, None)

  @property
  def _head(self) -> list[str]:
    """Of the manifest; records have no files of their own."""
    return self.files.head[1:] if self.form == "arrayrecord" else self.files.head

  def finished(self) -> int | None:
    """How many pictures the manifest lists; None if it is not there, or not whole."""
    return self._count(self.output / MANIFEST, self._head) or None

  def finish(self) -> None:
    """Packs the pictures if need be, and writes the manifest."""
    if next(self._rows(), None) is None:
      count = len(self.pictures)
      raise NothingReadable(f"data source {self.pictures.spec}: none of its {count} pictures here can be read")
    if self.form == "arrayrecord":
      pack(self.output, self.files, self._rows, self.description, self.progress)
    first = len(self.files.head) - len(self._head)
    write_table(self.output / MANIFEST, itertools.chain([self._head], (row[first:] for row in self._rows())))


def _split_of_each(pictures: PictureSet, split: str) -> np.ndarray:
  """Place in `SPLITS` of every picture, int8 [N]."""
  if split != "all":
    return np.full(len(pictures), SPLITS.index(split), np.int8)
  places: dict[str, int] = {}
  for place, own in enumerate(open_splits(pictures.spec).values()):
    places |= dict.fromkeys(own.names_of_originals(), place)
  return np.array([places[original] for original in pictures.names_of_originals()], np.int8)
