"""Runs side by side: in the form of the study's tables, and in pairs where they were judged on the same pictures."""

import csv
import functools
import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest

from jaxdistort.errors import InputError
from jaxdistort.evaluation.names import short_names
from jaxdistort.evaluation.report import STANDARD
from jaxdistort.files import parse_json, read_table
from jaxdistort.metrics.bootstrap import bootstrap_by_original, known_ends

PAPER: dict[str, dict[str, tuple[float | None, ...]]] = {
  "six": {
    "softmax": (0.243, 5464372.5, 0.243, None),
    "VGG16 scratch": (0.989, 0.0348, 0.988, 0.484),
    "VGG16 transfer": (0.991, 0.255, 0.992, 0.170),
    "SGDNet transfer": (0.872, 3.15, 0.887, 0.102),
  },
  "variable": {
    "softmax": (0.450, 9997.60, 0.455, None),
    "VGG16 scratch": (0.864, 0.37, 0.856, 0.661),
    "VGG16 transfer": (0.852, 0.79, 0.850, 0.40),
    "SGDNet transfer": (0.869, 0.54, 0.837, 0.724),
  },
}
"""The study's tables: protocol -> model -> validation accuracy and loss, test accuracy, accuracy on LIVE (padded)."""


class Judgement(NamedTuple):
  """One network's figures on one set of pictures, seen in one way.

  Attributes:
    folder: that holds them.
    origin: the report without its figures.
    view: of the pictures.
    figures: see `Figures.to_dict`.
  """

  folder: Path
  origin: dict[str, Any]
  view: str
  figures: dict[str, Any]

  @property
  def checkpoint(self) -> str:
    """A run has one name, however it was reached, and wherever it lay when it was judged."""
    judged = Path(self.origin["checkpoint"])
    beside = self.folder / ".." / ".." / judged.parent.name / judged.name  # where a run keeps its own reports
    return str((beside if beside.is_dir() else judged).resolve())

  @property
  def pictures(self) -> tuple[Any, ...]:
    """What the pictures were: two judgements with the same are of the same pictures."""
    origin = self.origin
    if origin["database"]:
      return origin["database"], origin["fingerprint"]
    # A picture's random numbers depend on its place among all, so the sets must be the same, and so must its size.
    made = origin["protocol"], origin["jpeg_quality"], origin["image_size"]
    return *made, origin["fingerprint"], self.figures["pictures"]

  @property
  def in_words(self) -> str:
    """The pictures in words."""
    origin, as_trained = self.origin, self.origin["jpeg_quality"] == self.trained_on[1]
    jpeg = "" if as_trained else f", JPEG {origin['jpeg_quality'] or 'off'}"
    if origin["database"]:
      return f"{origin['database']}, {self.view}{jpeg}"
    return f"{origin['protocol']}, {origin['split']} of {origin['data']}{jpeg}"

  @property
  def trained_on(self) -> tuple[str, int]:
    """Data and JPEG quality of the network's training."""
    return self.origin["trained_on"], self.origin["trained_jpeg"]

  @property
  def is_own(self) -> bool:
    """Whether it is what the study's tables show: the network's own protocol and data, held out of its training."""
    origin = self.origin
    return (
      not origin["database"]
      and origin["protocol"] == origin["trained_for"]
      and origin["split"] in ("validation", "test")
      and (origin["data"], origin["jpeg_quality"]) == self.trained_on
    )


def read_judgements(folders: Sequence[Path]) -> list[Judgement]:
  """Reads the reports in folders, and in folders below them (such as a run's); those of linear probes are left out.

  Raises:
    InputError: a folder holds no other report, or one that is damaged.
  """
  found: dict[Path, list[Judgement]] = {}
  for folder in folders:
    files = [file for file in sorted(folder.rglob("report.json")) if not (file.parent / "probe.safetensors").exists()]
    if not files:
      kind = "holds no report.json" if folder.exists() else "does not exist"
      raise InputError(f"{folder}: {kind}; give a folder that holds a report, or a run's")
    for file in files:
      found[file.resolve()] = _read_report(file)
  return [judgement for judgements in found.values() for judgement in judgements]


def _read_report(file: Path) -> list[Judgement]:
  try:
    report = parse_json(file.read_bytes())
    judgements = [Judgement(file.parent, report, view, figures) for view, figures in report["views"].items()]
    for judgement in judgements:  # what is asked of it later
      _ = hash((judgement.checkpoint, judgement.pictures, judgement.in_words, judgement.is_own, report["model"]))
      _ = (
        float(judgement.figures["accuracy"]),
        float(judgement.figures.get("loss", 0)),
        int(judgement.figures["pictures"]),
      )
  except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
    raise InputError(
      f"{file}: is no report of an evaluation ({type(error).__name__}: {error}); evaluate again, or remove it"
    ) from error
  return judgements


