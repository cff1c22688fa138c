"""Tables of databases, as their owners wrote them and as people's programs wrote them again."""

import codecs
import csv
import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from jaxdistort.data.databases.database import Layout
from jaxdistort.errors import InputError

_BYTE_ORDER_MARKS = (  # that of UTF-32 begins like that of UTF-16
  (codecs.BOM_UTF8, "utf-8-sig"),
  (codecs.BOM_UTF32_LE, "utf-32"),
  (codecs.BOM_UTF32_BE, "utf-32"),
  (codecs.BOM_UTF16_LE, "utf-16"),
  (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS = ("\t", ";", ",", " ")  # a space stands for any number of spaces and tabs
_COMMENT = re.compile(r"\s*(#|%|//|sep=.\s*$)")  # the last is Excel's
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)

Found = TypeVar("Found")


class Row(NamedTuple):
  """A row of a table.

  Attributes:
    cells: in order.
    source: file and line, for messages.
  """

  cells: tuple[str, ...]
  source: str


class Numbers:
  """Reads the numbers of one table, which have points or commas before their fractions, but not now this, now that."""

  def __init__(self) -> None:
    self._mark, self._first = "", ""

  def read(self, text: str) -> float:
    """Raises ValueError unless it is a finite number in the table's form."""
    if not _NUMBER.fullmatch(text):
      raise ValueError(text)
    mark = "," if "," in text else "." if "." in text else ""
    if mark and self._mark and mark != self._mark:
      raise _OtherMark(f"a decimal {'comma' if self._mark == ',' else 'point'} as in {self._first} before it")
    if mark and not self._mark:
      self._mark, self._first = mark, text
    number = float(text.replace(",", "."))
    if not math.isfinite(number):
      raise ValueError(text)
    return number


class _OtherMark(ValueError):
  """Says what was expected."""


Parse = Callable[[Sequence[str], Numbers], Found]
"""Makes something of a row's cells; raises ValueError if they are not what is expected."""


def read_rows(layout: Layout, path: Path, parse: Parse[Found], expected: str) -> list[tuple[Found, str]]:
  """What is made of each row of a text table without a header, and the row's source.

  Cells stand between tabs, semicolons, commas or spaces, the same in the whole table. A first row without digits
  and points is a header. Blank lines and comments (#, %, //) are left out.

  Raises:
    InputError: a row cannot be understood; names it and what was expected.
  """
  lines = _lines(layout, path)
  if lines and not re.search(r"[\d.]", lines[0][1]):
    lines = lines[1:]
  if not lines:
    raise layout.error(f"{layout.named(path)}: holds no rows; expected {expected}")
  furthest: tuple[int, InputError | None] = (-1, None)
  for separator in _SEPARATORS:
    rows = [Row(_split(text, separator), source) for source, text in lines]
    try:
      return _parsed(layout, rows, parse, expected, [text for _, text in lines])
    except _Misfit as misfit:  # the separator of the table is the one with which most of it is understood
      furthest = max(furthest, (misfit.place, misfit.error), key=lambda found: found[0])
  assert furthest[1] is not None
  raise furthest[1]


def read_columns(
  layout: Layout, path: Path, columns: Sequence[str], parse: Parse[Found], expected: str
) -> list[tuple[Found, str]]:
  """Like `read_rows`, of a text table under a header with these columns, among others, in any order and letter case.

  Titles may stand above the header.
  """
  lines = _lines(layout, path)
  for place, (_, text) in enumerate(lines):
    for separator in _SEPARATORS:
      if _has(columns, _split(text, separator)):
        rows = [Row(_split(text, separator), source) for source, text in lines[place:]]
        alone = next((row for row in rows if len(row.cells) == 1 and re.search(r"[\t;,]", row.cells[0])), None)
        if alone:
          between = {" ": "spaces", "\t": "tabs"}.get(separator, separator)
          raise layout.error(f"{alone.source}: expected cells with {between} between, found {alone.cells[0]!r}")
        return pick_columns(layout, path, rows, columns, parse, expected)
  found = lines[0][1].strip() if lines else "nothing"
  raise layout.error(f"{layout.named(path)}: expected the columns {_listed(columns)}, found {found}")


def pick_columns(
  layout: Layout, path: Path, rows: Iterable[Row], columns: Sequence[str], parse: Parse[Found], expected: str
) -> list[tuple[Found, str]]:
  """Like `read_columns`, of rows that are cells already."""
  rows = [row for row in rows if any(row.cells)]
  head = next((place for place, row in enumerate(rows) if _has(columns, row.cells)), None)
  if head is None:
    found = ", ".join(cell for cell in rows[0].cells if cell) if rows else "nothing"
    raise layout.error(f"{layout.named(path)}: expected the columns {_listed(columns)}, found {found}")
  names = [name.lower() for name in rows[head].cells]
  twice = [name for name in columns if names.count(name) > 1]
  if twice:
    raise layout.error(f"{rows[head].source}: the column {twice[0]} is there twice")
  places, picked = [names.index(name) for name in columns], []
  for row in rows[head + 1 :]:
    if any(row.cells[len(names) :]):  # such as decimal commas between commas
      count = len(names)
      raise layout.error(f"{row.source}: expected {count} cells under {count} columns, found {len(row.cells)}")
    picked.append(Row(tuple(row.cells[place] if place < len(row.cells) else "" for place in places), row.source))
  if not picked:
    raise layout.error(f"{layout.named(path)}: no rows under the header with {_listed(columns)}")
  try:
    return _parsed(layout, picked, parse, expected, [", ".join(row.cells) for row in picked])
  except _Misfit as misfit:
    raise misfit.error from None


def cells_of(row: Iterable[Any]) -> tuple[str, ...]:
  """The cells of a workbook's row as text."""
  return tuple("" if cell is None else str(cell).strip() for cell in row)


class _Misfit(Exception):
  """A row that cannot be understood: its place, and the error to report."""

  def __init__(self, place: int, error: InputError):
    super().__init__(place)
    self.place, self.error = place, error


def _parsed(
  layout: Layout, rows: Sequence[Row], parse: Parse[Found], expected: str, texts: Sequence[str]
) -> list[tuple[Found, str]]:
  numbers, found = Numbers(), []
  for place, (row, text) in enumerate(zip(rows, texts, strict=True)):
    try:
      found.append((parse(row.cells, numbers), row.source))
    except ValueError as error:
      wanted = str(error) if isinstance(error, _OtherMark) else expected
      message = f"{row.source}: expected {wanted}, found {text.strip()!r}"
      raise _Misfit(place, layout.error(message)) from None
  return found


def _lines(layout: Layout, path: Path) -> list[tuple[str, str]]:
  """Source and text of the lines that say something."""
  content = layout.content(path)
  encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
  text = content.decode(encoding, errors="replace")
  if "\0" in text:
    raise layout.error(f"{layout.named(path)} is no text (it has NUL characters); save it as UTF-8")
  named, lines = layout.named(path), re.split(r"\r\n|\n|\r", text)
  return [
    (f"{named} line {number}", line)
    for number, line in enumerate(lines, 1)
    if line.strip(" \t;,\"'") and not _COMMENT.match(line)
  ]


def _split(line: str, separator: str) -> tuple[str, ...]:
  """The cells of a line without quotes and spaces around; those at its end that are empty are none."""
  text = " ".join(line.split()) if separator == " " else line.strip(" ")
  quote = "'" if "'" in text and '"' not in text else '"'
  try:
    cells = [
      cell.strip() for cell in next(csv.reader([text], delimiter=separator, quotechar=quote, skipinitialspace=True))
    ]
  except csv.Error:  # a cell of more than 100,000 characters
    cells = [text]
  while cells and not cells[-1]:
    cells.pop()
  return tuple(cells)


def _listed(columns: Sequence[str]) -> str:
  return f"{', '.join(columns[:-1])} and {columns[-1]}"


def _has(columns: Sequence[str], cells: Iterable[str]) -> bool:
  return set(columns) <= {cell.lower() for cell in cells}
