"""The scores of LIVE: one row for all five folders, of which only the places tell whose they are."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxdistort.data.databases.database import Layout
from jaxdistort.foreign.reading import Damaged, reading

_COUNTS = {"jp2k": 227, "jpeg": 233, "wn": 174, "gblur": 174, "fastfading": 174}  # in the order of dmos.mat


class Scores(NamedTuple):
  """Of a folder: the DMOS of its pictures by number, and the numbers of those that are copies of references."""

  dmos: Mapping[int, float]
  copies: frozenset[int]


Pictures = Sequence[tuple[int, str, bool]]
"""Of each line of an info.txt: the picture's number, its reference, and whether it is a copy of it by its level."""


class _Row(NamedTuple):
  """What the files say of a row of pictures; `references` is None where they do not say."""

  dmos: np.ndarray
  copies: np.ndarray
  references: list[str] | None


def read_scores(
  layout: Layout, folders: Sequence[str], listed: Mapping[str, Pictures], problems: list[str]
) -> dict[str, Scores]:
  """The scores of each folder whose place in dmos.mat is certain; the others are problems.

  Certain is the place of a folder that lists as many pictures as it has by its owners, each number once, and whose
  copies of references are where dmos.mat has some (and the references are those of refnames_all.mat, where it is
  there). A database cut down has other counts: there they must add up, and all folders be there.

  Args:
    layout: of the database.
    folders: all of them, in the order of dmos.mat.
    listed: of each folder that is there, its lines.
    problems: gets what is amiss.
  """
  row = _read(layout, problems)
  if row is None:
    return {}
  own = {kind: len(pictures) for kind, pictures in listed.items()}
  whole, total = sum(_COUNTS.values()), len(row.dmos)
  counts = own if total != whole and set(own) == set(folders) else _COUNTS
  if not total == len(row.copies) == sum(counts.values()):
    found = f"{total} dmos and {len(row.copies)} orgs instead of {whole} numbers each"
    problems.append(f"dmos.mat holds {found}: scores are unknown")
    return {}
  scores, first = {}, 0
  for kind in folders:
    place = slice(first, first + counts[kind])
    first = place.stop
    if kind in listed:
      here = _Row(row.dmos[place], row.copies[place], row.references[place] if row.references else None)
      doubt = _doubt(listed[kind], here)
      if doubt:
        problems.append(f"{kind}/info.txt {doubt}: which scores of dmos.mat are its pictures' is unknown")
      else:
        numbered = dict(enumerate(here.dmos.tolist(), 1))
        scores[kind] = Scores(numbered, frozenset((np.flatnonzero(here.copies) + 1).tolist()))
  return scores


def _doubt(pictures: Pictures, row: _Row) -> str:
  """Why a folder's place in dmos.mat is not certain; "" if it is."""
  numbers = [number for number, _, _ in pictures]
  return _misnumbered(numbers, len(row.dmos)) or _misplaced(pictures, row)


def _misnumbered(numbers: Sequence[int], count: int) -> str:
  twice = next((number for number in numbers if numbers.count(number) > 1), None)
  if twice is not None:
    return f"lists img{twice} twice"
  if len(numbers) != count:
    return f"lists {len(numbers)} pictures instead of {count}"
  if max(numbers) > count or min(numbers) < 1:
    return f"lists img{max(numbers) if max(numbers) > count else min(numbers)}, whose number is not within 1..{count}"
  return ""


def _misplaced(pictures: Pictures, row: _Row) -> str:
  by_level = {number for number, _, copy in pictures if copy}
  by_place = set((np.flatnonzero(row.copies) + 1).tolist())
  reference = {number: Path(name).stem.lower() for number, name, _ in pictures}
  if by_level and by_level != by_place:
    number = min(by_level ^ by_place)
    return f"has img{number} for {'a copy' if number in by_level else 'no copy'} of its reference, unlike orgs"
  copied = [reference[number] for number in by_place]
  if len(set(copied)) != len(copied):  # the levels mark no copies, of which there is one a reference
    return f"has copies of {len(set(copied))} references by orgs, which has {len(copied)}"
  for number, name in enumerate(row.references or (), 1):
    if reference[number] != Path(name).stem.lower():
      return f"has {reference[number]} for the reference of img{number}, refnames_all.mat {Path(name).stem}"
  return ""


def _read(layout: Layout, problems: list[str]) -> _Row | None:
  """Nothing, and a problem, without a dmos.mat."""
  path, names = layout.find("dmos.mat"), layout.find("refnames_all.mat")
  if path is None:
    problems.append("no dmos.mat: scores are unknown")
    return None
  try:
    with reading("matlab", path, memory=1 << 30) as file:
      dmos, copies = file.call("numbers", "dmos"), file.call("numbers", "orgs")
  except Damaged as error:
    problems.append(f"dmos.mat cannot be read: {error}; scores are unknown")
    return None
  references = None
  if names:
    try:
      with reading("matlab", names, memory=1 << 30) as file:
        references = file.call("texts", "refnames_all")
    except Damaged as error:
      problems.append(f"refnames_all.mat cannot be read: {error}; scores are taken without it")
  if references is not None and len(references) != len(dmos):
    problems.append(f"refnames_all.mat holds {len(references)} names for {len(dmos)} scores; scores are taken without")
    references = None
  return _Row(np.where(np.isfinite(dmos), dmos, math.nan), copies != 0, references)
