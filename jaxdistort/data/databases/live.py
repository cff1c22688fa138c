"""LIVE Image Quality Assessment Database, release 2 (Sheikh, Wang, Cormack, Bovik; University of Texas at Austin)."""

import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import scipy.io

from jaxdistort.data.databases.database import CLEAN, REFERENCE, Database, Files, Layout, Rows, register_database
from jaxdistort.errors import reason_of

_LAYOUT = (
  "refimgs, the five folders jp2k, jpeg, wn, gblur and fastfading (or some) with an info.txt in each, and dmos.mat"
)
_COUNTS = {"jp2k": 227, "jpeg": 233, "wn": 174, "gblur": 174, "fastfading": 174}  # in the order of dmos.mat
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
  """A line of an info.txt; `source` is its place."""

  number: int
  name: str
  reference: str
  level: float
  source: str


_Place = tuple[str, int]  # folder, and number of the picture in it


def open_live(layout: Layout) -> Database:
  """Reads LIVE, or what is there of it: refimgs and at least one of the five folders; what is missing is a problem.

  The copies of references inside the type folders are recognised and left out: refimgs has them.

  Raises:
    InputError: refimgs or all of the folders are missing, or a line of an info.txt cannot be understood.
  """
  references = layout.files("refimgs")
  rows = Rows(references)
  folders = _folders(layout, rows.problems)
  listed = {kind: _listed(layout, kind, files) for kind, files in folders.items()}
  scores, copies = _scores(layout, {kind: len(lines) for kind, lines in listed.items()}, rows.problems)
  for kind, files in folders.items():
    for number, name, reference, level, source in listed[kind]:
      if level == 0 or copies.get((kind, number), False):
        rows.reference(reference, source)
        if files.take(name) is None:
          rows.problems.append(f"{source} names {name}, which is not in {files.name}")
      else:
        rows.add(files, name, reference, kind, level, scores.get((kind, number), math.nan), source)
  extra = [*(line for files in folders.values() for line in files.extra()), *references.extra()]
  units, score = MappingProxyType(_UNITS), "DMOS, 0 (as good as the reference) to about 100"
  return Database("LIVE release 2", layout.root, rows.pictures(), LABELS, units, score, (*rows.problems, *extra))


register_database("live", open_live, "LIVE Image Quality Assessment Database, release 2: 5 types", _LAYOUT)


def _folders(layout: Layout, problems: list[str]) -> dict[str, Files]:
  """The folders that can be used, by type."""
  folders = {}
  for kind in _COUNTS:
    if layout.find(kind) is None:
      problems.append(f"no folder {kind}: its pictures are not judged")
      continue
    files = layout.files(kind)
    if layout.find(f"{kind}/info.txt") is None:
      problems.append(f"no info.txt in {kind}: its pictures are not judged")
    else:
      folders[kind] = files
  if not folders:
    raise layout.error(f"none of the folders {', '.join(_COUNTS)} with an info.txt is in it; expected {_LAYOUT}")
  return folders


def _listed(layout: Layout, kind: str, files: Files) -> list[_Line]:
  """The lines of a folder's info.txt."""
  files.take("info.txt")
  info = layout.need(f"{kind}/info.txt")
  found = []
  for line, text in enumerate(layout.text(info).splitlines(), 1):
    source = f"{layout.named(info)} line {line}"
    words = text.split()
    if not words:
      continue
    try:
      reference, name, level = words
      number = int(Path(name).stem.lower().removeprefix("img"))
      found.append(_Line(number, name, reference, float(level), source))
    except ValueError:
      raise layout.error(f"{source}: expected REFERENCE.bmp imgNUMBER.bmp LEVEL, found {text.strip()!r}") from None
  return found


def _scores(
  layout: Layout, lines: dict[str, int], problems: list[str]
) -> tuple[dict[_Place, float], dict[_Place, bool]]:
  """The DMOS of a picture, and whether it is a copy of a reference; nothing, and a problem, without a dmos.mat."""
  path = layout.find("dmos.mat")
  if path is None:
    problems.append("no dmos.mat: scores are unknown")
    return {}, {}
  try:
    tables = scipy.io.loadmat(path)
  except Exception as error:  # the reader of a foreign file raises anything; nothing of ours runs here
    problems.append(f"dmos.mat cannot be read: {reason_of(error)}; scores are unknown")
    return {}, {}
  dmos, copies = (np.ravel(tables.get(name, ())) for name in ("dmos", "orgs"))
  counts = lines if sum(lines.values()) == len(dmos) else _COUNTS  # of all folders, though some may not be here
  if not len(dmos) == len(copies) == sum(counts.values()) or dmos.dtype.kind not in "fiu":
    found = f"{len(dmos)} dmos and {len(copies)} orgs instead of {sum(_COUNTS.values())} numbers each"
    problems.append(f"dmos.mat holds {found}: scores are unknown")
    return {}, {}
  places = [(kind, number) for kind, count in counts.items() for number in range(1, count + 1)]
  return (
    dict(zip(places, dmos.astype(float).tolist(), strict=True)),
    dict(zip(places, copies.astype(bool).tolist(), strict=True)),
  )
