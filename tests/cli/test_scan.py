"""`jaxdistort scan` as a person runs it."""

import signal

import pytest
from PIL import Image


@pytest.fixture
def folder(photographs, tmp_path):
  folder = tmp_path / "photos"
  folder.mkdir()
  for number, picture in enumerate(photographs):
    Image.fromarray(picture).save(folder / f"{number}.png")
  (folder / "broken.png").write_bytes(b"")
  return folder


def test_it_says_what_it_did(command, model, folder, tmp_path):
  table = tmp_path / "answers.csv"
  ended = command("scan", folder, "--output", table, "--checkpoint", model)
  assert ended.out == f"9 pictures judged, 1 of which could not be read; 9 in {table}\n"
  assert ended.status == 0
  assert command("scan", folder, "--output", table, "--checkpoint", model).out == f"0 pictures judged; 9 in {table}\n"


@pytest.mark.long
def test_killed_in_the_middle_of_a_row_it_ends_with_the_same_rows(start, command, model, folder, tmp_path):
  whole, table = tmp_path / "whole.csv", tmp_path / "killed.csv"
  command("scan", folder, "--output", whole, "--checkpoint", model)
  child = start(
    r"kill:^open .*/photos/5\.png ", "scan", folder, "--output", table, "--checkpoint", model, "--workers", 1
  )
  assert child.wait() == -signal.SIGKILL, child.log.read_text()
  assert not table.exists() or len(table.read_bytes()) < len(whole.read_bytes())
  command("scan", folder, "--output", table, "--checkpoint", model)
  assert table.read_bytes() == whole.read_bytes()


def test_what_cannot_be_scanned(refused, model, folder, tmp_path):
  assert "no such folder" in refused("scan", tmp_path / "no", "--output", tmp_path / "a.csv", "--checkpoint", model)
  assert "expected K/N" in refused("scan", folder, "--output", tmp_path / "a.csv", "--shard", "4/3")
  table = tmp_path / "a.csv"
  assert "is the table itself" in refused("scan", folder, "--output", table, "--report", table, "--checkpoint", model)
  assert "suffix" in refused("scan", folder, "--output", tmp_path / "a.txt", "--checkpoint", model)
