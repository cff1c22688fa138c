"""Databases in miniature: every picture, reference, type, level and score; and every way of being broken, by name."""

import math
import re
import shutil

import numpy as np
import pytest
import scipy.io
from PIL import Image

from jaxdistort.data.databases import (
  DATABASES,
  REFERENCE,
  Database,
  JudgedPicture,
  Layout,
  describe_databases,
  is_database,
  open_database,
  register_database,
)
from jaxdistort.data.judging import viewed_pictures
from jaxdistort.distortions.severities import KADID10K
from jaxdistort.errors import InputError
from jaxdistort.protocols import kadid10k
from tests.data import miniatures


@pytest.fixture
def live(tmp_path):
  return miniatures.build_live(tmp_path / "live")


@pytest.fixture
def tid(tmp_path):
  return miniatures.build_tid(tmp_path / "tid", 24, 5)


def _by_name(database):
  return {f"{p.path.parent.name}/{p.path.name}": p for p in database.pictures}


def test_live_to_the_last_level(live):
  database = open_database(f"live:{live}")
  assert database.problems == ()
  assert len(database.pictures) == 2 + 5 * 4
  found = _by_name(database)
  blur = found["gblur/img5.bmp"]
  assert (blur.type, blur.level, blur.original) == ("gblur", 2.510388, "coinsinfountain")
  assert blur.reference == live / "refimgs" / "coinsinfountain.bmp"
  assert blur.score == 18 + 4 + 0.5  # jp2k, jpeg and wn before it, six pictures each
  assert "gblur/img6.bmp" not in found  # the copy of a reference
  references = [p for p in database.pictures if p.type == REFERENCE]
  assert [p.original for p in references] == ["bikes", "coinsinfountain"]
  for kind, levels in miniatures.LIVE_LEVELS.items():
    assert sorted(p.level for p in database.pictures if p.type == kind) == sorted(levels * 2)
  assert database.labels["gblur"] == "gaussian_blur"
  assert database.labels[REFERENCE] == "clean"


def test_copies_of_references_are_known_from_dmos_mat_too(live):
  info = live / "fastfading" / "info.txt"
  info.write_text(info.read_text().replace(" 0.000000", " 30.000000"))
  assert len(open_database(f"live:{live}").pictures) == 2 + 5 * 4


@pytest.mark.parametrize(("kind", "types", "levels"), [("tid2008", 17, 4), ("tid2013", 24, 5)])
def test_tid_in_any_letter_case(tmp_path, kind, types, levels):
  database = open_database(f"{kind}:{miniatures.build_tid(tmp_path / 'tid', types, levels)}")
  assert database.problems == ()
  assert len(database.pictures) == 2 + 2 * types * levels
  blur = _by_name(database)["distorted_images/i02_08_3.bmp"]
  assert (blur.type, blur.level, blur.score, blur.original) == ("Gaussian blur", 3, 4.08, "i02")
  assert blur.reference.name == "i02.BMP"


def test_csiq(tmp_path):
  database = open_database(f"csiq:{miniatures.build_csiq(tmp_path / 'csiq')}")
  assert database.problems == ()
  assert len(database.pictures) == 2 + 2 * 29
  noise = _by_name(database)["awgn/1600.AWGN.5.png"]
  assert (noise.type, noise.level, noise.score, noise.original) == ("awgn", 5, 5 / 8, "1600")
  assert _by_name(database)["jpeg2000/bridge.jpeg2000.1.png"].type == "jpeg2000"


def test_csiq_with_its_table_as_csv(tmp_path):
  root = miniatures.build_csiq(tmp_path / "csiq")
  (root / "csiq.DMOS.xlsx").unlink()
  (root / "csiq.dmos.csv").write_text("image,dst_idx,dst_type,dst_lev,dmos_std,dmos\n1600,1,noise,2,0.1,0.25\n")
  noise = _by_name(open_database(f"csiq:{root}"))["awgn/1600.AWGN.2.png"]
  assert (noise.type, noise.level, noise.score) == ("awgn", 2, 0.25)


def test_kadid_and_its_unchanged_cells(tmp_path):
  database = open_database(f"kadid10k:{miniatures.build_kadid(tmp_path / 'kadid')}")
  assert database.problems == ()
  assert len(database.pictures) == 1 + 125
  motion = _by_name(database)["images/I01_03_01.png"]
  assert (motion.type, motion.level, motion.score) == ("motion blur", 1, 4.3)
  assert sum((p.type, p.level) in database.unchanged for p in database.pictures) == 4
  assert math.isnan(database.pictures[0].level)


