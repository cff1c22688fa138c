"""Which scores of LIVE are whose: one row for all folders, in which a shift would be seen by no one."""

import math
import os
import shutil

import numpy as np
import pytest
import scipy.io

from jaxdistort.data.databases import REFERENCE, open_database
from tests.data import miniatures

pytestmark = pytest.mark.usefixtures("frozen")  # test_databases.py reads LIVE's tables elsewhere

KINDS = tuple(miniatures.LIVE_COUNTS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
  return miniatures.build_whole_live(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def live(whole, tmp_path):
  """A copy whose tables may be changed."""
  return shutil.copytree(whole, tmp_path / "live", copy_function=_link_pictures)


def _link_pictures(source, target):
  (os.link if source.endswith(".bmp") else shutil.copyfile)(source, target)


def _lines(live, kind):
  return (live / kind / "info.txt").read_text().splitlines()


def _write(live, kind, lines):
  (live / kind / "info.txt").write_text("\n".join(lines) + "\n")


def _distorted(live, kind):
  """Distorted lines of a folder, that of the least number first."""
  lines = [line for line in _lines(live, kind) if not line.endswith(" 0.000000 ")]
  return sorted(lines, key=lambda line: int(line.split()[1][3:-4]))


def _scored(live):
  """Kinds whose pictures have scores, all of them the right ones, and what is said of scores."""
  database = open_database(f"live:{live}")
  first = dict(zip(KINDS, np.cumsum([0, *miniatures.LIVE_COUNTS.values()]), strict=False))
  known = {kind: [] for kind in KINDS}
  for picture in database.pictures:
    if picture.type != REFERENCE:
      known[picture.type].append(not math.isnan(picture.score))
      if known[picture.type][-1]:
        assert picture.score == first[picture.type] + int(picture.path.stem[3:]) - 1
  assert all(len(set(own)) == 1 for own in known.values())  # of a folder all or none
  problems = [line for line in database.problems if "dmos.mat" in line or "refnames" in line]
  return {kind for kind, own in known.items() if own[0]}, problems


def test_the_whole_database_has_all_scores(live):
  assert _scored(live) == (set(KINDS), [])


def test_one_short_in_one_folder_and_one_over_in_another(live):
  """The sum of the lines is right, and 982."""
  lost = _distorted(live, "jp2k")[0]
  _write(live, "jp2k", [line for line in _lines(live, "jp2k") if line != lost])
  _write(live, "jpeg", [*_lines(live, "jpeg"), "ref1.bmp img234.bmp 1.5"])
  scored, problems = _scored(live)
  assert scored == {"wn", "gblur", "fastfading"}
  unknown = "which scores of dmos.mat are its pictures' is unknown"
  assert problems == [
    f"jp2k/info.txt lists 226 pictures instead of 227: {unknown}",
    f"jpeg/info.txt lists 234 pictures instead of 233: {unknown}",
  ]


@pytest.mark.parametrize(
  ("change", "problem"),
  [
    (lambda a, b: (a, a), "lists img{a} twice"),  # another line is gone for it
    (lambda a, b: (a.replace("img", "img99"), b), "whose number is not within 1..233"),
    (lambda a, b: (a.replace(f"img{_number(a)}.", "img0."), b), "lists img0, whose number is not within 1..233"),
    (lambda a, b: (a.rsplit(" ", 2)[0] + " 0.0", b), "has img{a} for a copy of its reference, unlike orgs"),
    (lambda a, b: (f"ref99.bmp {a.split(' ', 1)[1]}", b), "has ref99 for the reference of img{a}, refnames_all.mat"),
  ],
)
def test_a_line_that_does_not_fit_makes_a_folder_uncertain(live, change, problem):
  first, second, *_ = _distorted(live, "jpeg")
  new = dict(zip((first, second), change(first, second), strict=True))
  _write(live, "jpeg", [new.get(line, line) for line in _lines(live, "jpeg")])
  scored, (line,) = _scored(live)
  assert scored == set(KINDS) - {"jpeg"}
  assert problem.format(a=_number(first)) in line


def _number(line):
  return int(line.split()[1][3:-4])


def test_a_shifted_row_is_seen_by_its_copies(live):
  """A dmos.mat in which a picture more of the first folder stands, and one less of the last."""
  (live / "refnames_all.mat").unlink()
  row = scipy.io.loadmat(live / "dmos.mat")
  place = int(np.flatnonzero(row["orgs"][0] == 0)[0])
  for name in ("dmos", "orgs"):
    row[name] = np.insert(row[name][0], place, row[name][0, place])[:982][None]
  scipy.io.savemat(live / "dmos.mat", {name: row[name] for name in ("dmos", "orgs")})
  database = open_database(f"live:{live}")
  assert all(math.isnan(picture.score) for picture in database.pictures)
  assert sum("reference, unlike orgs" in line for line in database.problems) == 5


def test_a_shifted_row_is_seen_by_its_references(live):
  names = scipy.io.loadmat(live / "refnames_all.mat")["refnames_all"]
  scipy.io.savemat(live / "refnames_all.mat", {"refnames_all": np.roll(names, 1)})
  scored, problems = _scored(live)
  assert scored == set()
  assert len(problems) == 5


def test_copies_may_have_a_level_where_orgs_and_references_know_them(live):
  """In a folder whose levels mark no copy, there is one of each reference."""
  _write(live, "fastfading", [line.replace(" 0.000000", " 30.000000") for line in _lines(live, "fastfading")])
  assert _scored(live) == (set(KINDS), [])
  assert sum(p.type == "fastfading" for p in open_database(f"live:{live}").pictures) == 174 - 29
  row = scipy.io.loadmat(live / "dmos.mat")
  row["orgs"][0, -174:] = np.roll(row["orgs"][0, -174:], 1)
  scipy.io.savemat(live / "dmos.mat", {name: row[name] for name in ("dmos", "orgs")})
  scored, (problem,) = _scored(live)
  assert scored == set(KINDS) - {"fastfading"}
  assert problem.startswith("fastfading/info.txt has copies of ")


def test_scores_that_are_no_numbers_are_unknown(live):
  row = scipy.io.loadmat(live / "dmos.mat")
  row["dmos"][0, :3] = np.nan, np.inf, -np.inf
  scipy.io.savemat(live / "dmos.mat", {name: row[name] for name in ("dmos", "orgs")})
  scores = {p.path.name: p.score for p in open_database(f"live:{live}").pictures if p.type == "jp2k"}
  for number in range(1, 8):
    if f"img{number}.bmp" in scores:
      assert math.isnan(scores[f"img{number}.bmp"]) == (number <= 3)
  scipy.io.savemat(live / "dmos.mat", {"dmos": np.array([["a"] * 982], object), "orgs": np.zeros((1, 982))})
  assert any("dmos.mat cannot be read: dmos holds no numbers" in p for p in open_database(f"live:{live}").problems)


def test_a_database_cut_down_must_be_whole_in_itself(tmp_path):
  """Counts of its own: one short in one folder, one over in another, and the sum fits."""
  live = miniatures.build_live(tmp_path / "live")
  assert not any(math.isnan(p.score) for p in open_database(f"live:{live}").pictures if p.type != REFERENCE)
  _write(live, "jp2k", [line for line in _lines(live, "jp2k") if "img6." not in line])
  _write(live, "jpeg", [*_lines(live, "jpeg"), "bikes.bmp img7.bmp 1.5"])
  database = open_database(f"live:{live}")
  unknown = {p.type for p in database.pictures if p.type != REFERENCE and math.isnan(p.score)}
  assert unknown == {"jpeg"}
  right = {"jp2k": 0, "wn": 12, "gblur": 18, "fastfading": 24}
  for picture in database.pictures:
    if picture.type in right:
      assert picture.score == right[picture.type] + int(picture.path.stem[3:]) - 0.5
