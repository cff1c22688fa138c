"""Scans: rows on all files, whatever stops them."""

import csv
import dataclasses
import fcntl
import json
import os

import pytest
from PIL import Image

from jaxdistort.errors import InputError
from jaxdistort.scanning import JudgePictures, Shard, makers, scan
from jaxdistort.scanning.judging import Judgement
from jaxdistort.tasks import LabelSpace
from tests.inference.recognisers import small_recogniser
from tests.stopping import StopAfter

_BOTH = pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
_ODD = 'a "quoted", name\nof two lines; 🙂.png'


@pytest.fixture
def folder(photographs, tmp_path):
  """Seven pictures, of which one is broken, one has an odd name, one's name is no UTF-8."""
  folder = tmp_path / "photos"
  (folder / "more").mkdir(parents=True)
  names = ["0.png", "1.png", "more/2.png", _ODD, os.fsdecode(b"caf\xe9.png"), "3.png"]
  for picture, name in zip(photographs, names, strict=False):
    Image.fromarray(picture).save(folder / name)
  (folder / "broken.jpg").write_bytes(b"no picture")
  return folder


def _rows(table):
  if table.suffix == ".jsonl":
    return [json.loads(line) for line in table.read_text().splitlines()]
  with table.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
    return list(csv.DictReader(file))


@_BOTH
def test_a_row_a_file(recogniser, folder, tmp_path, suffix):
  table = tmp_path / f"answers{suffix}"
  done = scan(recogniser, folder, table, workers=2)
  rows = {row["path"]: row for row in _rows(table)}
  assert done[:3] == (7, 7, 1)
  assert list(rows) == sorted(rows)
  assert set(rows) == {os.fspath(f.relative_to(folder)) for f in folder.rglob("*.*")}
  assert rows["broken.jpg"]["error"]
  answer = recogniser.predict(folder / "1.png")
  found = [group.group for group in answer.groups if group.found]
  if suffix == ".csv":
    assert sorted(rows["1.png"]["groups"].split(";")) == sorted(found or [""])
    assert [group for group in ("blur", "noise", "warp") if rows["1.png"][group]] == sorted(found)
  else:
    assert {own["group"] for own in rows["1.png"]["distortions"]} == set(found)
    assert rows["1.png"]["clean"] == answer.clean


@pytest.mark.long
@_BOTH
@pytest.mark.parametrize("torn", [0, 1, 3, 40])
def test_stopped_anywhere_it_ends_with_the_same_rows(recogniser, folder, tmp_path, suffix, torn):
  whole, table = tmp_path / f"whole{suffix}", tmp_path / f"stopped{suffix}"
  scan(recogniser, folder, whole)
  for asked in (0, 2):
    with pytest.raises(KeyboardInterrupt):
      scan(recogniser, folder, table, progress=StopAfter(asked))
    content = table.read_bytes()
    table.write_bytes(content[: len(content) - torn])
  assert scan(recogniser, folder, table).pictures == 7
  assert table.read_bytes() == whole.read_bytes()
  assert scan(recogniser, folder, table).judged == 0
  assert table.read_bytes() == whole.read_bytes()


@_BOTH
def test_what_is_new_or_has_changed_is_judged_again(recogniser, folder, tmp_path, suffix, photographs):
  table = tmp_path / f"answers{suffix}"
  scan(recogniser, folder, table)
  (folder / "0.png").unlink()
  Image.fromarray(photographs[7]).save(folder / "1.png")
  Image.fromarray(photographs[7]).save(folder / "new.png")
  os.utime(folder / "3.png")
  assert scan(recogniser, folder, table)[:3] == (7, 3, 0)
  assert {row["path"] for row in _rows(table)} == {os.fspath(f.relative_to(folder)) for f in folder.rglob("*.*")}


def test_another_recogniser_judges_all_again(recogniser, folder, tmp_path):
  table = tmp_path / "answers.csv"
  scan(recogniser, folder, table)
  parameters = dict(recogniser.variables.parameters)
  parameters["out"] = {name: 2 * leaf for name, leaf in parameters["out"].items()}
  other = dataclasses.replace(recogniser, variables=recogniser.variables._replace(parameters=parameters))
  assert scan(other, folder, table).judged == 7
  assert len({row["model"] for row in _rows(table)}) == 1


