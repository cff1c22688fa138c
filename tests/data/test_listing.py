"""What is listed below a folder, and what is left out, with a word."""

import os
import shutil

import pytest

from jaxdistort.data import Folder, make_output_for, open_pictures
from jaxdistort.data.listing import list_pictures
from jaxdistort.data.preparing import prepare
from jaxdistort.errors import InputError
from jaxdistort.files import make_output
from tests.data.heard import Heard


@pytest.fixture
def photos(tmp_path):
  for name in ("a.jpg", "b/c.PNG", "b/d/e.tiff"):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(b"x")
  return tmp_path


_OWN = ["a.jpg", "b/c.PNG", "b/d/e.tiff"]


@pytest.mark.parametrize(
  "folder",
  [
    *("@eaDir", "@EADIR/IMG.jpg", "#recycle", "$RECYCLE.BIN/S-1-5", "lost+found", "__MACOSX", "Thumbnails", "@Recycle"),
    *("b/@eaDir", "System Volume Information", "#snapshot", "Catalogue Previews.lrdata/0/1", "b/.thumbnails"),
    "My.photoslibrary/resources/derivatives",
  ],
)
def test_what_is_no_photograph_is_left_out_and_told(photos, folder):
  (photos / folder).mkdir(parents=True)
  (photos / folder / "thumb.jpg").write_bytes(b"x")
  names, left_out, _ = list_pictures(str(photos))
  assert names == _OWN
  assert len(left_out) == ("/." not in folder)  # nothing is said of hidden folders
  assert all("left out, as no photographs of people" in line for line in left_out)


def test_names_that_only_look_like_it_stay(photos):
  for name in ("@eaDir.jpg", "recycle/x.jpg", "lost/x.jpg", "x.photoslibrary/originals/x.jpg"):
    (photos / name).parent.mkdir(parents=True, exist_ok=True)
    (photos / name).write_bytes(b"x")
  names, left_out, _ = list_pictures(str(photos))
  assert len(names) == 7
  assert left_out == ()


def test_outputs_are_left_out_and_told(photos):
  make_output(photos / "runs" / "one")
  (photos / "runs" / "one" / "chart.png").write_bytes(b"x")
  (photos / "runs" / "one" / "evaluation").mkdir()
  (photos / "runs" / "one" / "evaluation" / "chart.png").write_bytes(b"x")
  names, left_out, _ = list_pictures(str(photos))
  assert names == _OWN
  assert left_out == (f"{photos}: left out, as outputs of this program: runs/one",)
  own = photos / "runs" / "one"
  assert list_pictures(str(own)) == (  # asked for
    ["chart.png", "evaluation/chart.png"],
    (f"{own}: is an output of this program itself: its pictures count as photographs",),
    (),
  )


@pytest.mark.parametrize(
  "written",
  [
    ["config.json", "checkpoints/1/state", "first_batch.png"],
    ["report.json", "predictions.csv", "examples.png"],
    ["sweep.json", "sweep.svg", "sweep.png"],
    ["dataset.json", "manifest.csv", "train/clean/a.jpg"],
  ],
)
def test_outputs_that_were_copied_without_hidden_files_are_known(photos, written):
  copied = photos / "copied"
  for name in written:
    (copied / name).parent.mkdir(parents=True, exist_ok=True)
    (copied / name).write_bytes(b"x")
  assert list_pictures(str(photos)) == (_OWN, (f"{photos}: left out, as outputs of this program: copied",), ())
  make_output_for((), copied)  # so that a run goes on there
  (copied / written[0]).unlink()
  assert list_pictures(str(photos)).names == _OWN  # marked again


def test_a_folder_that_cannot_be_listed_is_told(photos, monkeypatch):
  scandir = os.scandir

  def refuse(path):
    if str(path).endswith("d"):
      raise PermissionError(13, "Permission denied", path)
    return scandir(path)

  monkeypatch.setattr(os, "scandir", refuse)
  heard = Heard()
  open_pictures(f"folder:{photos}", "all", heard)
  assert heard.lines == [f"{photos}/b/d cannot be listed (Permission denied): pictures in it are missing"]
  shutil.rmtree(photos / "b" / "d")
  monkeypatch.setattr(os, "scandir", lambda path: refuse("d"))
  with pytest.raises(InputError, match=r"no picture in it or below it .*cannot be listed"):
    Folder(photos)


def test_links_are_followed_once(photos):
  os.symlink("b", photos / "a link")
  os.symlink(photos, photos / "b" / "circle")
  os.symlink("itself", photos / "itself")
  os.symlink("nowhere", photos / "nowhere.jpg")
  assert list_pictures(str(photos)).names == [*_OWN, "nowhere.jpg"]
  (photos.parent / "elsewhere").mkdir()
  (photos.parent / "elsewhere" / "x.jpg").write_bytes(b"x")
  os.symlink(photos.parent / "elsewhere", photos / "away")
  assert "away/x.jpg" in list_pictures(str(photos)).names


def test_where_outputs_may_lie(folder_of_photographs, tmp_path):
  source = Folder(folder_of_photographs)
  root = tmp_path / "photos"
  for output, message in (
    (root, "is the folder of the pictures"),
    (root / "more", "photo_37.png"),
    (tmp_path, "photos/"),
  ):
    with pytest.raises(InputError, match=message):
      make_output_for([source], output, "workdir")
  (tmp_path / "runs" / "its notes").mkdir(parents=True)
  (tmp_path / "runs" / "its notes" / "notes.txt").write_text("no picture")
  for output in (root / "runs" / "new", root / "runs" / "new", tmp_path / "away", tmp_path / "runs" / "its notes"):
    make_output_for([source], output)
  (root / "empty").mkdir()
  make_output_for([source], root / "empty")
  for place in (root / "empty", root / "runs" / "new", tmp_path / "away", tmp_path / "runs" / "its notes"):
    shutil.copy(root / "photo_01.png", place)
  assert len(Folder(root)) == len(source)
  assert len(Folder(tmp_path)) == len(source)


def test_prepared_pictures_in_the_folder_itself_do_not_count(folder_of_photographs, tmp_path):
  output = tmp_path / "photos" / "prepared"
  for _ in range(2):
    assert prepare(f"folder:{folder_of_photographs}", output, image_size=32, workers=0).pictures == 40
  assert len(Folder(folder_of_photographs)) == 40
