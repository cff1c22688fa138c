"""What happens around a scan: full disks, tables and pictures that are taken away, odd entries of folders."""

import csv
import errno
import io
import os
import shutil
import socket

import pytest
from PIL import Image

from jaxdistort.data.listing import Listing
from jaxdistort.errors import WorkFailed
from jaxdistort.progress import Progress
from jaxdistort.scanning import scan, tables
from jaxdistort.scanning.places import Local


@pytest.fixture
def folder(photographs, tmp_path):
  folder = tmp_path / "photos"
  folder.mkdir()
  for number, picture in enumerate(photographs):
    Image.fromarray(picture).save(folder / f"{number}.png")
  return folder


class _Then(Progress):
  """Does something once, after so many rows."""

  def __init__(self, rows, act):
    self._left, self._act = rows, act

  def check(self):
    self._left -= 1
    if self._left == 0:
      self._act()


def _paths(table):
  with table.open(newline="") as file:
    return [row["path"] for row in csv.DictReader(file)]


@pytest.fixture
def unbroken(recogniser, folder, tmp_path):
  scan(recogniser, folder, tmp_path / "unbroken.csv")
  return (tmp_path / "unbroken.csv").read_bytes()


def test_a_full_disk(recogniser, folder, tmp_path, unbroken, monkeypatch):
  table, plain = tmp_path / "answers.csv", tables.write_all
  written = io.BytesIO()

  def full(file, content):
    if written.tell() + len(content) > 700:
      plain(file, content[:20])  # a part of a row still fits
      raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    written.write(content)
    plain(file, content)

  monkeypatch.setattr(tables, "write_all", full)
  with pytest.raises(WorkFailed, match=r"answers.csv: a row cannot be written \(No space left on device"):
    scan(recogniser, folder, table)
  monkeypatch.setattr(tables, "write_all", plain)
  done = scan(recogniser, folder, table)
  assert 0 < done.judged < 8
  assert table.read_bytes() == unbroken


@pytest.mark.parametrize("replaced", [False, True])
def test_a_table_that_is_taken_away(recogniser, folder, tmp_path, unbroken, replaced):
  table = tmp_path / "answers.csv"

  def take_away():
    table.unlink()
    if replaced:
      table.write_bytes(b"")

  with pytest.raises(WorkFailed, match="was taken away while it was written"):
    scan(recogniser, folder, table, progress=_Then(3, take_away))
  scan(recogniser, folder, table)
  assert table.read_bytes() == unbroken


@pytest.mark.slow
def test_pictures_that_go_and_come_back(recogniser, folder, tmp_path):
  for number in range(8, 60):  # more than are read ahead
    shutil.copy(folder / f"{number % 8}.png", folder / f"{number}.png")
  table, whole, away = tmp_path / "answers.csv", tmp_path / "whole.csv", tmp_path / "away"
  scan(recogniser, folder, whole)
  done = scan(recogniser, folder, table, progress=_Then(1, lambda: folder.rename(away)))
  assert len(_paths(table)) == done.pictures < 60
  assert not done.broken
  lost = f"{60 - done.pictures} files have gone while they were scanned: there is no row on them"
  assert done.remarks == (f"{lost}; the same command goes on",)
  away.rename(folder)
  scan(recogniser, folder, table)
  assert sorted(table.read_bytes().splitlines()) == sorted(whole.read_bytes().splitlines())


def test_a_picture_that_changes_while_others_are_read(recogniser, folder, tmp_path):
  table = tmp_path / "answers.csv"
  scan(recogniser, folder, table, progress=_Then(1, lambda: shutil.copy(folder / "0.png", folder / "7.png")))
  done = scan(recogniser, folder, table)
  assert done.judged == 1  # the row told of the state before
  rows = table.read_text().splitlines()
  assert rows[-1].startswith("7.png")
  assert rows[-1].split(",")[5:] == rows[1].split(",")[5:]


def test_rows_on_what_cannot_be_looked_at_now_stay(recogniser, folder, tmp_path, monkeypatch):
  (folder / "shared").mkdir()
  shutil.copy(folder / "0.png", folder / "shared" / "far.png")
  table = tmp_path / "answers.csv"
  scan(recogniser, folder, table)
  before, state, listed = table.read_bytes(), Local.state, Local.list

  def failing(place, name):
    if name == "1.png":
      raise OSError(errno.EIO, os.strerror(errno.EIO))
    return state(place, name)

  def without(place):
    names = [name for name in listed(place).names if not name.startswith("shared")]
    return Listing(names, ("shared cannot be listed",), ("shared",))

  with monkeypatch.context() as patch:
    patch.setattr(Local, "state", failing)
    patch.setattr(Local, "list", without)
    done = scan(recogniser, folder, table)
  assert (done.pictures, done.judged) == (9, 0)
  assert table.read_bytes() == before
  shutil.rmtree(folder / "shared")
  (folder / "1.png").unlink()
  assert scan(recogniser, folder, table).pictures == 7


def test_odd_entries(recogniser, folder, tmp_path):
  (folder / "loop").symlink_to(folder)
  (folder / "circle.png").symlink_to(folder / "circle.png")
  os.mkfifo(folder / "pipe.png")
  (folder / "._0.png").write_bytes(b"a Mac's own")
  (folder / "folder.png").mkdir()
  with socket.socket(socket.AF_UNIX) as line:
    line.bind(os.path.relpath(folder / "socket.png"))  # whose path may have 100 letters
    done = scan(recogniser, folder, tmp_path / "answers.csv")
  with (tmp_path / "answers.csv").open(newline="") as file:
    errors = {row["path"]: row["error"] for row in csv.DictReader(file) if row["error"]}
  assert errors == {
    "pipe.png": "no plain file, but a named pipe",
    "socket.png": "no plain file, but a socket",
  }
  assert done.pictures == 10
  assert "1 files are listed but cannot be looked at, such as circle.png" in done.remarks[-1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_may_not_be_read(recogniser, folder, tmp_path):
  (folder / "shut").mkdir(mode=0)
  done = scan(recogniser, folder, tmp_path / "answers.csv")
  assert done.pictures == 8
  assert "cannot be listed" in done.remarks[0]
