"""What a database of judged pictures holds, and how its files are found."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from jaxdistort.errors import InputError, reason_of
from jaxdistort.registry import Registry

REFERENCE = "reference"
"""The type of a database's undistorted pictures."""
CLEAN = "clean"
"""The class of pictures that nothing was done to, as tasks name it."""


class JudgedPicture(NamedTuple):
  """A picture of a database.

  Attributes:
    path: of its file.
    reference: of its reference's file; None where that is missing.
    original: name of the reference, which groups the pictures of one content.
    type: the database's name of the distortion, or "reference".
    level: how strong, in the type's unit (see `Database.level_units`); NaN for references.
    score: what people said of its quality (see `Database.score`); NaN where unknown.
  """

  path: Path
  reference: Path | None
  original: str
  type: str
  level: float
  score: float


@dataclasses.dataclass(frozen=True)
class Database:
  """A database of pictures that people judged, read in place.

  Attributes:
    name: for titles.
    root: its folder.
    pictures: references first.
    labels: type -> our name of the distortion, or "clean"; types that are not in it have none.
    level_units: type -> what its level counts.
    score: MOS or DMOS, its range, and which end is good.
    problems: parts that are missing, damaged or unknown, a line each.
    listed: how many distorted pictures the tables name, there or not; 0 where there are no tables.
    unchanged: (type, level) that do not change the picture, by their owners' own parameters.
  """

  name: str
  root: Path
  pictures: tuple[JudgedPicture, ...]
  labels: Mapping[str, str]
  level_units: Mapping[str, str]
  score: str
  problems: tuple[str, ...] = ()
  listed: int = 0
  unchanged: frozenset[tuple[str, float]] = frozenset()


class Layout(NamedTuple):
  """Where a database is, and what its owners put there. Messages name files as they lie in it.

  Attributes:
    spec: as the user named it, for messages.
    root: its folder.
    expected: the layout, in words.
  """

  spec: str
  root: Path
  expected: str

  def find(self, name: str) -> Path | None:
    """The file or folder of this name, such as `dst_imgs/blur`, in any letter case; None if there is none.

    Raises:
      InputError: a folder cannot be listed, or there are several that differ in letter case alone.
    """
    found = self.root
    for part in name.split("/"):
      alike = [path for path in self.entries(found) if path.name.lower() == part.lower()] if found.is_dir() else []
      exact = [path for path in alike if path.name == part]
      if len(alike) > 1 and not exact:
        raise self.error(f"{name} may be {' or '.join(sorted(path.name for path in alike))}; leave one of them there")
      if not alike:
        return None
      found = (exact or alike)[0]
    return found

  def entries(self, folder: Path) -> list[Path]:
    """What lies in a folder.

    Raises:
      InputError: it cannot be listed.
    """
    try:
      return sorted(folder.iterdir())
    except OSError as error:
      raise self.error(f"{self.named(folder)} cannot be listed: {reason_of(error)}") from error

  def need(self, name: str) -> Path:
    """Like `find`.

    Raises:
      InputError: there is none.
    """
    found = self.find(name)
    if found is None:
      raise self.error(f"no {name} in it; expected {self.expected}")
    return found

  def files(self, name: str) -> "Files":
    """The files of the folder of this name.

    Raises:
      InputError: there is no such folder.
    """
    folder = self.need(name)
    if not folder.is_dir():
      raise self.error(f"{name} is not a folder; expected {self.expected}")
    return Files(folder, self.named(folder), self.entries(folder))

  def content(self, path: Path) -> bytes:
    """The bytes of a table.

    Raises:
      InputError: it cannot be read.
    """
    try:
      return path.read_bytes()
    except OSError as error:
      raise self.error(f"{self.named(path)} cannot be read: {reason_of(error)}") from error

  def named(self, path: Path) -> str:
    """A path as it lies in the database."""
    return path.relative_to(self.root).as_posix()

  def error(self, message: str) -> InputError:
    return InputError(f"database {self.spec}: {message}")


class DatabaseKind(NamedTuple):
  """A database that can be read, as a text names it: PREFIX:PATH.

  Attributes:
    prefix: a word.
    open: reads the tables; raises InputError if a part is missing or damaged.
    help: what it is, in a few words.
    layout: of its folder, in words: what is expected in it.
  """

  prefix: str
  open: Callable[[Layout], Database]
  help: str
  layout: str

  @property
  def usage(self) -> str:
    return f"{self.prefix}:PATH"