def test_every_type_of_kadid_is_a_distortion_of_ours(tmp_path):
  """In the severity table's names; its types and those of the pictures are in the same order."""
  database = open_database(f"kadid10k:{miniatures.build_kadid(tmp_path / 'kadid')}")
  types = [kind for kind in database.labels if kind != REFERENCE]
  assert [re.sub(r"[ -]", "_", kind).lower() for kind in types] == list(KADID10K.entries)
  assert [database.labels[kind] for kind in types] == list(kadid10k().kinds)
  assert database.labels["motion blur"] == "linear_motion_blur"
  assert database.unchanged == {("Gaussian blur", 1), ("motion blur", 1), ("colour saturation 2", 1), ("mean shift", 3)}


@pytest.mark.slow
def test_some_folders_of_live_are_judged_and_the_others_reported(tmp_path):
  live = miniatures.build_whole_live(tmp_path / "live")
  for kind in ("jp2k", "fastfading"):
    shutil.rmtree(live / kind)
  (live / "jpeg" / "info.txt").unlink()
  database = open_database(f"live:{live}")
  assert database.problems == (
    "no folder jp2k: its pictures are not judged",
    "no info.txt in jpeg: its pictures are not judged",
    "no folder fastfading: its pictures are not judged",
  )
  assert {p.type for p in database.pictures} == {REFERENCE, "wn", "gblur"}
  assert len(database.pictures) == 29 + 2 * (174 - 29)
  scores = {f"{p.type}/{p.path.stem}": p.score for p in database.pictures if p.type != REFERENCE}
  first = {"wn": 227 + 233, "gblur": 227 + 233 + 174}  # jp2k and jpeg come before them
  for place, score in scores.items():
    kind, number = place.split("/img")
    assert score == first[kind] + int(number) - 1


def test_live_without_scores(live):
  (live / "dmos.mat").unlink()
  assert open_database(f"live:{live}").problems == ("no dmos.mat: scores are unknown",)
  scipy.io.savemat(live / "dmos.mat", {"dmos": np.arange(7.0)})
  (problem,) = open_database(f"live:{live}").problems
  assert problem == "dmos.mat holds 7 dmos and 0 orgs instead of 982 numbers each: scores are unknown"


def test_live_without_any_folder(live):
  for kind in miniatures.LIVE_LEVELS:
    shutil.rmtree(live / kind)
  with pytest.raises(InputError, match=rf"^database live:{live}: none of the folders jp2k, jpeg, wn, .*; expected "):
    open_database(f"live:{live}")


def test_missing_parts_are_named_in_one_sentence(live, tid, tmp_path):
  (live / "refimgs").rename(live / "elsewhere")
  (tid / "mos_with_names.txt").unlink()
  csiq, kadid = miniatures.build_csiq(tmp_path / "csiq"), tmp_path / "nowhere"
  shutil.rmtree(csiq / "dst_imgs" / "fnoise")
  for spec, message in (
    (f"live:{live}", "no refimgs in it; expected refimgs, the five folders "),
    (f"tid2013:{tid}", "no mos_with_names.txt in it; expected reference_images "),
    (f"csiq:{csiq}", "no dst_imgs/fnoise in it; expected src_imgs "),
    (f"kadid10k:{kadid}", "is not a folder; expected one with images "),
  ):
    with pytest.raises(InputError) as caught:
      open_database(spec)
    assert str(caught.value).startswith(f"database {spec}: {message}")
    assert str(caught.value).count(str(tmp_path)) == 1
  with pytest.raises(InputError, match="expected one of csiq:PATH, "):
    open_database("live:")


def test_what_is_amiss_in_live_is_named_and_the_rest_is_read(live):
  (live / "wn" / "img2.bmp").unlink()
  (live / "refimgs" / "bikes.bmp").unlink()
  (live / "gblur" / "Thumbs.db").write_bytes(b"x")
  (live / "dmos.mat").write_bytes(b"x")
  (live / "jpeg" / "img1.bmp").rename(live / "jpeg" / "IMG1.BMP")
  database = open_database(f"live:{live}")
  assert len(database.pictures) == 1 + 19
  problems = "\n".join(database.problems)
  assert len(database.problems) == 4
  assert "wn/info.txt line 5 names img2.bmp, which is not in" in problems
  assert "names the reference bikes.bmp, which is not in" in problems
  assert "gblur: a file that is not listed, left out: Thumbs.db" in problems
  assert "dmos.mat cannot be read: " in problems
  assert str(live) not in problems
  assert all(math.isnan(p.score) for p in database.pictures)


