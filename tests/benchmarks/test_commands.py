"""The commands of `benchmarks.cli`: that they run and what they write, never how fast."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import benchmarks.distortions
import benchmarks.training
from benchmarks.cli import dispatch
from benchmarks.distortions import list_work
from jaxdistort.errors import InputError
from jaxdistort.protocols import PROTOCOLS
from tests.training.tiny import get_config, save_untrained

_ROOT = Path(__file__).parents[2]
_TINY = str(_ROOT / "tests/training/tiny.py")
_FIELDS = {"op", "library", "pictures_per_second", "device", "processor", "processors", "versions"}
_FOUND = importlib.util.find_spec


@pytest.fixture(autouse=True)
def alone(monkeypatch):
  """No other library is found, whatever is installed; and two ops and a protocol are all there are."""
  hidden = {"torch", "kornia", "cv2", "albumentations"}
  monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name in hidden else _FOUND(name, *a))
  monkeypatch.delenv("JHLABS_JAR", raising=False)
  monkeypatch.setattr(benchmarks.distortions, "list_work", lambda batch, _: list_work(batch, ["gaussian_blur", "jpeg"]))
  monkeypatch.setattr(benchmarks.distortions, "SEVERITY_TABLES", {})
  monkeypatch.setattr(benchmarks.distortions, "PROTOCOLS", {"variable": PROTOCOLS["variable"]})


def _rows(tmp_path, *arguments):
  """The rows that a command writes, measured as briefly as can be."""
  file = tmp_path / "new" / "rows.json"
  dispatch([*map(str, arguments), "--seconds", "0", "--rounds", "1", "--json", str(file)])
  rows = json.loads(file.read_text())
  for row in rows:
    assert set(row) >= _FIELDS
    assert row["pictures_per_second"] > 0
    assert row["versions"]["jax"]
  return rows


@pytest.mark.long
def test_distortions_alone_where_no_other_library_is_installed(tmp_path, capsys):
  profile = tmp_path / "profile"
  rows = _rows(tmp_path, "distortions", "--batch-size", 2, "--size", 32, "--profile", profile)
  assert {row["library"] for row in rows} == {"jaxdistort"}
  ops = ["gaussian_blur", "gaussian_blur, radius 1 to 11", "jpeg", "protocol variable"]
  assert [row["op"] for row in rows] == ops
  printed = capsys.readouterr().out
  for name in (
    "kornia is not installed",
    "OpenCV is not installed",
    "JH Labs is not there",
    "imagecorruptions is not there",
  ):
    assert name in printed
  assert list(profile.rglob("perfetto_trace.json.gz"))
  assert list(profile.rglob("*.xplane.pb"))
  assert f"trace in {profile}" in printed


@pytest.mark.slow
def test_distortions_beside_the_libraries_that_are_installed(tmp_path, capsys, monkeypatch):
  libraries = {
    library
    for library, module in (("kornia", "kornia"), ("OpenCV", "cv2"), ("albumentations", "albumentations"))
    if _FOUND(module)
  }
  if not libraries:
    pytest.skip("no other library is installed")
  monkeypatch.setattr(importlib.util, "find_spec", _FOUND)
  rows = _rows(tmp_path, "distortions", "--batch-size", 2, "--size", 64)
  assert {row["library"] for row in rows} == libraries | {"jaxdistort"}
  assert "of the fastest peer" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.skipif("JHLABS_JAR" not in os.environ, reason="JHLABS_JAR names no jar of JH Labs' filters")
def test_distortions_beside_jh_labs(tmp_path, monkeypatch, capsys):
  monkeypatch.setattr(benchmarks.distortions, "list_work", list_work)
  jar = os.environ["JHLABS_JAR"]
  rows = _rows(tmp_path, "distortions", "--batch-size", 2, "--size", 32, "--jhlabs", jar)
  theirs = [row["op"] for row in rows if row["library"] == "JH Labs"]
  assert len(theirs) == 8
  assert "jpeg" not in theirs
  assert "geometric mean over the six" in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java")
def test_a_jar_that_is_none_is_reported(tmp_path):
  jar = tmp_path / "filters.jar"
  jar.write_bytes(b"no jar")
  with pytest.raises(InputError, match=r"filters\.jar|JH Labs' filters ended"):
    dispatch(["distortions", "--batch-size", "1", "--size", "32", "--seconds", "0", "--jhlabs", str(jar)])


@pytest.mark.long
def test_training(tmp_path, capsys):
  (row,) = _rows(tmp_path, "training", "--config", _TINY, "--data", "tiny")
  assert row["op"] == "training step of compact"
  assert row["distortion_share"] > 0
  assert 0 <= row["data_share"] <= 1
  assert row["data"] == "tiny"
  assert row["mfu"] > 0
  assert row["mfu_of_data_sheet"] is None
  assert "PyTorch is left out: its step is there for vgg_scratch" in capsys.readouterr().out


@pytest.mark.long
def test_placements(tmp_path):
  host, device = _rows(tmp_path, "training", "--config", _TINY, "--data", "tiny", "--placements")
  assert (host["op"], device["op"]) == tuple(f"training of compact, pictures on the {p}" for p in ("host", "device"))
  assert device["device_of_host"] > 0


@pytest.mark.long
def test_set_sizes(tmp_path):
  (row,) = _rows(tmp_path, "training", "--config", _TINY, "--set-sizes", 24)  # each size compiles a program
  assert (row["op"], row["pictures"]) == ("training of compact on 24 pictures", 24)
  assert row["memory_bytes"] == row["memory_computed"]
  assert row["seconds_of_least"] == 1


def test_against_full_sets_a_frozen_backbone_beside_a_trained_one(tmp_path, monkeypatch):
  asked = []

  def measured(config, watch, *, data, pytorch):
    asked.append((config.model.fine_tune, data, pytorch))
    cost = 4.0 if config.model.fine_tune else 1.0
    row = {"op": "step", "library": "jaxdistort", "pictures_per_second": 1 / cost}
    return [row | {"step_seconds": cost, "memory_bytes": int(cost)}], []

  monkeypatch.setattr(benchmarks.training, "time_training", measured)
  config = _ROOT / "configs/vgg_transfer.py"
  whole, transfer = _rows(tmp_path, "training", "--config", config, "--against-full", "--data", "samples")
  assert asked == [(True, "samples", False), (False, "samples", False)]
  assert (transfer["step_seconds_of_full"], transfer["memory_bytes_of_full"]) == (0.25, 0.25)
  assert "step_seconds_of_full" not in whole
  with pytest.raises(InputError, match="no frozen backbone"):
    _rows(tmp_path, "training", "--config", _TINY, "--against-full")


@pytest.mark.long
def test_inference_of_a_config_and_of_a_run(tmp_path):
  rows = _rows(tmp_path, "inference", "--config", _TINY, "--batch-size", 8)
  assert [row["op"] for row in rows] == ["answers of compact", "answers of compact behind the JPEG step"]
  save_untrained(get_config(), tmp_path / "run")
  again = _rows(tmp_path, "inference", "--checkpoint", tmp_path / "run", "--batch-size", 8)
  assert [row["op"] for row in again] == [row["op"] for row in rows]


@pytest.mark.long
def test_sweep(tmp_path, folder_of_photographs):
  save_untrained(get_config(), tmp_path / "run")
  words = ("--checkpoint", tmp_path / "run", "--data", f"folder:{folder_of_photographs}", "--levels", "1,5")
  (row,) = _rows(tmp_path, "sweep", *words, "--batch-size", 8)
  assert (row["op"], row["levels"], row["pictures"]) == ("sweep of gaussian_blur", 2, 40)
  assert row["sweep_of_parts"] > 0


@pytest.mark.long
def test_input(tmp_path, folder_of_photographs):
  arguments = ("--data", f"folder:{folder_of_photographs}", "--batch-size", 8, "--size", 32)
  rows = _rows(tmp_path, "input", *arguments, "--workers", 0, "--workers", 1)
  assert [row["op"] for row in rows] == [
    "decode and standardise, threads",
    "decode and standardise, 1 worker",
    "transfer to the device",
  ]
  assert rows[-1]["gigabytes_per_second"] > 0


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["sweep", "--checkpoint", "x", "--data", "samples", "--profile", "y"], "no calls of their own"),
    (["training", "--config", "configs/none.py"], "no such file"),
    (["training", "--seconds", "-1"], "at least 0"),
    (["distortions", "--batch-size", "0"], "at least 1"),
    (["distortion"], "invalid choice: 'distortion' (choose from"),
    (["distortions", "--size", "none"], "argument --size: expected a whole number of at least 1"),
    (["distortions", "--jhlabs", "/x.jar"], "/x.jar: no such file"),
    (["distortions", "--imagecorruptions", "/x"], "--imagecorruptions /x: cannot be run (No such file or directory)"),
    (["training", "--config", "README.md"], "README.md: cannot be used as a config"),
    (["input"], "the following arguments are required: --data; see --help"),
    (["inference", "--checkpoint", "/x"], "checkpoint /x: does not exist"),
    ([], "required"),
  ],
)
def test_words_that_are_wrong(words, message, monkeypatch):
  monkeypatch.chdir(_ROOT)
  with pytest.raises(InputError, match=re.escape(message)):
    dispatch(words)


def test_the_script_finds_its_modules_from_anywhere(tmp_path):
  command = [sys.executable, _ROOT / "scripts/benchmark.py", "--help"]
  result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
  assert result.returncode == 0, result.stderr
  for name in ("distortions", "training", "inference", "input", "sweep", "accelerator"):
    assert name in result.stdout


@pytest.mark.long
def test_workers_of_the_script_do_not_run_it_again(tmp_path, folder_of_photographs):
  words = ["input", "--data", f"folder:{folder_of_photographs}", "--batch-size", "4", "--size", "32", "--workers", "1"]
  command = [sys.executable, _ROOT / "scripts/benchmark.py", *words, "--seconds", "0", "--rounds", "1"]
  result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
  assert result.returncode == 0, result.stderr
  assert "decode and standardise, 1 worker" in result.stdout
