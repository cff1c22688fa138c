"""Databases in miniature: every picture, reference, type, level and score; and every way of being broken, by name."""

import math

import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import VIEWS
from jaxdistort.data.databases import REFERENCE, open_database
from jaxdistort.errors import InputError
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


@pytest.mark.parametrize("part", ["refimgs", "gblur", "gblur/info.txt"])
def test_a_missing_part_of_live_is_named(live, part):
  (live / part).rename(live / "elsewhere")
  with pytest.raises(InputError, match=rf"no {part.split('/')[-1]} in .*; expected refimgs, the five folders"):
    open_database(f"live:{live}")


def test_other_missing_parts_are_named(tid, tmp_path):
  with pytest.raises(InputError, match="nowhere is not a folder; expected one with images"):
    open_database(f"kadid10k:{tmp_path / 'nowhere'}")
  (tid / "mos_with_names.txt").unlink()
  with pytest.raises(InputError, match=r"no mos_with_names.txt in .*; expected reference_images"):
    open_database(f"tid2013:{tid}")
  with pytest.raises(InputError, match="expected one of live:PATH, "):
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
  assert "gblur: 1 files that the database does not list, left out: Thumbs.db" in problems
  assert "dmos.mat" in problems
  assert all(math.isnan(p.score) for p in database.pictures)


@pytest.mark.parametrize("line", ["bikes.bmp img1.bmp", "bikes.bmp img1.bmp strong", "bikes.bmp picture.bmp 1.0"])
def test_a_damaged_line_of_live_is_named(live, line):
  (live / "wn" / "info.txt").write_text(f"bikes.bmp img2.bmp 0.5 \n{line}\n")
  with pytest.raises(InputError, match=rf"info.txt line 2: expected REFERENCE.bmp .* found '{line}'"):
    open_database(f"live:{live}")


def test_damaged_tables_are_named(tid, tmp_path):
  (tid / "mos_with_names.txt").write_text("5.1 I01_25_1.bmp\n")
  with pytest.raises(InputError, match=r"line 1: expected SCORE iNN_TT_L.bmp, TT 01..24"):
    open_database(f"tid2013:{tid}")
  kadid = miniatures.build_kadid(tmp_path / "kadid")
  (kadid / "dmos.csv").write_text("a,b\n1,2\n")
  with pytest.raises(InputError, match="expected the columns dist_img, ref_img and dmos"):
    open_database(f"kadid10k:{kadid}")
  csiq = miniatures.build_csiq(tmp_path / "csiq")
  (csiq / "csiq.DMOS.xlsx").write_bytes(b"PK no workbook")
  with pytest.raises(InputError, match=r"csiq\.DMOS\.xlsx cannot be read"):
    open_database(f"csiq:{csiq}")


def test_views():
  pixels = np.random.default_rng(0).integers(0, 256, (100, 150, 3), np.uint8)
  picture = Image.fromarray(pixels)
  padded = VIEWS["pad"](picture, 60)
  assert padded.shape == (1, 60, 60, 3)
  assert not padded[0, :10].any()
  assert not padded[0, -10:].any()
  assert padded[0, 10].any()
  assert VIEWS["center"](picture, 60).shape == (1, 60, 60, 3)
  patches = VIEWS["patches"](picture, 60)
  assert patches.shape == (6, 60, 60, 3)
  np.testing.assert_array_equal(patches[0], pixels[:60, :60])
  np.testing.assert_array_equal(patches[-1], pixels[40:, 90:])
  assert VIEWS["patches"](picture.resize((40, 30)), 60).shape == (2, 60, 60, 3)
  assert VIEWS["patches"](picture.resize((3000, 60)), 60).shape == (5, 60, 60, 3)
  assert VIEWS["patches"](picture.resize((1, 3000)), 60).shape == (5, 60, 60, 3)