@pytest.mark.parametrize("line", ["bikes.bmp img1.bmp", "bikes.bmp img1.bmp strong", "bikes.bmp picture.bmp 1.0"])
def test_a_damaged_line_of_live_is_named(live, line):
  (live / "wn" / "info.txt").write_text(f"bikes.bmp img2.bmp 0.5 \n{line}\n")
  with pytest.raises(InputError, match=rf"info.txt line 2: expected REFERENCE.bmp .* found '{line}'"):
    open_database(f"live:{live}")


def test_damaged_tables_are_named(tid, tmp_path):
  (tid / "mos_with_names.txt").write_text("5.1 I01_25_1.bmp\n")
  with pytest.raises(InputError, match=r"mos_with_names.txt line 1: expected SCORE iNN_TT_L.bmp, TT 01..24"):
    open_database(f"tid2013:{tid}")
  kadid = miniatures.build_kadid(tmp_path / "kadid")
  (kadid / "dmos.csv").write_text("a,b\n1,2\n")
  with pytest.raises(InputError, match="expected the columns dist_img, ref_img and dmos"):
    open_database(f"kadid10k:{kadid}")
  csiq = miniatures.build_csiq(tmp_path / "csiq")
  (csiq / "csiq.DMOS.xlsx").write_bytes(b"PK no workbook")
  with pytest.raises(
    InputError, match=rf"^database csiq:{csiq}: csiq\.DMOS\.xlsx cannot be read: File is not a zip file$"
  ):
    open_database(f"csiq:{csiq}")
  (kadid / "dmos.csv").unlink()
  (kadid / "dmos.csv").mkdir()
  with pytest.raises(InputError, match=r"dmos.csv cannot be read: Is a directory$"):
    open_database(f"kadid10k:{kadid}")


def test_a_table_that_is_there_twice_in_other_letters_is_not_guessed(tid):
  table = tid / "mos_with_names.txt"
  shutil.copy(table, tid / "MOS_with_names.txt")
  if len(list(tid.glob("[mM]*.txt"))) < 2:
    pytest.skip("this file system has one file for both")
  assert open_database(f"tid2013:{tid}").problems == ()  # the name itself is there
  table.rename(tid / "mos_with_names.TXT")
  with pytest.raises(InputError, match=r"mos_with_names.txt may be MOS_with_names.txt or mos_with_names.TXT; leave "):
    open_database(f"tid2013:{tid}")


@pytest.mark.parametrize("place", ["distorted_images", "."])
def test_a_folder_that_cannot_be_listed_is_named(tid, place, monkeypatch):
  whole = type(tid).iterdir

  def iterdir(folder):
    if folder == tid / place:
      raise PermissionError(13, "Permission denied", str(folder))
    return whole(folder)

  monkeypatch.setattr(type(tid), "iterdir", iterdir)
  with pytest.raises(InputError, match=rf"^database tid2013:{tid}: {place} cannot be listed: Permission denied$"):
    open_database(f"tid2013:{tid}")


def test_our_own_bugs_are_not_damaged_tables(live, tmp_path, monkeypatch):
  csiq = miniatures.build_csiq(tmp_path / "csiq")
  monkeypatch.setattr(Layout, "named", lambda layout, path: path.no_such_thing)
  for spec in (f"csiq:{csiq}", f"live:{live}"):
    with pytest.raises(AttributeError):
      open_database(spec)


def _open_tiny(layout):
  path = layout.need("only.png")
  picture = JudgedPicture(path, path, "only", REFERENCE, math.nan, math.nan)
  return Database("Tiny", layout.root, (picture,), {REFERENCE: "clean"}, {}, "none")


def test_a_new_database_is_one_registration(tmp_path):
  before = describe_databases()
  register_database("tiny", _open_tiny, "a database of one picture", "only.png")
  try:
    assert "tiny:PATH" in describe_databases()
    assert "tiny:PATH      a database of one picture" in describe_databases(explained=True)
    with pytest.raises(InputError, match=r"no only.png in it; expected only.png$"):
      open_database(f"tiny:{tmp_path}")
    Image.new("RGB", (40, 40)).save(tmp_path / "only.png")
    database = open_database(f"tiny:{tmp_path}")
    with viewed_pictures(database, ("center",), size=32, workers=0) as pictures:
      (picture,) = pictures
    assert (picture.number, picture.tiles["center"].images.shape, picture.ssim) == (0, (1, 32, 32, 3), 1)
  finally:
    DATABASES.unregister("tiny")
  assert describe_databases() == before
  assert not is_database(f"tiny:{tmp_path}")