def test_a_recogniser_of_other_groups_judges_all_again(recogniser, folder, tmp_path):
  table = tmp_path / "answers.csv"
  scan(recogniser, folder, table)
  other = small_recogniser(tmp_path / "other", labels=LabelSpace(("jpeg", "fog"), ("coding", "light")))
  assert scan(other, folder, table).judged == 7
  assert {"coding", "light"} < set(_rows(table)[0])
  assert "blur" not in _rows(table)[0]


@_BOTH
def test_what_may_have_passed_is_tried_again(recogniser, folder, tmp_path, suffix):
  whole, table = tmp_path / f"whole{suffix}", tmp_path / f"answers{suffix}"
  scan(recogniser, folder, whole)
  reasons = ["cannot be fetched (timed out)", "Input/output error", "more pixels than the memory holds", "no picture"]

  def failing(names):
    return [Judgement(name, reason, {}) for name, reason in zip(names, reasons, strict=False)]

  scan(recogniser, folder, table, judge=failing)
  assert scan(recogniser, folder, table).judged == 6  # not what is no picture
  assert len(_rows(table)) == len(_rows(whole)) == 7


def test_a_finished_table_needs_nobody_who_judges(recogniser, folder, tmp_path):
  table = tmp_path / "answers.csv"
  scan(recogniser, folder, table)
  assert scan(recogniser, folder, table, judge=lambda names: 1 / 0).judged == 0


@pytest.mark.long
@pytest.mark.parametrize("count", [2, 3, 9])
def test_the_rows_of_all_shards_are_those_of_the_whole(recogniser, folder, tmp_path, count):
  scan(recogniser, folder, tmp_path / "whole.jsonl")
  parts = []
  for number in range(1, count + 1):
    table = tmp_path / f"{number}.jsonl"
    scan(recogniser, folder, table, shard=Shard(number, count))
    parts.append(table.read_bytes())
  assert b"".join(parts) == (tmp_path / "whole.jsonl").read_bytes()
  assert max(part.count(b"\n") for part in parts) == -(-7 // count)


@_BOTH
def test_pictures_are_linked_by_what_was_found(recogniser, folder, tmp_path, suffix):
  table, target = tmp_path / f"answers{suffix}", tmp_path / "sorted"
  scan(recogniser, folder, table, then=[makers.links(target)])
  answer = recogniser.predict(folder / "more" / "2.png")
  expected = {group.group for group in answer.groups if group.found} or {"clean"}
  assert {link.parent.name for link in target.glob("*/more_2.png")} == expected
  assert (target / "unreadable" / "broken.jpg").resolve() == folder / "broken.jpg"
  assert all(link.is_symlink() and link.exists() for link in target.glob("*/*"))
  (folder / "broken.jpg").unlink()
  Image.open(folder / "0.png").save(folder / "more_2.png")  # two paths that lead to one name
  scan(recogniser, folder, table, then=[makers.links(target)])
  assert not (target / "unreadable" / "broken.jpg").is_symlink()
  found = {link.resolve() for link in target.glob("*/more_2*.png")}
  assert found == {folder / "more_2.png", folder / "more" / "2.png"}


def test_links_of_others_stay(recogniser, folder, tmp_path):
  target, album = tmp_path / "sorted", tmp_path / "album"
  for number in (1, 2):
    scan(recogniser, folder, tmp_path / f"{number}.csv", shard=Shard(number, 2), then=[makers.links(target)])
  assert {link.resolve() for link in target.glob("*/*")} == {file for file in folder.rglob("*.*") if file.is_file()}
  (folder.parent / "others").mkdir()
  other = folder.parent / "others" / "0.png"
  other.write_bytes((folder / "0.png").read_bytes())
  scan(recogniser, other.parent, tmp_path / "others.csv", then=[makers.links(target)])
  for _ in range(2):  # a name that is there already leads where it led
    scan(recogniser, folder, tmp_path / "1.csv", then=[makers.links(target)])
    pictures = {file for file in folder.rglob("*.*") if file.is_file()}
    assert {link.resolve() for link in target.glob("*/*")} == {*pictures, other}
  (album / "best").mkdir(parents=True)
  (album / "best" / "a.png").symlink_to(folder / "0.png")
  with pytest.raises(InputError, match="album: holds other files"):
    makers.links(album)
  assert (album / "best" / "a.png").is_symlink()


def test_what_cannot_be_scanned(recogniser, folder, tmp_path):
  with pytest.raises(InputError, match="nowhere: no such folder"):
    scan(recogniser, tmp_path / "nowhere", tmp_path / "a.csv")
  (tmp_path / "empty").mkdir()
  with pytest.raises(InputError, match="no pictures in this folder"):
    scan(recogniser, tmp_path / "empty", tmp_path / "a.csv")
  with pytest.raises(InputError, match=r"suffix.*\.txt"):
    scan(recogniser, folder, tmp_path / "a.txt")
  for name, text in (("diary.csv", "dear diary\n"), ("list.jsonl", '{"path": "a.png"}\n')):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match="is none of such a scan"):
      scan(recogniser, folder, tmp_path / name)
    assert (tmp_path / name).read_text() == text


