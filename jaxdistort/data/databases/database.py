"""What a database of judged pictures holds, and how its files are found."""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from jaxdistort.errors import InputError

REFERENCE = "reference"


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
    labels: type -> the name of our class; types that are not in it have none.
    level_units: type -> what its level counts.
    score: MOS or DMOS, its range, and which end is good.
    problems: parts that are missing, damaged or unknown, a line each.
    unchanged: (type, level) that do not change the picture, by their owners' own parameters.
  """

  name: str
  root: Path
  pictures: tuple[JudgedPicture, ...]
  labels: Mapping[str, str]
  level_units: Mapping[str, str]
  score: str
  problems: tuple[str, ...] = ()
  unchanged: frozenset[tuple[str, float]] = frozenset()


class Layout(NamedTuple):
  """Where a database is, and what its owners put there.

  Attributes:
    spec: as the user named it, for messages.
    root: its folder.
    expected: the layout, in words.
  """

  spec: str
  root: Path
  expected: str

  def need(self, name: str) -> Path:
    """The file or folder of this name in any letter case.

    Raises:
      InputError: there is none.
    """
    if not self.root.is_dir():
      raise InputError(f"{self.spec}: {self.root} is not a folder; expected one with {self.expected}")
    for path in self.root.iterdir():
      if path.name.lower() == name.lower():
        return path
    raise InputError(f"{self.spec}: no {name} in {self.root}; expected {self.expected}")

  def files(self, name: str) -> "Files":
    """The files of the folder of this name.

    Raises:
      InputError: there is no such folder.
    """
    folder = self.need(name)
    if not folder.is_dir():
      raise InputError(f"{self.spec}: {folder} is not a folder; expected {self.expected}")
    return Files(folder)


class Files:
  """The files of a folder by name, in any letter case; remembers which were taken."""

  def __init__(self, folder: Path):
    self.folder = folder
    self._paths = {p.name.lower(): p for p in sorted(folder.iterdir()) if p.is_file() and not p.name.startswith(".")}
    self._taken: set[str] = set()

  def take(self, name: str) -> Path | None:
    self._taken.add(name.lower())
    return self._paths.get(name.lower())

  def extra(self) -> list[str]:
    """A line on the files that nothing asked for; none if there are none."""
    names = [path.name for key, path in self._paths.items() if key not in self._taken]
    if not names:
      return []
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return [f"{self.folder}: {len(names)} files that the database does not list, left out: {shown}"]


class Rows:
  """The pictures that a database's table lists, collected with what is wrong of them."""

  def __init__(self, references: Files):
    self._references = references
    self._judged: list[JudgedPicture] = []
    self._originals: dict[str, Path | None] = {}
    self.problems: list[str] = []

  def reference(self, name: str, source: str) -> Path | None:
    """The file of a reference; its absence is told once."""
    key = name.lower()
    if key not in self._originals:
      self._originals[key] = self._references.take(name)
      if self._originals[key] is None:
        self.problems.append(f"{source} names the reference {name}, which is not in {self._references.folder}")
    return self._originals[key]

  def add(self, files: Files, name: str, reference: str, kind: str, level: float, score: float, source: str) -> None:
    """A distorted picture; `source` (file and line) tells where it is listed."""
    path = files.take(name)
    original = self.reference(reference, source)
    if path is None:
      self.problems.append(f"{source} names {name}, which is not in {files.folder}")
    else:
      self._judged.append(JudgedPicture(path, original, Path(reference).stem.lower(), kind, level, score))

  def pictures(self) -> tuple[JudgedPicture, ...]:
    """The references, then the distorted pictures."""
    nothing = math.nan
    references = [
      JudgedPicture(path, path, Path(name).stem, REFERENCE, nothing, nothing)
      for name, path in sorted(self._originals.items())
      if path is not None
    ]
    return (*references, *self._judged)
