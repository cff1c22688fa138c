"""Konstanz Artificially Distorted Image quality Database, KADID-10k (Lin, Hosu, Saupe 2019)."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from jaxdistort.data.databases.database import CLEAN, REFERENCE, Database, Layout, Rows, register_database
from jaxdistort.data.databases.tables import Numbers, read_columns
from jaxdistort.distortions.severities import KADID10K

_LAYOUT = "images (references I01.png, distorted I01_01_01.png) and dmos.csv"
_TYPES = (
  "Gaussian blur",
  "lens blur",
  "motion blur",
  "colour diffusion",
  "colour shift",
  "colour quantisation",
  "colour saturation 1",
  "colour saturation 2",
  "JPEG2000",
  "JPEG",
  "white noise",
  "white noise in colour components",
  "impulse noise",
  "multiplicative noise",
  "denoise",
  "brighten",
  "darken",
  "mean shift",
  "jitter",
  "non-eccentricity patch",
  "pixelate",
  "quantisation",
  "colour block",
  "high sharpen",
  "contrast change",
)
# The entries of the severity table, in the same order.
_ENTRIES = dict(zip(_TYPES, KADID10K.entries.values(), strict=True))
_UNCHANGED = frozenset((name, float(level)) for name, entry in _ENTRIES.items() for level in entry.unchanged)
LABELS: Mapping[str, str] = MappingProxyType(
  {REFERENCE: CLEAN, **{name: entry.distortion for name, entry in _ENTRIES.items()}}
)

_COLUMNS = ("dist_img", "ref_img", "dmos")
_NAME = re.compile(r"i\d\d_(\d\d)_(\d\d)(?:\.\w+)?", re.ASCII | re.IGNORECASE)


def open_kadid10k(layout: Layout) -> Database:
  """Reads KADID-10k: 25 types at 5 levels.

  Raises:
    InputError: the folder or the table is missing, or a row of the table cannot be understood.
  """
  files, table = layout.files("images"), layout.need("dmos.csv")
  rows = Rows(files)
  expected = "INN_TT_LL.png, INN.png and a DMOS"
  for (match, reference, dmos), source in read_columns(layout, table, _COLUMNS, _parse, expected):
    rows.add(files, match[0], reference, _TYPES[int(match[1]) - 1], float(match[2]), dmos, source)
  units = MappingProxyType(dict.fromkeys(_TYPES, "level, 1..5"))
  score = "DMOS, as its authors call it: 1..5, higher is better"
  problems = (*rows.problems, *files.extra())
  return Database("KADID-10k", layout.root, rows.pictures(), LABELS, units, score, problems, rows.listed, _UNCHANGED)


register_database("kadid10k", open_kadid10k, "KADID-10k: 25 types at 5 levels", _LAYOUT)


def _parse(cells: Sequence[str], numbers: Numbers) -> tuple[re.Match[str], str, float]:
  name, reference, score = cells
  match = _NAME.fullmatch(name)
  if not match or not reference or not (1 <= int(match[1]) <= len(_TYPES) and 1 <= int(match[2]) <= 5):
    raise ValueError(cells)
  return match, reference, numbers.read(score)