def test_two_at_once_are_refused(recogniser, folder, tmp_path):
  table = tmp_path / "answers.csv"
  with table.open("ab") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    with pytest.raises(InputError, match="another process writes it"):
      scan(recogniser, folder, table)


@_BOTH
def test_a_page_on_what_was_found(recogniser, folder, tmp_path, suffix):
  table, page = tmp_path / f"answers{suffix}", tmp_path / "more" / "page.html"
  scan(recogniser, folder, table, then=[makers.page(page)])
  text = page.read_text()
  assert "7 pictures" in text
  assert "1 could not be read" in text
  scan(recogniser, folder, table, then=[makers.page(page)])  # from rows that were there
  assert page.read_text() == text


def test_a_storage_gives_the_rows_of_a_folder(recogniser, folder, tmp_path):
  scan(recogniser, folder, tmp_path / "here.jsonl")
  url, table = f"file://{folder}", tmp_path / "there.jsonl"
  page = tmp_path / "page.html"
  assert scan(recogniser, url, table, then=[makers.page(page)])[:3] == (7, 7, 1)

  def told(table):
    return [{k: v for k, v in row.items() if k not in ("modified", "error")} for row in _rows(table)]

  assert told(table) == told(tmp_path / "here.jsonl")
  assert "file://" in page.read_text()
  os.utime(folder / "3.png", (0, 0))
  assert scan(recogniser, url, table).judged == 1
  with pytest.raises(InputError, match="nothing can be linked"):
    scan(recogniser, url, table, then=[makers.links(tmp_path / "sorted")])
  with pytest.raises(InputError, match="no such folder"):
    scan(recogniser, f"file://{tmp_path}/nowhere", table)
  with pytest.raises(InputError, match="nostorage"):
    scan(recogniser, "nostorage://bucket", table)


@pytest.mark.slow
def test_parquet_says_the_same(recogniser, folder, tmp_path):
  parquet = pytest.importorskip("pyarrow.parquet")
  scan(recogniser, folder, tmp_path / "answers.csv")
  table = tmp_path / "answers.parquet"
  maker = makers.parquet(table, recogniser.task.labels)
  with pytest.raises(KeyboardInterrupt):
    scan(recogniser, folder, tmp_path / "rows.jsonl", then=[maker], progress=StopAfter(2))
  assert not table.exists()
  scan(recogniser, folder, tmp_path / "rows.jsonl", then=[maker])
  expected = {row["path"].encode(errors="surrogateescape"): row for row in _rows(tmp_path / "answers.csv")}
  rows = parquet.read_table(table).to_pylist()
  assert len(rows) == 7
  for row in rows:
    own = expected[row["path"].encode().replace(rb"\xe9", b"\xe9")]
    assert (row["error"] or "") == own["error"]
    if not row["error"]:
      assert row["clean"] == (own["clean"] == "1")
      assert ";".join(row["kinds"]) == own["kinds"]
      for column in ("blur", "p_blur", "noise", "p_noise"):
        assert row[column] == (pytest.approx(float(own[column])) if own[column] else None)


@pytest.mark.long
def test_batches_of_names_for_the_engines_of_others(recogniser, folder, tmp_path):
  model = recogniser.save(tmp_path / "model.safetensors")
  scan(recogniser, folder, tmp_path / "answers.jsonl")
  rows = _rows(tmp_path / "answers.jsonl")
  judge = JudgePictures(str(folder), str(model))
  names = [os.fsencode(row["path"]) for row in rows]
  judged = judge({"path": names})
  assert list(judged["path"]) == names
  for row, error, answer in zip(rows, judged["error"], judged["answer"], strict=True):
    assert error == row.get("error", "")
    assert json.loads(answer) == {
      k: v for k, v in row.items() if k not in ("path", "bytes", "modified", "model", "error")
    }
  assert judge({"path": []})["answer"] == []
