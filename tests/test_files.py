"""Files for people and for programs: whatever names hold comes back, whatever a crash leaves is no end."""

import errno
import json
import os
import resource
import threading

import pytest

from jaxdistort.errors import InputError, printable
from jaxdistort.files import (
  fitting_name,
  making_whole,
  read_json,
  read_rows,
  read_table,
  write_json,
  write_table,
  write_whole,
)

ODD_NAMES = (
  "a\rb.png",
  "a\nb.png",
  "a\r\nb.png",
  "\ta.png",
  'a"b".png',
  '".png',
  "a,b;c.png",
  " a .png",
  "=1+2.png",
  "-rf.png",
  "a\x1b[2Jb.png",
  "\u200fabc.png",
  "\u2028.png",
  os.fsdecode(b"\xff\xfe.png"),
  "käse 日本.png",
  "C:\\a\\b.png",
  "'a'.png",
  "#.png",
  "n" * 251 + ".png",
)
"""Names that a folder may hold, and that tables, terminals and shells read in another way."""


def test_json_holds_no_more_than_json_can(tmp_path):
  write_json(tmp_path / "a.json", {"loss": float("inf"), "rows": [(1.5, float("nan"))], "names": ["NaN"], "at": None})

  def refuse(word):
    pytest.fail(f"{word} is no JSON")

  found = json.loads((tmp_path / "a.json").read_text(), parse_constant=refuse)
  assert found == {"loss": None, "rows": [[1.5, None]], "names": ["NaN"], "at": None}


def test_a_table_gives_back_what_was_written(tmp_path):
  rows = [["name", "note"], *([name, str(place)] for place, name in enumerate(ODD_NAMES)), ["", ""]]
  write_table(tmp_path / "a.csv", [*rows, [None, 1.5]])
  assert list(read_table(tmp_path / "a.csv")) == [*rows, ["", "1.5"]]


def test_a_plain_table_is_written_plainly(tmp_path):
  write_table(tmp_path / "a.csv", [["picture", "p"], ["a b.png", 0.25]])
  assert (tmp_path / "a.csv").read_bytes() == b"picture,p\na b.png,0.25\n"


def test_names_too_long_for_a_folder_are_cut_and_stay_apart(tmp_path):
  assert fitting_name(tmp_path, "photo", "_explained.png") == "photo_explained.png"
  stems = ["n" * 255, "n" * 254 + "m", "ä" * 127, "ä" * 126 + "b", os.fsdecode(b"\xff" * 255)]
  names = [fitting_name(tmp_path, stem, "_explained.png") for stem in stems]
  assert len(set(names)) == len(names)
  for name in names:
    (tmp_path / name).touch()
    assert name.endswith("_explained.png")
  assert names[0].startswith("nnnn")
  assert names[2].startswith("ääää")
  with making_whole(tmp_path / ("x" * 255)) as unfinished:
    unfinished.write_text("whole")
  assert (tmp_path / ("x" * 255)).read_text() == "whole"


def test_rows_that_a_crash_has_damaged_are_left_out(tmp_path):
  path = tmp_path / "a.jsonl"
  assert read_rows(path) == []
  path.write_bytes(b'{"a": 1}\n\0\0\0\0\n{"a": }\n[1]\n3\n\xff\xfe\n\n{"b": "\\udcff"}\r\n{"a": 4')
  assert read_rows(path) == [{"a": 1}, {"b": "\udcff"}]


@pytest.mark.parametrize("content", [b"", b"\0\0", b"[]", b"3", b'{"a"', b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_json_object_counts_as_empty(tmp_path, content):
  write_whole(tmp_path / "a.json", content)
  assert read_json(tmp_path / "a.json") == read_json(tmp_path / "nowhere.json") == {}


def test_a_message_is_one_line_and_commands_no_terminal():
  assert printable("a\nb\x1b[2J\u200f\udcff käse") == "a\\nb\\x1b[2J\\u200f\\udcff käse"
  assert str(InputError("first\nsecond")) == "first second"


def test_a_disk_that_takes_no_more_is_named_and_keeps_what_was_there(tmp_path):
  before = resource.getrlimit(resource.RLIMIT_FSIZE)
  write_whole(tmp_path / "report.csv", "old")
  resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
  try:
    with pytest.raises(OSError, match="too large") as error:
      write_whole(tmp_path / "report.csv", "x" * 10_000)
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
  assert (error.value.errno, error.value.filename) == (errno.EFBIG, str(tmp_path / "report.csv"))
  assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("report.csv", "old")]


def test_two_that_write_a_file_take_turns(tmp_path):
  path = tmp_path / "map.png"
  second = threading.Thread(target=write_whole, args=(path, "second"))
  with making_whole(path) as unfinished:
    second.start()
    unfinished.write_text("first")
  second.join()
  assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("map.png", "second")]
