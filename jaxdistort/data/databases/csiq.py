"""Categorical Subjective Image Quality database (Larson and Chandler)."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jaxdistort.data.databases.database import CLEAN, REFERENCE, Database, Layout, Rows, register_database
from jaxdistort.errors import reason_of

_LAYOUT = (
  "src_imgs (1600.png), dst_imgs with the folders awgn, blur, contrast, fnoise, jpeg and jpeg2000 "
  "(awgn/1600.AWGN.1.png), and csiq.DMOS.xlsx (or the same table as csiq.DMOS.csv)"
)
_FOLDERS = ("awgn", "blur", "contrast", "fnoise", "jpeg", "jpeg2000")
_COLUMNS = ("image", "dst_type", "dst_lev", "dmos")
LABELS: Mapping[str, str] = MappingProxyType(
  {REFERENCE: CLEAN, "awgn": "gaussian_noise", "blur": "gaussian_blur", "jpeg": "jpeg"}
)


def open_csiq(layout: Layout) -> Database:
  """Reads CSIQ: six types at up to five levels.

  Raises:
    InputError: a folder or the table is missing, or a row of the table cannot be understood.
  """
  references, files = layout.files("src_imgs"), {kind: layout.files(f"dst_imgs/{kind}") for kind in _FOLDERS}
  rows = Rows(references)
  for image, written, level, score, source in _table(layout):
    kind = {"noise": "awgn"}.get(written, written).replace(" ", "")
    if kind not in files:
      raise layout.error(f"{source}: dst_type {written!r} is none of noise, blur, contrast, fnoise, jpeg, jpeg 2000")
    name = f"{image}.{kind}.{level}.png"
    rows.add(files[kind], name, f"{image}.png", kind, float(level), score, source)
  problems = (*rows.problems, *(line for part in files.values() for line in part.extra()), *references.extra())
  units = MappingProxyType(dict.fromkeys(_FOLDERS, "level, 1..5"))
  return Database("CSIQ", layout.root, rows.pictures(), LABELS, units, "DMOS, 0..1, higher is worse", problems)


register_database("csiq", open_csiq, "CSIQ: 6 types at up to 5 levels", _LAYOUT)


def _table(layout: Layout) -> list[tuple[str, str, int, float, str]]:
  """Image, type, level, DMOS and place of each row."""
  path = layout.find("csiq.DMOS.xlsx") or layout.find("csiq.DMOS.csv") or layout.need("csiq.DMOS.xlsx")
  table = _workbook(layout, path) if path.suffix.lower() == ".xlsx" else csv.reader(layout.text(path).splitlines())
  columns: dict[str, int] = {}
  found = []
  for line, row in enumerate(table, 1):
    cells = ["" if cell is None else str(cell).strip() for cell in row]
    if not columns:  # titles stand above the header
      columns = {name: cells.index(name) for name in _COLUMNS} if set(_COLUMNS) <= set(cells) else {}
      continue
    image, kind, level, score = (cells[columns[name]] if columns[name] < len(cells) else "" for name in _COLUMNS)
    if not image:
      continue
    source = f"{layout.named(path)} row {line}"
    try:
      found.append((image.removesuffix(".0"), kind.lower(), int(float(level)), float(score), source))
    except ValueError:
      raise layout.error(f"{source}: expected a level and a DMOS, found {level!r} and {score!r}") from None
  if not found:
    raise layout.error(f"{layout.named(path)}: no rows under a header with {', '.join(_COLUMNS)}")
  return found


def _workbook(layout: Layout, path: Path) -> Iterable[tuple[Any, ...]]:
  import openpyxl  # here, because it takes longer to import than all the rest of the readers

  try:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
      sheet = book["all_by_image"] if "all_by_image" in book.sheetnames else book.worksheets[0]
      return list(sheet.iter_rows(values_only=True))
    finally:
      book.close()
  except Exception as error:  # the reader of a foreign file raises anything; nothing of ours runs here
    raise layout.error(f"{layout.named(path)} cannot be read: {reason_of(error)}") from error