def compare(judgements: Sequence[Judgement]) -> dict[str, Any]:
  """The figures of a comparison, ready for JSON.

  Returns:
    names: checkpoint -> short name; tables: protocol -> rows in the study's form, with a column for all else that was
    judged, such as a database in one view; pairs: see `compare_pair`, of every two judgements of the same pictures by
    two networks in one view, or by one network in two views.

  Raises:
    InputError: a predictions.csv cannot be read.
  """
  names = short_names([Path(judgement.checkpoint) for judgement in judgements])
  columns = _columns(judgements)
  tables: dict[str, Any] = {}
  for judgement, column in zip(judgements, columns, strict=True):
    origin, figures = judgement.origin, judgement.figures
    rows = tables.setdefault(origin["trained_for"], {})
    row = rows.setdefault(judgement.checkpoint, {"network": names[judgement.checkpoint], "model": origin["model"]})
    row[column] = figures["accuracy"]
    if judgement.is_own and origin["split"] == "validation":
      row["validation loss"] = figures["loss"]
  read = functools.cache(lambda place: _read_predictions(judgements[place]))  # only where there is a partner
  pairs = []
  for (i, one), (k, other) in itertools.combinations(enumerate(judgements), 2):
    same_network, same_view = one.checkpoint == other.checkpoint, one.view == other.view
    if one.pictures == other.pictures and same_network != same_view:
      pair = compare_pair(read(i), read(k))
      if pair:
        labels = [f"{names[j.checkpoint]}{f', {j.view}' if same_network else ''}" for j in (one, other)]
        pair = {"networks": labels, "on": [one.in_words, other.in_words], **pair}
        pairs += [pair] if pair not in pairs else []  # a run's own report, and the same evaluation again
  return {"names": names, "tables": {key: list(table.values()) for key, table in tables.items()}, "pairs": pairs}


def _columns(judgements: Sequence[Judgement]) -> list[str]:
  """The heads under which accuracies stand: of tables of labelled pictures with one name, each has its own."""
  tables: dict[str, set[str]] = {}
  for own in judgements:
    tables.setdefault(own.in_words, set()).add(own.origin["fingerprint"] if own.origin["database"] else "")
  heads = []
  for own in judgements:
    mark = f" ({own.origin['fingerprint'][:6]})" if len(tables[own.in_words]) > 1 else ""
    heads.append(f"{own.origin['split']} accuracy" if own.is_own else own.in_words + mark)
  return heads


Row = tuple[str, str, bool]  # original, label, whether the answer is right


def _read_predictions(judgement: Judgement) -> dict[tuple[str, str], Row]:
  """(picture, slot) -> row, of the pictures that count; raises InputError if not all of them are there."""
  file = judgement.folder / "predictions.csv"
  try:
    head, *table = read_table(file)
    rows = [dict(zip(head, row, strict=True)) for row in table]
    rows = [row for row in rows if row["label"] and row.get("view", STANDARD) == judgement.view]
    read, turns = {}, Counter()
    for row in rows:
      if judgement.origin["database"]:
        place, original = (row["picture"], ""), row["scene"] if "scene" in row else row["reference"]
      else:  # by original, and the how-manieth picture of it: names are others where the pictures were moved
        original, slot = row["original"], row.get("slot", "")
        turns[original, slot] += 1
        place = f"{original} {turns[original, slot]}", slot
      read[place] = original, row["label"], _is_right(row)
  except FileNotFoundError as error:
    raise InputError(f"{file}: is missing; evaluate again") from error
  except (KeyError, ValueError, csv.Error) as error:
    raise InputError(f"{file}: is no table of predictions ({type(error).__name__}: {error}); evaluate again") from error
  if len(rows) != judgement.figures["pictures"]:
    raise InputError(
      f"{file}: is of {len(rows)} pictures, its report of {judgement.figures['pictures']}; evaluate again"
    )
  return read


def _is_right(row: dict[str, str]) -> bool:
  """Of a protocol's picture the table says it: there is more on it than can be seen, and must be named."""
  return row["right"] == "1" if "right" in row else row["label"] == row["predicted"]


def compare_pair(one: dict[tuple[str, str], Row], other: dict[tuple[str, str], Row]) -> dict[str, Any] | None:
  """Two judgements of the same pictures; None if there are none.

  Returns:
    pictures; accuracies of both; difference (of the first from the second) and its 95 % interval by original, None
    where resampling cannot tell; only_first and only_second: the pictures that only one of them named rightly;
    p_value: of the exact sign test of originals, of whose pictures one or the other named more rightly. (With one
    picture of each it is McNemar's; of all pictures that would take those of one original for independent.)
  """
  shared = [key for key in one if key in other and one[key][1] == other[key][1]]
  if not shared:
    return None
  right = np.array([[table[key][2] for table in (one, other)] for key in shared])
  gains = right[:, 1].astype(float) - right[:, 0]
  only_first, only_second = int(np.sum(gains < 0)), int(np.sum(gains > 0))
  rows = np.column_stack([np.ones(len(gains)), gains])
  originals = np.array([one[key][0] for key in shared])
  of_originals = np.bincount(np.unique(originals, return_inverse=True)[1], gains)
  better, worse = int(np.sum(of_originals > 0)), int(np.sum(of_originals < 0))
  return {
    "pictures": len(shared),
    "accuracies": right.mean(axis=0).tolist(),
    "difference": float(gains.mean()),
    "interval": known_ends(bootstrap_by_original(originals, rows, lambda sums: sums[:, 1:] / sums[:, :1]))[0],
    "only_first": only_first,
    "only_second": only_second,
    "p_value": float(binomtest(better, better + worse).pvalue) if better + worse else 1.0,
  }