DATABASES: Registry[DatabaseKind] = Registry("database")
"""Databases by prefix; a new one registers itself in its own module."""


def register_database(prefix: str, open: Callable[[Layout], Database], help: str, layout: str) -> None:
  """Adds a database; see `DatabaseKind`.

  Raises:
    ValueError: the prefix is taken.
  """
  DATABASES.register(prefix, DatabaseKind(prefix, open, help, layout))


_LOSSLESS = (".bmp", ".png", ".tif", ".tiff", ".ppm")
"""Forms that people convert pictures to which keep their pixels."""


class Files:
  """The files of a folder by name, in any letter case and lossless form; remembers which were taken.

  Args:
    folder: that is there.
    name: of the folder in messages.
    entries: what lies in it.
  """

  def __init__(self, folder: Path, name: str, entries: Sequence[Path]):
    self.folder, self.name = folder, name
    self._paths = [path for path in entries if path.is_file() and not path.name.startswith(".")]
    self._names: dict[str, list[Path]] = {}
    self._stems: dict[str, list[Path]] = {}
    for path in self._paths:
      self._names.setdefault(path.name.lower(), []).append(path)
      if path.suffix.lower() in _LOSSLESS:
        self._stems.setdefault(path.stem.lower(), []).append(path)
    self._taken: set[Path] = set()

  def take(self, name: str) -> Path | None:
    """The file of this name; where there is none, the only one of its stem; None if there is none, or several."""
    found = self._candidates(name)
    if len(found) != 1:
      return None
    self._taken.add(found[0])
    return found[0]

  def lack(self, name: str) -> str:
    """Why `take` gives nothing, for messages: "which is not in FOLDER"."""
    found = [path.name for path in self._candidates(name)]
    return f"which may be {' or '.join(found)} in {self.name}" if found else f"which is not in {self.name}"

  def _candidates(self, name: str) -> list[Path]:
    alike = self._names.get(name.lower(), [])
    stem = Path(name).stem if Path(name).suffix.lower() in _LOSSLESS else name
    return [path for path in alike if path.name == name] or alike or self._stems.get(stem.lower(), [])

  def extra(self) -> list[str]:
    """A line on the files that nothing asked for; none if there are none."""
    names = [path.name for path in self._paths if path not in self._taken]
    if not names:
      return []
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    count = f"{len(names)} files that the database does not list" if len(names) > 1 else "a file that is not listed"
    return [f"{self.name}: {count}, left out: {shown}"]


class Rows:
  """The pictures that a database's table lists, collected with what is wrong of them."""

  def __init__(self, references: Files):
    self._references = references
    self._judged: dict[Path, JudgedPicture] = {}
    self._originals: dict[str, Path | None] = {}
    self.problems: list[str] = []
    self.listed = 0

  def reference(self, name: str, source: str) -> Path | None:
    """The file of a reference; its absence is reported once."""
    key = name.lower()
    if key not in self._originals:
      self._originals[key] = self._references.take(name)
      if self._originals[key] is None:
        self.problems.append(f"{source} names the reference {name}, {self._references.lack(name)}")
    return self._originals[key]

  def add(self, files: Files, name: str, reference: str, kind: str, level: float, score: float, source: str) -> None:
    """A distorted picture; `source` is where it is listed: file and line."""
    path = files.take(name)
    original = self.reference(reference, source)
    if path in self._judged:
      self.problems.append(f"{source} names {name} once more: only the first line counts")
      return
    self.listed += 1
    if path is None:
      self.problems.append(f"{source} names {name}, {files.lack(name)}")
    else:
      self._judged[path] = JudgedPicture(path, original, Path(reference).stem.lower(), kind, level, score)

  def pictures(self) -> tuple[JudgedPicture, ...]:
    """The references, then the distorted pictures."""
    nothing = math.nan
    references = [
      JudgedPicture(path, path, Path(name).stem, REFERENCE, nothing, nothing)
      for name, path in sorted(self._originals.items())
      if path is not None
    ]
    return (*references, *self._judged.values())
