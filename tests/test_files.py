"""Files for people and for programs."""

import errno
import json
import resource
import threading

import pytest

from jaxdistort.files import making_whole, write_json, write_whole


def test_json_holds_no_more_than_json_can(tmp_path):
  write_json(tmp_path / "a.json", {"loss": float("inf"), "rows": [(1.5, float("nan"))], "names": ["NaN"], "at": None})

  def refuse(word):
    pytest.fail(f"{word} is no JSON")

  found = json.loads((tmp_path / "a.json").read_text(), parse_constant=refuse)
  assert found == {"loss": None, "rows": [[1.5, None]], "names": ["NaN"], "at": None}


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
