"""The accelerator's command at toy size, and what it leaves when parts of it fail or its time is over."""

import csv
import gc
import importlib.util
import json
import subprocess
import time
from pathlib import Path

import pytest

from benchmarks import accelerator
from benchmarks.journal import Journal
from benchmarks.timed_run import Deadline, train_until, with_steps_for, write_curves
from jaxdistort.errors import InputError
from tests.training.tiny import get_config

_FOUND = importlib.util.find_spec


@pytest.fixture(autouse=True)
def without_pytorch(monkeypatch):
  monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "torch" else _FOUND(name, *a))


def _rows(folder):
  return json.loads((folder / "rows.json").read_text())


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:Some donated buffers")
def test_figures_and_a_run_at_toy_size(tmp_path):
  words = ["--toy", "--data", "tiny", "--minutes", "1000", "--only", "input", "--only", "variable"]
  accelerator.run([*words, "--output", str(tmp_path)])
  rows = _rows(tmp_path)
  assert [row["phase"] for row in rows] == ["input", "input", "variable"]
  *measured, run = rows
  for row in rows:
    assert row["device"]
  for row in measured:
    assert row["pictures_per_second"] > 0
  assert (run["steps"], run["protocol"], run["stopped"]) == (4, "variable", False)
  assert 0 <= run["test_accuracy"] <= 1
  assert set(json.loads((tmp_path / "variable.json").read_text())) == {"validation", "test"}
  assert (tmp_path / "variable.png").read_bytes().startswith(b"\x89PNG")
  assert {"step", "loss", "validation_accuracy"} <= set(_table(tmp_path / "variable.csv")[0])
  assert len(list(tmp_path.iterdir())) == 4


def _table(path):
  with path.open() as file:
    return list(csv.DictReader(file))


@pytest.fixture
def fakes(monkeypatch):
  """Phases that take no time, and what was called of them."""
  called = []

  def phase(name):
    def measure():
      called.append(name)
      if name == "placements":
        raise RuntimeError("RESOURCE_EXHAUSTED:\nout of memory")
      return [{"op": name, "library": "jaxdistort", "pictures_per_second": 1000.0, "step_seconds": 1.0}]

    return measure

  def train(config, end, runs, output):
    called.append(config.protocol.name)
    return [{"op": config.protocol.name}]

  monkeypatch.setattr(
    accelerator, "measured_phases", lambda *a, **k: {name: phase(name) for name in accelerator.MEASURED}
  )
  monkeypatch.setattr(accelerator, "_train", train)
  monkeypatch.setattr(gc, "collect", lambda: 0)  # nothing to free, and much of all tests to look through
  return called


def test_a_phase_that_fails_is_reported_and_the_next_one_goes_on(tmp_path, fakes, capsys):
  accelerator.run(["--toy", "--output", str(tmp_path)])
  assert fakes == [*accelerator.MEASURED, *accelerator.RUNS]
  failed = [row for row in _rows(tmp_path) if "failed" in row]
  assert [(row["phase"], row["failed"]) for row in failed] == [
    ("placements", "RuntimeError: RESOURCE_EXHAUSTED: out of memory")
  ]
  assert "placements: failed: RuntimeError" in capsys.readouterr().out


def test_what_there_is_no_time_for_is_left_out_but_not_the_training(tmp_path, fakes, monkeypatch):
  monkeypatch.setattr(accelerator, "_SHARE_MEASURED", 0.0)
  accelerator.run(["--toy", "--output", str(tmp_path)])
  assert fakes == [*accelerator.RUNS]
  assert [row["phase"] for row in _rows(tmp_path) if "left_out" in row] == [*accelerator.MEASURED]


@pytest.mark.long
def test_only_some_of_it(tmp_path, fakes):
  accelerator.run(["--toy", "--only", "variable", "--only", "inference", "--output", str(tmp_path)])
  assert fakes == ["inference", "variable"]


