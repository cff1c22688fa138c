"""Pictures of databases in other forms than their tables say, and tables of which little is there."""

import shutil

import pytest
from PIL import Image

from jaxdistort.data.databases import REFERENCE, open_database
from jaxdistort.errors import InputError
from tests.data import miniatures

pytestmark = pytest.mark.usefixtures("frozen")  # test_databases.py reads such tables elsewhere

_BUILD = {
  "tid2008": lambda root: miniatures.build_tid(root, 17, 4),
  "kadid10k": miniatures.build_kadid,
  "csiq": miniatures.build_csiq,
  "live": miniatures.build_live,
}


@pytest.fixture(params=_BUILD)
def database(request, tmp_path):
  return request.param, _BUILD[request.param](tmp_path / request.param)


def _pictures(root):
  return [path for path in root.rglob("*") if path.suffix.lower() in (".bmp", ".png")]


def _open(kind, root):
  return open_database(f"{kind}:{root}")


def _stems(database):
  return sorted((p.path.stem.lower(), p.type, repr(p.level), repr(p.score)) for p in database.pictures)


@pytest.mark.parametrize("suffix", [".png", ".BMP", ".Tiff"])
def test_pictures_converted_without_loss_are_found(database, suffix):
  kind, root = database
  expected = _stems(_open(kind, root))
  for path in _pictures(root):
    path.rename(path.with_suffix(suffix))
  found = _open(kind, root)
  assert found.problems == ()
  assert _stems(found) == expected
  assert all(picture.reference is not None for picture in found.pictures)


def test_a_database_in_jpeg_is_refused_not_judged_by_its_references(database):
  """JPEG has changed its pixels."""
  kind, root = database
  for path in _pictures(root):
    if path.parent.name not in ("refimgs", "reference_images", "src_imgs") and path.stem != "I01":
      path.rename(path.with_suffix(".jpg"))
  with pytest.raises(InputError, match=r"none of the \d+ distorted pictures that its tables name is there: .* names "):
    _open(kind, root)


def test_a_name_itself_comes_before_its_stem_and_of_two_stems_none_is_taken(tmp_path):
  root = miniatures.build_kadid(tmp_path / "kadid")
  first, second = root / "images" / "I01_01_01.png", root / "images" / "I01_01_02.png"
  shutil.copy(first, first.with_suffix(".bmp"))
  shutil.copy(second, second.with_suffix(".tif"))
  second.rename(second.with_suffix(".bmp"))
  database = _open("kadid10k", root)
  assert first in {picture.path for picture in database.pictures}
  assert not any(picture.path.stem == "I01_01_02" for picture in database.pictures)
  assert database.problems == (
    "dmos.csv line 3 names I01_01_02.png, which may be I01_01_02.bmp or I01_01_02.tif in images",
    "images: 3 files that the database does not list, left out: I01_01_01.bmp, I01_01_02.bmp, I01_01_02.tif",
  )


def test_names_that_differ_in_letter_case_alone_are_two_files(tmp_path):
  root = miniatures.build_tid(tmp_path / "tid", 17, 4)
  folder = root / "distorted_images"
  (folder / "I01_01_1.bmp").rename(folder / "I01_01_1.BMP")
  shutil.copy(folder / "I01_01_1.BMP", folder / "i01_01_1.bmp")
  if len(list(folder.glob("[iI]01_01_1.*"))) < 2:
    pytest.skip("this file system has one file for both")
  problems = _open("tid2008", root).problems
  assert problems[0].endswith("names I01_01_1.bmp, which may be I01_01_1.BMP or i01_01_1.bmp in distorted_images")
  (folder / "I01_01_1.BMP").rename(folder / "I01_01_1.bmp")
  assert _open("tid2008", root).problems == ("distorted_images: a file that is not listed, left out: i01_01_1.bmp",)


def test_names_without_suffix(tmp_path):
  root = miniatures.build_tid(tmp_path / "tid", 17, 4)
  expected = _stems(_open("tid2008", root))
  table = root / "mos_with_names.txt"
  table.write_text(table.read_text().replace(".bmp", ""))
  database = _open("tid2008", root)
  assert (database.problems, _stems(database)) == ((), expected)


def test_most_of_a_table_missing_is_said_first(tmp_path):
  root = miniatures.build_kadid(tmp_path / "kadid")
  for path in sorted((root / "images").glob("I01_*.png"))[4:]:
    path.unlink()
  database = _open("kadid10k", root)
  assert len(database.pictures) == 1 + 4
  assert database.problems[0] == (
    "only 4 of the 125 distorted pictures that its tables name are there: all figures are of those"
  )
  for path in (root / "images").glob("I01_*.png"):
    path.unlink()
  Image.new("RGB", (8, 8)).save(root / "images" / "other.png")
  message = r"none of the 125 distorted pictures that its tables name is there: dmos\.csv line 2 names I01_01_01\.png, "
  with pytest.raises(InputError, match=message):
    _open("kadid10k", root)


def test_a_picture_that_is_listed_twice_counts_once(tmp_path):
  root = miniatures.build_kadid(tmp_path / "kadid")
  table = root / "dmos.csv"
  table.write_text(table.read_text() + "I01_01_01.png,I01.png,1.0,0.5\n")
  database = _open("kadid10k", root)
  assert sum(picture.type != REFERENCE for picture in database.pictures) == 125
  assert database.problems == ("dmos.csv line 127 names I01_01_01.png once more: only the first line counts",)
