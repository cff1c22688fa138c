"""Runs from beginning to end: what they leave, how they stop, how they go on."""

import json
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from PIL import Image

from jaxdistort.training.checkpoints import load_trained
from jaxdistort.data import open_pictures
from jaxdistort.errors import CheckpointFailed, InputError, TrainingDiverged
from jaxdistort.evaluation import evaluate_checkpoint
from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.training import run, train
from tests.training.tiny import get_config

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
  workdir = tmp_path_factory.mktemp("runs") / "tiny"
  return workdir, train(get_config(), workdir)


def test_a_run_leaves_its_records(finished):
  workdir, reports = finished
  rows = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
  assert [row["step"] for row in rows if "loss" in row] == [2, 4, 6, 8, 10, 12]
  assert [row["step"] for row in rows if "validation_accuracy" in row] == [4, 8, 12]
  assert all(row["pictures_per_second"] > 0 for row in rows if "loss" in row)
  assert list((workdir / "tensorboard").iterdir())
  assert json.loads((workdir / "config.json").read_text()) == get_config().with_scaling_of(None).to_dict()
  with Image.open(workdir / "first_batch.png") as grid:
    assert grid.size[0] > 300
  for split in ("validation", "test"):
    report = json.loads((workdir / "evaluation" / split / "report.json").read_text())
    assert report == reports[split]
    pictures = open_pictures(get_config().data.source, split)
    assert report["pictures"] == 9 * len(pictures)
    assert report["originals"] == len(set(pictures.originals()))
    assert (workdir / "evaluation" / split / "confusion_matrix.png").exists()


def test_a_finished_run_says_so(finished, capsys):
  workdir, reports = finished
  before = (workdir / "metrics.jsonl").read_text()
  assert train(get_config(), workdir) == reports
  assert "is finished (12 steps)" in capsys.readouterr().out
  assert (workdir / "metrics.jsonl").read_text() == before


def test_pictures_on_the_device_train_as_those_of_the_host(tmp_path):
  config, ends = get_config(), {}
  config.data.source, config.model.name, config.steps = "samples", "softmax", 3
  for config.data.placement in ("host", "device"):
    reports = train(config, tmp_path / config.data.placement)
    trained = load_trained(tmp_path / config.data.placement, replicated(create_mesh()))
    ends[config.data.placement] = [report["loss"] for report in reports.values()], jax.device_get(trained.variables)
  jax.tree.map(np.testing.assert_array_equal, *ends.values())


def test_dispatches_end_at_evaluations():
  assert list(run.dispatches(0, 7, 5, 3)) == [(3, 3), (5, 2), (7, 2)]
  assert list(run.dispatches(4, 12, 4, 100)) == [(8, 4), (12, 4)]
  assert list(run.dispatches(7, 7, 5, 3)) == []


def test_another_config_is_refused(finished):
  workdir, _ = finished
  config = get_config()
  config.batch_size, config.data.image_size = 24, 64
  with pytest.raises(
    InputError, match=r"data.image_size=32 \(now 64\), batch_size=16 \(now 24\); give another workdir"
  ):
    train(config, workdir)


def test_the_best_checkpoint_is_the_one_reported(finished):
  workdir, reports = finished
  trained = load_trained(workdir, replicated(create_mesh()))
  assert trained.step == reports["test"]["step"]
  report = evaluate_checkpoint(workdir, "samples+synthetic", output=workdir / "again", workers=0)
  assert report["split"] == "test"
  assert report["confusion_matrix"] == reports["test"]["confusion_matrix"]
  assert report["loss"] == pytest.approx(reports["test"]["loss"], rel=1e-4)


def _state(workdir):
  trained = load_trained(workdir / "checkpoints" / "12", replicated(create_mesh()))
  return [np.asarray(leaf) for part in trained.variables for leaf in _leaves(part)]


def _leaves(tree):
  return [leaf for value in tree.values() for leaf in _leaves(value)] if isinstance(tree, dict) else [tree]


def test_a_stopped_run_goes_on_to_the_same_end(finished, tmp_path, capsys, monkeypatch):
  workdir, reports = finished
  steps = 0

  class Interrupting(run.Monitor):
    def add(self, *step):
      nonlocal steps
      super().add(*step)
      steps += 1
      if steps in (6, 9):
        signal.raise_signal(signal.SIGINT)

  monkeypatch.setattr(run, "Monitor", Interrupting)
  resumed = tmp_path / "tiny"
  for expected in (6, 9):
    assert train(get_config(), resumed) is None
    assert f"stopped and saved at step {expected}" in capsys.readouterr().out
  again = train(get_config(), resumed)
  for split, report in again.items():
    assert report | {"checkpoint": reports[split]["checkpoint"]} == reports[split]
  assert "resuming at step 9" in capsys.readouterr().out
  for ours, theirs in zip(_state(resumed), _state(workdir), strict=True):
    np.testing.assert_array_equal(ours, theirs)
  steps_of = lambda folder: [json.loads(row)["step"] for row in (folder / "metrics.jsonl").read_text().splitlines()]
  assert steps_of(resumed) == steps_of(workdir)


