"""LIVE Image Quality Assessment Database, release 2 (Sheikh, Wang, Cormack, Bovik; University of Texas at Austin)."""

import math
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from jaxdistort.data.databases.database import CLEAN, REFERENCE, Database, Files, Layout, Rows, register_database
from jaxdistort.data.databases.live_scores import Scores, read_scores
from jaxdistort.data.databases.tables import Numbers, read_rows

_LAYOUT = (
  "refimgs, the five folders jp2k, jpeg, wn, gblur and fastfading (or some) with an info.txt in each, and dmos.mat"
)
_UNITS = {
  "jp2k": "bit/pixel",
  "jpeg": "bit/pixel",
  "wn": "standard deviation, of 0..1",
  "gblur": "standard deviation, px",
  "fastfading": "SNR of the receiver, dB",
}
LABELS: Mapping[str, str] = MappingProxyType(
  {REFERENCE: CLEAN, "gblur": "gaussian_blur", "wn": "gaussian_noise", "jpeg": "jpeg"}
)


class _Line(NamedTuple):
  """A line of an info.txt."""

  number: int
  name: str
  reference: str
  level: float


def open_live(layout: Layout) -> Database:
  """Reads LIVE, or what is there of it: refimgs and at least one of the five folders; what is missing is a problem.

  The copies of references inside the type folders are recognised and left out: refimgs has them. Scores lie in one row
  for all folders; those of a folder whose place in it is not certain are unknown, and a problem.

  Raises:
    InputError: refimgs or all of the folders are missing, or a line of an info.txt cannot be understood.
  """
  references = layout.files("refimgs")
  rows = Rows(references)
  folders = _folders(layout, rows.problems)
  listed = {kind: _listed(layout, kind, files) for kind, files in folders.items()}
  pictures = {
    kind: [(line.number, line.reference, line.level == 0) for line, _ in lines] for kind, lines in listed.items()
  }
  scores = read_scores(layout, tuple(_UNITS), pictures, rows.problems)
  for kind, files in folders.items():
    own = scores.get(kind, Scores({}, frozenset()))
    for (number, name, reference, level), source in listed[kind]:
      if level == 0 or number in own.copies:
        rows.reference(reference, source)
        if files.take(name) is None:
          rows.problems.append(f"{source} names {name}, {files.lack(name)}")
      else:
        rows.add(files, name, reference, kind, level, own.dmos.get(number, math.nan), source)
  extra = [*(line for files in folders.values() for line in files.extra()), *references.extra()]
  units, score = MappingProxyType(_UNITS), "DMOS, 0 (as good as the reference) to about 100"
  problems = (*rows.problems, *extra)
  return Database("LIVE release 2", layout.root, rows.pictures(), LABELS, units, score, problems, rows.listed)


register_database("live", open_live, "LIVE Image Quality Assessment Database, release 2: 5 types", _LAYOUT)


def _folders(layout: Layout, problems: list[str]) -> dict[str, Files]:
  """The folders that can be used, by type."""
  folders = {}
  for kind in _UNITS:
    if layout.find(kind) is None:
      problems.append(f"no folder {kind}: its pictures are not judged")
      continue
    files = layout.files(kind)
    if layout.find(f"{kind}/info.txt") is None:
      problems.append(f"no info.txt in {kind}: its pictures are not judged")
    else:
      folders[kind] = files
  if not folders:
    raise layout.error(f"none of the folders {', '.join(_UNITS)} with an info.txt is in it; expected {_LAYOUT}")
  return folders


_NAME = re.compile(r"img(\d+)(\.\w+)?", re.ASCII | re.IGNORECASE)


def _listed(layout: Layout, kind: str, files: Files) -> list[tuple[_Line, str]]:
  """The lines of a folder's info.txt, and their places."""
  files.take("info.txt")
  return read_rows(layout, layout.need(f"{kind}/info.txt"), _parse, "REFERENCE.bmp imgNUMBER.bmp LEVEL")


def _parse(cells: Sequence[str], numbers: Numbers) -> _Line:
  (match,) = (found for cell in cells if (found := _NAME.fullmatch(cell)))
  reference, level = (cell for cell in cells if cell != match[0])
  if re.fullmatch(r"[\d.,]*", reference):  # the level stands first
    reference, level = level, reference
  if not reference or re.search(r"[,;]", reference):
    raise ValueError(reference)
  return _Line(int(match[1]), match[0], reference, numbers.read(level))
