"""Comparison of runs: what is paired with what, the sign test by hand, the form of the study's tables."""

import csv
import json

import pytest

from jaxdistort.errors import InputError
from jaxdistort.evaluation.names import short_names
from jaxdistort.reporting import compare, format_comparison, read_judgements
from jaxdistort.reporting.comparing import compare_pair


def _write(folder, run, answers, **origin):
  """A report on pictures 0, 1, ... that all show blur; `answers` says which are named rightly."""
  folder.mkdir(parents=True)
  accuracy = sum(answers) / len(answers)
  figures = {"accuracy": accuracy, "loss": 0.5, "intervals": {"accuracy": None}, "pictures": len(answers)}
  report = {"checkpoint": f"/runs/{run}/checkpoints/100", "model": "compact", "image_size": 64} | _TRAINED
  report |= {"fingerprint": f"{origin['split']} of {origin['data']}"} | origin
  database = bool(report["database"])
  report |= {"views": dict.fromkeys(("pad", "patches") if database else ("standard",), figures)}
  (folder / "report.json").write_text(json.dumps(report))
  head = ["view", "picture", "reference"] if database else ["picture", "original"]
  rows = [[*head, "label", "predicted"]]
  for view in ("pad", "patches") if database else (None,):
    for i, right in enumerate(answers):
      truth, answer = "gaussian_blur", "gaussian_blur" if right else "twirl"
      rows.append([*([view] if view else []), f"{i}.png", i // 2, truth, answer])
  with (folder / "predictions.csv").open("w", newline="") as text:
    csv.writer(text).writerows(rows)
  return folder


_TRAINED = {"trained_for": "six", "trained_on": "folder:photos", "trained_jpeg": 75}
_TEST = {"protocol": "six", "jpeg_quality": 75, "split": "test", "data": "folder:photos", "database": ""}
_LIVE = {"protocol": "", "jpeg_quality": 75, "split": "", "data": "live:there", "database": "LIVE release 2"}


def test_two_runs_on_the_same_pictures(tmp_path):
  first = _write(tmp_path / "a", "one", [1] * 30 + [0] * 10, **_TEST)
  second = _write(tmp_path / "b", "two", [1] * 28 + [0] * 2 + [1] * 8 + [0] * 2, **_TEST)
  comparison = compare(read_judgements([first, second]))
  (pair,) = comparison["pairs"]
  assert pair["networks"] == ["one", "two"]
  assert (pair["pictures"], pair["only_first"], pair["only_second"]) == (40, 2, 8)
  assert pair["accuracies"] == [0.75, 0.9]
  assert pair["difference"] == pytest.approx(0.15)
  # Two pictures each: one original was named more rightly by the first, four by the second.
  assert pair["p_value"] == pytest.approx(2 * (1 + 5) / 2**5)  # two sides of a fair coin, 5 throws
  low, high = pair["interval"]
  assert low < 0.15 < high
  text = format_comparison(comparison)
  assert "| two         | compact         |                     |                 | 0.9000        |" in text
  assert "| the study's | VGG16 scratch   | 0.9890              | 0.0348          | 0.9880        | 0.4840" in text
  assert "| one   | two    | six, test of folder:photos | 40       | 0.7500, 0.9000 | +0.1500" in text


def test_what_cannot_be_seen_need_not_be_named(tmp_path):
  """A table may say that an answer is right which is not its label."""
  pairs = [_write(tmp_path / name, name, [1] * 8, **_TEST) for name in ("one", "two")]
  for folder, right in zip(pairs, (1, 0), strict=True):
    head, *rows = (folder / "predictions.csv").read_text().splitlines()
    lines = [f"{head},right", *(f"{row.replace(',gaussian_blur', ',gaussian_blur;jpeg', 1)},{right}" for row in rows)]
    (folder / "predictions.csv").write_text("\n".join(lines))
  (pair,) = compare(read_judgements(pairs))["pairs"]
  assert pair["accuracies"] == [1, 0]


def test_a_run_that_was_moved_is_still_one(tmp_path):
  run = tmp_path / "moved"
  _write(run / "evaluation" / "test", "one", [1, 0], **_TEST)
  (run / "checkpoints" / "100").mkdir(parents=True)
  _write(tmp_path / "later", "one", [1, 1, 0], **_LIVE, checkpoint=str(run / "checkpoints" / "100"))
  comparison = compare(read_judgements([run, tmp_path / "later"]))
  assert list(comparison["names"].values()) == ["moved"]


def test_only_the_same_pictures_are_paired(tmp_path):
  folders = [
    _write(tmp_path / "test", "one", [1, 0], **_TEST),
    _write(tmp_path / "other_jpeg", "two", [1, 0], **_TEST | {"jpeg_quality": 50, "trained_jpeg": 50}),
    _write(tmp_path / "live_one", "one", [1, 0, 1], **_LIVE),
    _write(tmp_path / "live_two", "two", [0, 0, 1], **_LIVE),
  ]
  comparison = compare(read_judgements(folders))
  assert sorted((*pair["networks"], pair["only_first"]) for pair in comparison["pairs"]) == [
    ("one", "two", 1),  # padded
    ("one", "two", 1),  # in patches
    ("one, pad", "one, patches", 0),
    ("two, pad", "two, patches", 0),
  ]
  (first, second) = comparison["tables"]["six"]
  assert first["LIVE release 2, patches"] == pytest.approx(2 / 3)
  assert first["test accuracy"] == 0.5
  assert second["test accuracy"] == 0.5  # its training had this quality
  others = [_TEST | {"data": "folder:other"}, _TEST | {"split": "all"}]
  apart = [_write(tmp_path / f"apart{i}", f"apart{i}", [1, 0], **origin) for i, origin in enumerate(others)]
  apart.append(_write(tmp_path / "more", "more", [1, 0, 1], **_TEST))  # of a folder that has grown
  assert compare(read_judgements([folders[0], *apart]))["pairs"] == []
  moved = _TEST | {"data": "folder:moved", "fingerprint": "test of folder:photos"}
  (pair,) = compare(read_judgements([folders[0], _write(tmp_path / "moved", "moved", [1, 1], **moved)]))["pairs"]
  assert (pair["pictures"], pair["only_second"]) == (2, 1)
  again = compare(read_judgements([folders[0], folders[0], _write(tmp_path / "x", "three", [1, 1], **_TEST)]))
  assert len(again["pairs"]) == 1  # a folder given twice counts once


def test_pictures_of_another_size_are_other_pictures(tmp_path):
  """The same files under the same protocol, but distorted at another size; a database's pictures have their own."""
  sizes = {"one": 64, "two": 96, "three": 64}
  folders = [_write(tmp_path / name, name, [1, 0], **_TEST, image_size=size) for name, size in sizes.items()]
  assert [pair["networks"] for pair in compare(read_judgements(folders))["pairs"]] == [["one", "three"]]
  folders = [
    _write(tmp_path / f"live_{name}", name, [1, 0], **_LIVE, image_size=sizes[name]) for name in ("one", "two")
  ]
  found = {(pair["networks"][0], pair["networks"][1]) for pair in compare(read_judgements(folders))["pairs"]}
  assert ("one", "two") in found


def test_tables_of_one_name_are_not_taken_for_the_same(tmp_path):
  table = {"protocol": "", "jpeg_quality": 0, "split": "", "database": "set/labels.csv"}
  years = [table | {"data": f"labelled:{year}/set/labels.csv", "fingerprint": year} for year in ("2023", "2024")]
  networks = ("one", "two", "one")
  folders = [_write(tmp_path / f"{i}", network, [1, i % 2], **years[i > 0]) for i, network in enumerate(networks)]
  comparison = compare(read_judgements(folders))
  assert {tuple(pair["networks"]) for pair in comparison["pairs"] if "pad" not in pair["networks"][0]} == {
    ("two", "one")
  }
  (row,) = (row for row in comparison["tables"]["six"] if row["network"] == "one")
  accuracies = {head: value for head, value in row.items() if "pad" in head}
  assert accuracies == {"set/labels.csv, pad, JPEG off (2023)": 0.5, "set/labels.csv, pad, JPEG off (2024)": 0.5}


def test_pairs_by_hand():
  table = {("a", ""): ("1", "twirl", True), ("b", ""): ("1", "twirl", False)}
  assert compare_pair(table, {("c", ""): ("1", "twirl", True)}) is None
  assert compare_pair(table, {("a", ""): ("1", "marble", True)}) is None  # another truth is another picture
  same = compare_pair(table, table)
  assert (same["difference"], same["p_value"], same["interval"]) == (0, 1, None)
  many = {(str(i), ""): (str(i), "twirl", True) for i in range(9)}
  assert compare_pair(many, many)["interval"] is None  # no difference in nine pictures is no proof of none


def _answers(rights, each):
  """`each` pictures of every original, named rightly or not."""
  names = [(f"{original} {i}", original, right) for original, right in enumerate(rights) for i in range(each)]
  return {(name, ""): (str(original), "twirl", right) for name, original, right in names}


def test_many_pictures_of_few_originals_prove_nothing():
  worse, better = _answers([False] * 2, 100), _answers([True] * 2, 100)
  pair = compare_pair(worse, better)
  assert (pair["difference"], pair["only_second"]) == (1, 200)
  assert pair["interval"] is None
  assert pair["p_value"] == pytest.approx(2 / 2**2)  # of two originals, not of 200 pictures
  many = compare_pair(_answers([False] * 10, 3), _answers([True] * 10, 3))
  assert (many["interval"], many["p_value"]) == (None, pytest.approx(2 / 2**10))  # all ten agree


def test_one_picture_of_each_original_is_mcnemars_test():
  pair = compare_pair(_answers([True] * 2 + [False] * 8 + [True] * 30, 1), _answers([False] * 2 + [True] * 38, 1))
  assert pair["p_value"] == pytest.approx(2 * (1 + 10 + 45) / 2**10)
  low, high = pair["interval"]
  assert low < 0.15 < high


def test_names_are_as_short_as_they_can_be(tmp_path):
  assert list(short_names([tmp_path / "a/checkpoints/1", tmp_path / "b/checkpoints/1"]).values()) == ["a", "b"]
  assert list(short_names([tmp_path / "a/checkpoints/1", tmp_path / "a/checkpoints/2"]).values()) == ["a 1", "a 2"]
  deep = short_names([tmp_path / "x/a/checkpoints/1", tmp_path / "y/a/checkpoints/1"])
  assert list(deep.values()) == ["x/a/1", "y/a/1"]


def test_a_networks_own_figures_are_not_overwritten_by_others(tmp_path):
  origins = [
    _TEST,
    _TEST | {"jpeg_quality": 50},
    _TEST | {"data": "folder:other"},
    _TEST | {"data": "folder:other", "split": "all", "jpeg_quality": 0},
    _TEST | {"protocol": "variable"},
    _LIVE,
    _LIVE | {"jpeg_quality": 0},
  ]
  folders = [
    _write(tmp_path / f"{i}", "a|b", [1] * (i + 1) + [0] * (9 - i), **origin) for i, origin in enumerate(origins)
  ]
  comparison = compare(read_judgements(folders))
  (row,) = comparison["tables"]["six"]
  assert row == {
    "network": "a|b",
    "model": "compact",
    "test accuracy": 0.1,
    "six, test of folder:photos, JPEG 50": 0.2,
    "six, test of folder:other": 0.3,
    "six, all of folder:other, JPEG off": 0.4,
    "variable, test of folder:photos": 0.5,
    "LIVE release 2, pad": 0.6,
    "LIVE release 2, patches": 0.6,
    "LIVE release 2, pad, JPEG off": 0.7,
    "LIVE release 2, patches, JPEG off": 0.7,
  }
  lines = format_comparison(comparison).split("\n\n")[1].splitlines()
  assert len({line.replace(r"\|", "").count("|") for line in lines}) == 1


def test_a_run_is_not_compared_with_itself_by_another_name(tmp_path):
  (tmp_path / "run").mkdir()
  (tmp_path / "link").symlink_to(tmp_path / "run")
  places = {name: f"{tmp_path}/{name}//checkpoints/100" for name in ("run", "link")}
  folders = [_write(tmp_path / f"of_{name}", name, [1, 0], **_TEST, checkpoint=place) for name, place in places.items()]
  comparison = compare(read_judgements(folders))
  assert comparison["pairs"] == []
  assert list(comparison["names"].values()) == ["run"]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"checkpoint": 3}', '{"views": {"pad": 1}}'])
def test_what_is_no_report_is_reported(tmp_path, content):
  (tmp_path / "report.json").write_text(content)
  with pytest.raises(InputError, match=r"report.json: is no report of an evaluation"):
    read_judgements([tmp_path])


@pytest.mark.parametrize("damage", [{"checkpoint": None}, {"views": {"pad": 1}}, {"views": []}, {"model": []}])
def test_what_was_a_report_is_reported(tmp_path, damage):
  folder = _write(tmp_path / "a", "one", [1, 0], **_TEST)
  report = json.loads((folder / "report.json").read_text())
  (folder / "report.json").write_text(json.dumps(report | damage))
  with pytest.raises(InputError, match=r"report.json: is no report of an evaluation"):
    read_judgements([folder])


def test_missing_parts_are_reported(tmp_path):
  with pytest.raises(InputError, match=r"nowhere: does not exist; give a folder that holds a report, or a run's"):
    read_judgements([tmp_path / "nowhere"])
  with pytest.raises(InputError, match=r"holds no report.json"):
    read_judgements([tmp_path])
  folder = _write(tmp_path / "a", "one", [1, 0], **_TEST)
  partner = _write(tmp_path / "b", "two", [1, 0], **_TEST)
  table = folder / "predictions.csv"
  whole = table.read_text()

  def message():
    with pytest.raises(InputError) as error:
      compare(read_judgements([folder, partner]))
    return str(error.value)

  table.write_text("picture,answer\n1,2\n")
  assert "predictions.csv: is no table of predictions" in message()
  table.write_text("".join(whole.splitlines(keepends=True)[:-1]))
  assert "predictions.csv: is of 1 pictures, its report of 2; evaluate again" in message()
  table.unlink()
  assert "predictions.csv: is missing; evaluate again" in message()
  assert compare(read_judgements([folder]))["pairs"] == []  # nothing that would have to be read
