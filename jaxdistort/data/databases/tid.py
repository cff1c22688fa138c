"""Tampere Image Database 2008 and 2013 (Ponomarenko and others)."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from jaxdistort.data.databases.database import CLEAN, REFERENCE, Database, Layout, Rows, register_database
from jaxdistort.data.databases.tables import Numbers, read_rows

_LAYOUT = "reference_images (I01.BMP), distorted_images (i01_01_1.bmp) and mos_with_names.txt"
_TYPES_2008 = (
  "additive Gaussian noise",
  "noise in colour components",
  "spatially correlated noise",
  "masked noise",
  "high frequency noise",
  "impulse noise",
  "quantisation noise",
  "Gaussian blur",
  "denoising",
  "JPEG",
  "JPEG2000",
  "JPEG transmission errors",
  "JPEG2000 transmission errors",
  "non-eccentricity pattern noise",
  "local block-wise distortions",
  "mean shift",
  "contrast change",
)
_TYPES_2013 = (
  *_TYPES_2008,
  "change of colour saturation",
  "multiplicative Gaussian noise",
  "comfort noise",
  "lossy compression of noisy images",
  "colour quantisation with dither",
  "chromatic aberrations",
  "sparse sampling and reconstruction",
)
LABELS: Mapping[str, str] = MappingProxyType(
  {
    REFERENCE: CLEAN,
    "additive Gaussian noise": "gaussian_noise",
    "Gaussian blur": "gaussian_blur",
    "JPEG": "jpeg",
  }
)


def open_tid2008(layout: Layout) -> Database:
  """Reads TID2008: 17 types at 4 levels. See `open_tid2013`."""
  return _open("TID2008", _TYPES_2008, 4, layout)


def open_tid2013(layout: Layout) -> Database:
  """Reads TID2013: 24 types at 5 levels.

  Raises:
    InputError: a folder or the table is missing, or a line of the table cannot be understood.
  """
  return _open("TID2013", _TYPES_2013, 5, layout)


register_database("tid2008", open_tid2008, "TID2008: 17 types at 4 levels", _LAYOUT)
register_database("tid2013", open_tid2013, "TID2013: 24 types at 5 levels", _LAYOUT)


_NAME = re.compile(r"i(\d\d)_(\d\d)_(\d)(\.\w+)?", re.ASCII | re.IGNORECASE)


def _open(name: str, types: tuple[str, ...], levels: int, layout: Layout) -> Database:
  references, files = layout.files("reference_images"), layout.files("distorted_images")
  table = layout.need("mos_with_names.txt")
  rows = Rows(references)

  def parse(cells: Sequence[str], numbers: Numbers) -> tuple[re.Match[str], float]:
    (match,) = (found for cell in cells if (found := _NAME.fullmatch(cell)))
    (score,) = (cell for cell in cells if cell != match[0])
    if not (1 <= int(match[2]) <= len(types) and 1 <= int(match[3]) <= levels):
      raise ValueError(cells)
    return match, numbers.read(score)

  expected = f"SCORE iNN_TT_L.bmp, TT 01..{len(types)}, L 1..{levels}"
  for (match, score), source in read_rows(layout, table, parse, expected):
    reference = f"I{match[1]}{match[4] or ''}"
    rows.add(files, match[0], reference, types[int(match[2]) - 1], float(match[3]), score, source)
  problems = (*rows.problems, *files.extra(), *references.extra())
  units = MappingProxyType(dict.fromkeys(types, f"level, 1..{levels}"))
  score = "MOS, 0..9, higher is better"
  return Database(name, layout.root, rows.pictures(), LABELS, units, score, problems, rows.listed)
