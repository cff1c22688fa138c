"""Anyone's pictures with labels, as a table names them: a CSV file with a row for each."""

import csv
import dataclasses
import hashlib
import io
import math
import os
from pathlib import Path
from typing import NamedTuple

from jaxdistort.data.databases.database import CLEAN, Database, JudgedPicture
from jaxdistort.errors import InputError, reason_of

_PREFIX = "labelled:"
_COLUMNS = ("path", "kinds", "severity", "group", "scene")
_NEEDED = _COLUMNS[:2]
LABELLED_HELP = (
  f"{_PREFIX}FILE.csv  pictures with labels of your own; columns: path (from the file's folder), kinds (names of "
  "distortions\n  or of their groups, ; between; empty or clean: clean; ? behind a name: in doubt, left out), and, if "
  "you like,\n  severity (0 to 1, in the order of kinds), group (for figures apart), scene (pictures that are alike)"
)
"""How labelled pictures are named, for helps."""


class Label(NamedTuple):
  """A name that a picture is labelled with, and how strong that is, 0..1; NaN where it is not known."""

  name: str
  severity: float


class LabelledPicture(NamedTuple):
  """A row of the table.

  Attributes:
    name: the path, as it is written there.
    path: of the file, whether it is there or not.
    labels: none of a clean picture.
    doubtful: names that are in doubt.
    subset: that it belongs to; "" where nothing is said.
    scene: that it shows; its name where nothing is said.
    source: file and line, for messages.
  """

  name: str
  path: Path
  labels: tuple[Label, ...]
  doubtful: tuple[str, ...]
  subset: str
  scene: str
  source: str

  @property
  def in_words(self) -> str:
    """The labels, ; between."""
    return ";".join(label.name for label in self.labels) or CLEAN


@dataclasses.dataclass(frozen=True)
class LabelledSet(Database):
  """Labelled pictures, to be judged as a database without references, levels and scores.

  Attributes:
    rows: of its pictures, in the same order.
  """

  rows: tuple[LabelledPicture, ...] = ()

  def of_rows(self, rows: tuple[LabelledPicture, ...], problems: tuple[str, ...] = ()) -> "LabelledSet":
    """The same with these rows alone, and with more problems."""
    pictures = tuple(JudgedPicture(row.path, None, row.scene, row.in_words, math.nan, math.nan) for row in rows)
    return dataclasses.replace(self, pictures=pictures, rows=rows, problems=(*self.problems, *problems))

  def fingerprint(self) -> str:
    """The same for the same pictures with the same labels, wherever they lie."""
    told = "\0".join(f"{row.name}\n{row.in_words}" for row in self.rows)
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def is_labelled(spec: str) -> bool:
  """Whether a text such as `labelled:FILE.csv` names labelled pictures."""
  return spec.startswith(_PREFIX)


def open_labelled(spec: str) -> LabelledSet:
  """Reads the table of labelled pictures; they themselves are read later.

  Args:
    spec: `labelled:FILE.csv`; cells stand between commas, or semicolons or tabs where those part the head's names.

  Raises:
    InputError: the file cannot be read, or a row of it cannot be understood; names file and line.
  """
  given = spec.removeprefix(_PREFIX)
  if not given:
    raise InputError(f"data {spec!r}: no file is named; expected {_PREFIX}FILE.csv")
  file = Path(os.path.expanduser(given))
  rows: dict[Path, LabelledPicture] = {}
  problems = []
  for source, cells in _table(file):
    row = _picture(file, source, cells)
    if row.path in rows:
      problems.append(f"{source} names {row.name} once more: only the first line counts")
    rows.setdefault(row.path, row)
  name = f"{file.absolute().parent.name}/{file.name}".lstrip("/")
  return LabelledSet(name, file.parent, (), {}, {}, "", tuple(problems)).of_rows(tuple(rows.values()))


def _table(file: Path) -> list[tuple[str, dict[str, str]]]:
  """File and line, and column -> cell, of every row that says something."""
  try:
    text = file.read_bytes().decode("utf-8-sig", errors="surrogateescape")  # names may be no UTF-8
  except OSError as error:
    raise InputError(f"{file}: cannot be read: {reason_of(error)}; expected a table with {_listed()}") from error
  if "\0" in text:
    raise InputError(f"{file}: is no text (it has NUL characters); save it as CSV in UTF-8")
  first = text.split("\n", 1)[0]
  reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(first))
  try:
    head = [cell.strip().lower() for cell in next(reader, [])]
    _check_head(file, head)
    rows = []
    for row in reader:
      cells, source = [cell.strip() for cell in row], f"{file} line {reader.line_num}"
      if any(cells[len(head) :]):  # such as commas between kinds
        raise InputError(f"{source}: expected {len(head)} cells under {len(head)} columns, found {len(cells)}")
      if any(cells):
        rows.append((source, dict.fromkeys(_COLUMNS, "") | dict(zip(head, cells, strict=False))))
  except csv.Error as error:
    raise InputError(f"{file} line {reader.line_num}: is no CSV: {reason_of(error)}") from error
  if not rows:
    raise InputError(f"{file}: holds no rows under its head; expected a picture in each")
  return rows


def _separator(head: str) -> str:
  names = {mark: [cell.strip(' "\r').lower() for cell in head.split(mark)] for mark in (",", ";", "\t")}
  return next((mark for mark, cells in names.items() if _NEEDED[0] in cells and len(cells) > 1), ",")


def _check_head(file: Path, head: list[str]) -> None:
  for column in _NEEDED:
    if column not in head:
      found = ", ".join(filter(None, head)) or "nothing"
      raise InputError(f"{file}: no column {column}; expected a head with {_listed()}, found {found}")
  for column in _COLUMNS:
    if head.count(column) > 1:
      raise InputError(f"{file}: the column {column} is there twice; leave one")


def _listed() -> str:
  optional = _COLUMNS[len(_NEEDED) :]
  return f"{' and '.join(_NEEDED)} (and, if you like, {', '.join(optional)})"


def _picture(file: Path, source: str, cells: dict[str, str]) -> LabelledPicture:
  name, subset, scene = cells["path"], cells["group"], cells["scene"]
  if not name:
    raise InputError(f"{source}: no path; expected that of a picture, from the file's folder")
  names = [each.strip() for each in cells["kinds"].split(";")] if cells["kinds"] else []
  if "" in names:
    raise InputError(f"{source}: kinds: expected names with ; between, got {cells['kinds']!r}")
  if CLEAN in names and len(names) > 1:
    raise InputError(f"{source}: kinds: expected {CLEAN} alone or not at all, got {cells['kinds']!r}")
  labels = [Label(*each) for each in zip(names, _severities(source, cells["severity"], len(names)), strict=True)]
  return LabelledPicture(
    name,
    file.parent / name,
    tuple(label for label in labels if label.name != CLEAN),
    tuple(each for each in names if each.endswith("?")),
    subset,
    scene or name,
    source,
  )


def _severities(source: str, text: str, count: int) -> list[float]:
  """One for each name; NaN where nothing is said."""
  if not text:
    return [math.nan] * count
  given = [each.strip() for each in text.split(";")]
  if len(given) != count:
    raise InputError(
      f"{source}: severity: expected one for each of {count} kinds, ; between, got {len(given)}: {text!r}"
    )
  try:
    found = [float(each) if each else math.nan for each in given]
  except ValueError:
    found = [math.inf]
  if not all(math.isnan(value) or 0 <= value <= 1 for value in found):
    raise InputError(f"{source}: severity: expected numbers within 0..1, got {text!r}")
  return found
