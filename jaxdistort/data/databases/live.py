"""LIVE Image Quality Assessment Database, release 2 (Sheikh, Wang, Cormack, Bovik; University of Texas at Austin)."""

import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import scipy.io

from jaxdistort.data.databases.database import Database, Files, Layout, Rows
from jaxdistort.errors import InputError

_LAYOUT = "refimgs, the five folders jp2k, jpeg, wn, gblur and fastfading with an info.txt in each, and dmos.mat"
_COUNTS = {"jp2k": 227, "jpeg": 233, "wn": 174, "gblur": 174, "fastfading": 174}  # in the order of dmos.mat
_UNITS = {
  "jp2k": "bit/pixel",
  "jpeg": "bit/pixel",
  "wn": "standard deviation, of 0..1",
  "gblur": "standard deviation, px",
  "fastfading": "SNR of the receiver, dB",
}
LABELS: Mapping[str, str] = MappingProxyType(
  {"reference": "reference", "gblur": "gaussian_blur", "wn": "gaussian_noise", "jpeg": "jpeg"}
)


def open_live(spec: str, root: Path) -> Database:
  """Reads LIVE. The copies of references inside the type folders are recognised and left out: refimgs has them.

  Raises:
    InputError: a folder or an info.txt is missing, or a line of one cannot be understood.
  """
  layout = Layout(spec, root, _LAYOUT)
  references = layout.files("refimgs")
  folders = {kind: layout.files(kind) for kind in _COUNTS}
  listed = {kind: _listed(layout, files) for kind, files in folders.items()}
  rows = Rows(references)
  scores, copies = _scores(layout, {kind: len(lines) for kind, lines in listed.items()}, rows.problems)
  for kind, files in folders.items():
    for number, name, reference, level, source in listed[kind]:
      if level == 0 or copies.get((kind, number), False):
        rows.reference(reference, source)
        if files.take(name) is None:
          rows.problems.append(f"{source} names {name}, which is not in {files.folder}")
      else:
        rows.add(files, name, reference, kind, level, scores.get((kind, number), math.nan), source)
  problems = [*rows.problems, *(line for files in folders.values() for line in files.extra()), *references.extra()]
  score = "DMOS, 0 (as good as the reference) to about 100"
  return Database("LIVE release 2", root, rows.pictures(), LABELS, MappingProxyType(_UNITS), score, tuple(problems))


def _listed(layout: Layout, files: Files) -> list[tuple[int, str, str, float, str]]:
  """Number, name, reference, level and place of each line of a folder's info.txt."""
  info = files.take("info.txt")
  if info is None:
    raise InputError(f"{layout.spec}: no info.txt in {files.folder}; expected {layout.expected}")
  found = []
  for line, text in enumerate(info.read_text(errors="replace").splitlines(), 1):
    source = f"{info} line {line}"
    words = text.split()
    if not words:
      continue
    try:
      reference, name, level = words
      number = int(Path(name).stem.lower().removeprefix("img"))
      found.append((number, name, reference, float(level), source))
    except ValueError:
      raise InputError(
        f"{layout.spec}: {source}: expected REFERENCE.bmp imgNUMBER.bmp LEVEL, found {text.strip()!r}"
      ) from None
  return found


def _scores(
  layout: Layout, lines: dict[str, int], problems: list[str]
) -> tuple[dict[tuple[str, int], float], dict[tuple[str, int], bool]]:
  """The DMOS of (folder, number), and whether it is a copy of a reference; empty, and told, without a dmos.mat."""
  try:
    path = layout.need("dmos.mat")
    tables = scipy.io.loadmat(path)
    dmos, copies = np.ravel(tables["dmos"]).astype(float), np.ravel(tables["orgs"]).astype(bool)
  except Exception as error:  # a foreign file: its reader raises anything
    problems.append(f"dmos.mat in {layout.root} cannot be used, scores are unknown ({error!r})")
    return {}, {}
  counts = lines if sum(lines.values()) == len(dmos) else _COUNTS
  if not len(dmos) == len(copies) == sum(counts.values()):
    told = f"{len(dmos)} dmos and {len(copies)} orgs instead of {sum(_COUNTS.values())}"
    problems.append(f"{path}: {told}, scores are unknown")
    return {}, {}
  places = [(kind, number) for kind, count in counts.items() for number in range(1, count + 1)]
  return dict(zip(places, dmos.tolist(), strict=True)), dict(zip(places, copies.tolist(), strict=True))