@pytest.mark.parametrize(("status", "measured_here"), [(0, False), (1, True)])
def test_the_step_beside_pytorch_is_measured_in_a_process_of_its_own(
  tmp_path, fakes, monkeypatch, status, measured_here
):
  def child(command, *, env, check):
    assert {"--beside-pytorch", "--toy"} <= set(command)
    assert env["XLA_PYTHON_CLIENT_MEM_FRACTION"]
    folder = Path(command[command.index("--output") + 1])
    theirs = {"op": "step", "library": "PyTorch", "phase": "training", "pictures_per_second": 900.0}
    ours = theirs | {"library": "jaxdistort", "step_seconds": 1.0}
    (folder / "rows.json").write_text(json.dumps([] if status else [ours, theirs]))
    return subprocess.CompletedProcess(command, status)

  monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: object())
  monkeypatch.setattr(subprocess, "run", child)
  accelerator.run(["--toy", "--only", "training", "--output", str(tmp_path)])
  assert fakes == ["training"] * measured_here
  rows = _rows(tmp_path)
  if status:
    assert rows[0]["failed"] == "its process ended with status 1"
  else:
    assert [row["library"] for row in rows] == ["jaxdistort", "PyTorch"]


def test_rows_are_on_disk_as_they_come(tmp_path):
  journal = Journal(tmp_path / "new", {"device": "a device"})
  seen = []

  def measure():
    journal.draft("distortions", [{"op": "blur"}])
    seen.append(_rows(tmp_path / "new"))
    raise ValueError("no more")

  journal.attempt("distortions", measure)
  unfinished, blur = seen[0]
  assert blur == {"device": "a device", "phase": "distortions", "op": "blur"}
  assert "was ended before" in unfinished["failed"]
  assert [row["op"] for row in _rows(tmp_path / "new")] == ["blur", "distortions"]
  journal.attempt("input", lambda: [{"op": "input"}])
  assert [row["op"] for row in _rows(tmp_path / "new")] == ["blur", "distortions", "input"]


def test_only_training_is_asked_to_stop_and_not_what_comes_within_and_behind_it():
  news = []
  progress = Deadline(time.monotonic() - 1, lambda: news.append(0))
  assert not progress.stop_asked()
  with progress.bar(10, unit="step", title="training"):
    assert progress.stop_asked()
    with progress.bar(10, unit="picture", title="evaluating"):
      assert not progress.stop_asked()
    assert progress.stop_asked()
  assert not progress.stop_asked()
  progress.tell("a word")
  assert news == [0]


@pytest.mark.long
@pytest.mark.usefixtures("undrawn")
def test_a_run_whose_time_is_over_is_judged_all_the_same(tmp_path):
  config = get_config()
  config.steps = 10_000
  (row,) = train_until(config, time.monotonic(), tmp_path / "run", tmp_path)
  assert row["stopped"]
  assert row["steps"] < row["steps_planned"]
  assert 0 <= row["test_accuracy"] <= 1
  assert set(json.loads((tmp_path / "variable.json").read_text())) == {"validation", "test"}


def test_as_many_steps_as_fit_the_time():
  config = with_steps_for(get_config(), 100.0, 1600.0, 8)
  assert (config.steps, config.evaluate_every, config.optimizer.schedule) == (10_000, 1250, "cosine")
  assert with_steps_for(get_config(), 0.0, 1600.0, 8).steps == 8


def test_curves_as_far_as_a_run_has_come(tmp_path):
  metrics = tmp_path / "metrics.jsonl"
  write_curves(metrics, tmp_path / "six")
  assert not list(tmp_path.iterdir())
  rows = [{"step": 1, "loss": 2.0, "accuracy": 0.1}, {"step": 2, "validation_loss": 1.5, "validation_accuracy": 0.4}]
  metrics.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"step": 3, "lo')
  write_curves(metrics, tmp_path / "six")
  assert [row["step"] for row in _table(tmp_path / "six.csv")] == ["1", "2"]
  assert (tmp_path / "six.png").exists()


@pytest.mark.parametrize("words", [[], ["--output", "x", "--minutes", "0"], ["--output", "x", "--only", "everything"]])
def test_words_that_are_wrong(words):
  with pytest.raises(InputError):
    accelerator.run(words)
