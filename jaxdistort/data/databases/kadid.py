"""Konstanz Artificially Distorted Image quality Database, KADID-10k (Lin, Hosu, Saupe 2019)."""

import csv
import re
from collections.abc import Mapping
from types import MappingProxyType

from jaxdistort.data.databases.database import CLEAN, REFERENCE, Database, Layout, Rows, register_database

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
# Blur of 0.1 px, motion of length 1, saturation x 1, shift by 0: by the parameters of the authors' generator.
_UNCHANGED = frozenset({(_TYPES[0], 1.0), (_TYPES[2], 1.0), (_TYPES[7], 1.0), (_TYPES[17], 3.0)})
LABELS: Mapping[str, str] = MappingProxyType(
  {
    REFERENCE: CLEAN,
    "Gaussian blur": "gaussian_blur",
    "motion blur": "motion_blur",
    "white noise": "gaussian_noise",
    "JPEG": "jpeg",
  }
)


def open_kadid10k(layout: Layout) -> Database:
  """Reads KADID-10k: 25 types at 5 levels.

  Raises:
    InputError: the folder or the table is missing, or a row of the table cannot be understood.
  """
  files, table = layout.files("images"), layout.need("dmos.csv")
  rows = Rows(files)
  reader = csv.DictReader(layout.text(table).splitlines())
  if not {"dist_img", "ref_img", "dmos"} <= set(reader.fieldnames or ()):
    found = ", ".join(reader.fieldnames or ()) or "none"
    raise layout.error(f"{layout.named(table)}: expected the columns dist_img, ref_img and dmos, found {found}")
  for line, row in enumerate(reader, 2):
    name, reference, source = row["dist_img"] or "", row["ref_img"] or "", f"{layout.named(table)} line {line}"
    match = re.fullmatch(r"i\d\d_(\d\d)_(\d\d)\.\w+", name, re.IGNORECASE)
    try:
      if not match or not reference or not (1 <= int(match[1]) <= len(_TYPES) and 1 <= int(match[2]) <= 5):
        raise ValueError
      score = float(row["dmos"])
    except (TypeError, ValueError):
      found = ", ".join(str(row[column]) for column in ("dist_img", "ref_img", "dmos"))
      raise layout.error(f"{source}: expected INN_TT_LL.png, INN.png and a DMOS, found {found}") from None
    rows.add(files, name, reference, _TYPES[int(match[1]) - 1], float(match[2]), score, source)
  units = MappingProxyType(dict.fromkeys(_TYPES, "level, 1..5"))
  score = "DMOS, as its authors call it: 1..5, higher is better"
  problems = (*rows.problems, *files.extra())
  return Database("KADID-10k", layout.root, rows.pictures(), LABELS, units, score, problems, _UNCHANGED)


register_database("kadid10k", open_kadid10k, "KADID-10k: 25 types at 5 levels", _LAYOUT)