def test_a_longer_run_is_judged_anew(tmp_path, monkeypatch):
  """Even if it dies between its last checkpoint and its reports."""
  config = get_config()
  config.model.name, config.steps, config.evaluate_every = "softmax", 2, 100
  train(config, tmp_path)
  config.steps = 4
  with monkeypatch.context() as patch:
    patch.setattr(run.Run, "evaluate_best", lambda self, checkpoints: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
      train(config, tmp_path)
  best = load_trained(tmp_path, replicated(create_mesh())).step
  assert [report["step"] for report in train(config, tmp_path).values()] == [best, best]


def test_a_run_with_a_cosine_keeps_its_length(tmp_path):
  config = get_config()
  config.model.name, config.steps, config.optimizer.schedule = "softmax", 1, "cosine"
  with jax.numpy_dtype_promotion("standard"):  # optax's cosine adds integers to floats
    train(config, tmp_path)
  config.steps = 2
  with pytest.raises(InputError, match=r"steps=1 \(now 2\)"):
    train(config, tmp_path)


def test_a_run_stopped_before_its_first_validation_can_be_used(tmp_path, monkeypatch):
  config = get_config()
  config.model.name = "softmax"

  class Interrupting(run.Monitor):
    def add(self, first, count, metrics):
      super().add(first, count, metrics)
      if first == 2:
        signal.raise_signal(signal.SIGINT)

  with monkeypatch.context() as patch:
    patch.setattr(run, "Monitor", Interrupting)
    assert train(config, tmp_path / "run") is None
  folder = tmp_path / "run" / "checkpoints"
  assert evaluate_checkpoint(folder, "samples", output=tmp_path / "report", workers=0)["step"] == 2
  config.steps = 2
  assert [report["step"] for report in train(config, tmp_path / "run").values()] == [2, 2]


def test_pictures_of_the_training_are_known_by_any_name(finished, tmp_path, folder_of_photographs):
  config = get_config()
  config.data.source, config.model.name, config.steps = f"folder:{folder_of_photographs}", "softmax", 1
  train(config, tmp_path / "run")
  for source, split in (
    (f"folder:{folder_of_photographs}/", "test"),
    (f"folder:{folder_of_photographs}/../photos+samples", "test"),
    (f"folder:{folder_of_photographs}/more", "all"),
  ):
    report = evaluate_checkpoint(tmp_path / "run", source, output=tmp_path / "report", workers=0)
    assert report["split"] == split


def test_splits_without_a_readable_picture_are_told_at_once(folder_of_photographs, tmp_path):
  pictures = open_pictures(f"folder:{folder_of_photographs}", "validation")
  for number in range(len(pictures)):
    Path(pictures.name(number)).write_bytes(b"")
  config = get_config()
  config.data.source = f"folder:{folder_of_photographs}"
  with pytest.raises(InputError, match="no readable picture from"):
    train(config, tmp_path / "run")


def test_divergence_stops_with_the_step_and_the_last_checkpoint(tmp_path, monkeypatch):
  config = get_config()
  config.model.name, config.evaluate_every = "softmax", 2
  config.optimizer.learning_rate = 1e30
  with pytest.raises(TrainingDiverged, match=r"step 1: .* is (inf|nan).*; there is no checkpoint yet; a lower"):
    train(config, tmp_path / "at once")

  def grows(config, steps):
    return optax.scale_by_schedule(lambda step: jnp.where(step < 4, 1e-3, jnp.inf))

  monkeypatch.setattr(run, "create_optimizer", grows)
  config.optimizer.clip_norm = 1.0  # advice of the message: a run that saved nothing may take it
  with pytest.raises(TrainingDiverged):
    train(config, tmp_path / "at once")
  config.optimizer.clip_norm = 0.0
  with pytest.raises(
    TrainingDiverged, match=r"step 5: .*; the last good checkpoint is .*/later/checkpoints/4; a lower"
  ):
    train(config, tmp_path / "later")
  assert "NaN" not in (tmp_path / "later" / "metrics.jsonl").read_text()
  assert [p.name for p in (tmp_path / "later" / "checkpoints").iterdir() if p.name > "4"] == []


def test_a_full_disk_stops_with_the_last_checkpoint(tmp_path, monkeypatch):
  config = get_config()
  config.model.name = "softmax"
  free = iter([10**9, 1000])
  usage = lambda path: SimpleNamespace(free=next(free))
  monkeypatch.setattr(shutil, "disk_usage", usage)
  with pytest.raises(
    CheckpointFailed, match=r"No space left on the device: .* MB are needed, 0.0 MB .*/run/checkpoints/4$"
  ):
    train(config, tmp_path / "run")
  monkeypatch.undo()
  assert train(config, tmp_path / "run")  # goes on once there is space


def test_a_folder_with_broken_pictures_trains_and_reports_them(folder_of_photographs, tmp_path, capsys):
  config = get_config()
  config.data.source, config.model.name, config.steps = f"folder:{folder_of_photographs}", "softmax", 4
  reports = train(config, tmp_path / "run")
  out = capsys.readouterr().out
  assert "2 pictures could not be read and were skipped" in out
  rows = [json.loads(row) for row in (tmp_path / "run" / "broken_pictures.jsonl").read_text().splitlines()]
  assert sorted(row["picture"].rsplit("/", 1)[1] for row in rows) == ["empty.jpg", "truncated.png"]
  assert all(row["reason"] for row in rows)
  assert reports["test"]["pictures"] == 9 * reports["test"]["originals"]


def test_a_batch_that_devices_cannot_share_is_told(tmp_path):
  config = get_config()
  config.batch_size = 12
  with pytest.raises(InputError, match="batch_size 12 cannot be split over 8 devices"):
    train(config, tmp_path)
