"""Pictures that `prepare` standardised and stored: read at random, without decoding."""

import dataclasses
import functools
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from PIL import Image

from jaxdistort.data.listing import list_pictures
from jaxdistort.data.pictures import BrokenPicture, standardise, training_side
from jaxdistort.data.source import Source, register_source
from jaxdistort.data.splits import SPLITS
from jaxdistort.errors import InputError, choose, reason_of
from jaxdistort.files import check_unicode, parse_json

SETTINGS, INDEX = "prepared.json", "index.npz"
_VERSION = 1  # of the files' form
_RANDOM_ACCESS = "readahead_buffer_size:0,max_parallelism:0"


@dataclasses.dataclass(frozen=True)
class Settings:
  """What a folder of prepared pictures holds.

  Attributes:
    data: names the source, as `parse_sources` takes it.
    source: its `repr`.
    image_size: side of validation and test pictures in pixels.
    training_side: side of training pictures in pixels.
    shards: number of files.
    version: of their form.
  """

  data: str
  source: str
  image_size: int
  training_side: int
  shards: int
  version: int = _VERSION

  @property
  def root(self) -> str | None:
    """Of the source, where that is a folder."""
    kind, _, path = self.source.partition(":")
    return path if kind == "folder" else None

  def again(self, image_size: int | None = None) -> str:
    """How to make the folder again, or mend it, in words."""
    plain = " without augmentation" if self.training_side == self.image_size else ""
    return f"prepare {self.data} in it again at {image_size or self.image_size} px{plain}"

  def needed(self, side: int, size: int) -> int:
    """The least `image_size` with which pictures that are kept at `side` now would be kept at `size` or more."""
    if side == self.image_size:
      return size
    return next(n for n in range(size * 7 // 8 - 1, size) if training_side(n) >= size)


def read_settings(root: Path) -> Settings | None:
  """The settings of a folder; None if there are none.

  Raises:
    InputError: they cannot be read, or are of another version.
  """
  path = root / SETTINGS
  try:
    given = parse_json(path.read_bytes())
    if given["version"] != _VERSION:
      raise InputError(f"{path}: of version {given['version']}, this program reads {_VERSION}; prepare it anew")
    return Settings(**given)
  except (FileNotFoundError, NotADirectoryError):
    return None
  except InputError:
    raise
  except (OSError, ValueError, TypeError, KeyError) as error:
    raise InputError(f"{path}: cannot be read ({reason_of(error)}); remove the folder and prepare it anew") from error


def shard_path(root: str | os.PathLike[str], shard: int, suffix: str = ".array_record") -> Path:
  return Path(root) / f"shard-{shard:05d}{suffix}"


class Prepared(Source):
  """The pictures of the source that was prepared: their order, names and originals.

  Raises:
    InputError: no such folder, or it is unfinished or damaged.
  """

  def __init__(self, path: str):
    self._root = os.path.realpath(os.path.expanduser(path))
    check_unicode(self._root)
    settings = read_settings(Path(self._root))
    if settings is None:
      raise InputError(f"data source prepared:{path}: holds no prepared pictures")
    self._settings = settings
    try:
      self._version = os.stat(os.path.join(self._root, INDEX)).st_mtime_ns
      sizes = _column(self._root, self._version, "shard_bytes")
      self._length = len(_column(self._root, self._version, "record"))
    except FileNotFoundError as error:
      raise self._unusable("unfinished") from error
    except (OSError, ValueError, KeyError, BadZipFile) as error:
      raise self._unusable(f"damaged ({INDEX}: {reason_of(error)})") from error
    for shard, size in enumerate(sizes.tolist()):
      file = shard_path(self._root, shard)
      if not file.is_file() or file.stat().st_size != size:
        raise self._unusable(f"damaged ({file.name})")

  def __len__(self) -> int:
    return self._length

  def __repr__(self) -> str:
    return f"prepared:{self._root}"

  def file(self, index: int) -> str:
    return os.fspath(shard_path(self._root, int(self._column("shard")[index])))

  def name(self, index: int) -> str:
    return os.path.join(self._settings.root or "", self.short_name(index))

  def short_name(self, index: int) -> str:
    return _text(self._root, self._version, "name", index)

  def original(self, index: int) -> str:
    return _text(self._root, self._version, "original", index)

  def members(self, split: str) -> np.ndarray:
    choose("split", split, (*SPLITS, "all"))
    splits = _column(self._root, self._version, "split")
    return np.arange(len(self)) if split == "all" else np.flatnonzero(splits == SPLITS.index(split))

  def remarks(self) -> tuple[str, ...]:
    """Where the source is a folder that is still there, compares names, sizes and times."""
    changes = _changes(self._root, self._version, self._settings)
    return (changes,) if changes else ()

  def load(self, index: int, size: int) -> np.ndarray:
    """Reads the picture as uint8 [size, size, 3]: as it is stored, or shrunk as `standardise` does.

    Raises:
      BrokenPicture: the source's file could not be read as a picture.
      InputError: it is stored smaller than `size`, or its file is damaged.
    """
    record, shard, side = (int(self._column(column)[index]) for column in ("record", "shard", "side"))
    if record < 0:
      raise BrokenPicture(_text(self._root, self._version, "reason", -1 - record))
    if side < size:
      raise InputError(
        f"data source prepared:{self._root}: holds this picture at {side} px, {size} px are asked for; "
        f"{self._settings.again(self._settings.needed(side, size))}"
      )
    try:
      (content,) = _reader(self._root, self._version, shard).read([record])
    except (RuntimeError, ValueError) as error:
      raise self._damaged(shard, reason_of(error)) from error
    if len(content) != side * side * 3:
      raise self._damaged(shard, f"a record of {len(content)} bytes")
    image = np.frombuffer(content, np.uint8).reshape(side, side, 3)
    return image if side == size else standardise(Image.fromarray(image), size)

  def _column(self, name: str) -> np.ndarray:
    return _column(self._root, self._version, name)

  def _damaged(self, shard: int, reason: str) -> InputError:
    return self._unusable(f"damaged ({reason}); remove {shard_path(self._root, shard).name}")

  def _unusable(self, state: str) -> InputError:
    return InputError(f"data source prepared:{self._root}: {state}; {self._settings.again()}")


register_source("prepared", Prepared, "pictures of another source that were prepared in a folder", "DIR")


# What processes keep open, so that a source goes to workers as a few words: columns are read when first asked for.
# Everything is kept by the time of the index too, which is another when the folder was prepared again.


@functools.cache
def _column(root: str, version: int, name: str) -> np.ndarray:
  del version
  with open(os.path.join(root, INDEX), "rb") as file, np.load(file) as index:
    return index[name]


@functools.cache
def _reader(root: str, version: int, shard: int) -> Any:
  from array_record.python.array_record_module import ArrayRecordReader  # ty: ignore[import-not-found]

  del version
  return ArrayRecordReader(os.fspath(shard_path(root, shard)), _RANDOM_ACCESS, file_reader_buffer_size=2**15)


def _text(root: str, version: int, name: str, index: int) -> str:
  ends = _column(root, version, f"{name}_ends")
  begin = int(ends[index - 1]) if index else 0
  return os.fsdecode(_column(root, version, name)[begin : int(ends[index])].tobytes())


def pack_texts(name: str, texts: Sequence[str]) -> dict[str, np.ndarray]:
  """Columns of any number of texts: their bytes, one behind the other, and where each ends."""
  parts = [os.fsencode(text) for text in texts]
  content = np.frombuffer(b"".join(parts), np.uint8)
  return {name: content, f"{name}_ends": np.cumsum([len(part) for part in parts], dtype=np.int64)}


def file_stamps(paths: Sequence[str | None]) -> np.ndarray:
  """Size in bytes and time of the last change in ns of files, int64 [N, 2]; -1 where there is none."""

  def stamps(begin: int) -> list[tuple[int, int]]:
    return [_stamp(path) for path in paths[begin : begin + 1024]]

  with ThreadPoolExecutor(8) as pool:  # for folders on other machines
    parts = pool.map(stamps, range(0, len(paths), 1024))
    return np.array([stamp for part in parts for stamp in part], np.int64).reshape(-1, 2)


def _stamp(path: str | None) -> tuple[int, int]:
  try:
    status = os.stat(path) if path else None
  except OSError:
    status = None
  return (status.st_size, status.st_mtime_ns) if status else (-1, -1)


@functools.cache  # though the folder may be opened again
def _changes(root: str, version: int, settings: Settings) -> str:
  if settings.root is None or not os.path.isdir(settings.root):  # gone: the prepared pictures stand alone
    return ""
  names = list_pictures(settings.root).names
  after = dict(zip(names, file_stamps([os.path.join(settings.root, name) for name in names]).tolist(), strict=True))
  stamps = np.stack([_column(root, version, column) for column in ("bytes", "mtime")], 1).tolist()
  before = {_text(root, version, "name", number): stamp for number, stamp in enumerate(stamps)}
  what = describe_changes(count_changes(before, after)) if names else ""
  return f"{settings.root}: {what} since it was prepared in {root}; {settings.again()} to bring that in" if what else ""


def describe_changes(counts: dict[str, int]) -> str:
  """Such as "3 added, 1 removed"; "" if nothing changed."""
  return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def count_changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, int]:
  """How many keys were "added", "removed", or have "changed" values."""
  return {
    "added": len(after.keys() - before.keys()),
    "removed": len(before.keys() - after.keys()),
    "changed": sum(before.get(key, value) != value for key, value in after.items()),
  }
