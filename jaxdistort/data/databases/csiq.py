"""Categorical Subjective Image Quality database (Larson and Chandler)."""

import importlib.util
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from jaxdistort.data.databases.database import CLEAN, REFERENCE, Database, Layout, Rows, register_database
from jaxdistort.data.databases.tables import Numbers, Row, cells_of, pick_columns, read_columns
from jaxdistort.errors import MissingExtra
from jaxdistort.foreign.reading import Damaged, reading

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
  for found, source in _table(layout):
    if found:
      image, kind, level, score = found
      rows.add(files[kind], f"{image}.{kind}.{level}.png", f"{image}.png", kind, float(level), score, source)
  problems = (*rows.problems, *(line for part in files.values() for line in part.extra()), *references.extra())
  units, score = MappingProxyType(dict.fromkeys(_FOLDERS, "level, 1..5")), "DMOS, 0..1, higher is worse"
  return Database("CSIQ", layout.root, rows.pictures(), LABELS, units, score, problems, rows.listed)


register_database("csiq", open_csiq, "CSIQ: 6 types at up to 5 levels", _LAYOUT)

_Found = tuple[str, str, int, float] | None


def _parse(cells: Sequence[str], numbers: Numbers) -> _Found:
  """Image, type, level and DMOS; None for a row that is of no picture, such as a mean."""
  image, written, level, score = cells
  if not image and not written:
    return None
  kind = {"noise": "awgn"}.get(written.lower(), written.lower()).replace(" ", "")
  number = numbers.read(level)
  if not image or kind not in _FOLDERS or number not in range(1, 6):
    raise ValueError(cells)
  return re.sub(r"[.,]0+$", "", image), kind, int(number), numbers.read(score)  # a spreadsheet may say 1600.0


def _table(layout: Layout) -> list[tuple[_Found, str]]:
  path = layout.find("csiq.DMOS.xlsx") or layout.find("csiq.DMOS.csv") or layout.need("csiq.DMOS.xlsx")
  expected = "an image, noise, blur, contrast, fnoise, jpeg or jpeg 2000, a level 1..5 and a DMOS"
  if path.suffix.lower() != ".xlsx":
    return read_columns(layout, path, _COLUMNS, _parse, expected)
  if importlib.util.find_spec("openpyxl") is None:
    raise MissingExtra("openpyxl", "report", f"{layout.spec}: {layout.named(path)}")
  try:
    with reading("workbook", path, memory=1 << 30) as book:
      sheet = book.call("rows", "all_by_image")
  except Damaged as error:
    raise layout.error(f"{layout.named(path)} cannot be read: {error}") from error
  rows = [Row(cells_of(cells), f"{layout.named(path)} row {number}") for number, cells in enumerate(sheet, 1)]
  return pick_columns(layout, path, rows, _COLUMNS, _parse, expected)
