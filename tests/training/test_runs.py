"""Runs from beginning to end: what they leave, how they stop, how they go on."""

import json
import shutil
import sys
from types import SimpleNamespace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from PIL import Image

import jaxdistort
from jaxdistort.data import open_pictures
from jaxdistort.data.preparing import prepare
from jaxdistort.errors import CheckpointFailed, InputError, TrainingDiverged
from jaxdistort.evaluation import evaluate_on_protocol
from jaxdistort.progress import Progress
from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.training import parts, train
from jaxdistort.training.evaluators import Validation
from jaxdistort.training.train import dispatches
from tests.training.tiny import get_config

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn")]  # but `finished` is drawn


class _Listener(Progress):
  """Remembers what it is told, and asks to stop after some steps."""

  def __init__(self, *stops):
    self.said, self.steps, self.stops = [], 0, stops

  def tell(self, text):
    self.said.append(text)

  @property
  def text(self):
    return "\n".join(self.said)

  def stop_asked(self):  # once a step
    self.steps += 1
    return self.steps in self.stops


def _load(run):
  return jaxdistort.load(run, sharding=replicated(create_mesh()))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
  workdir = tmp_path_factory.mktemp("runs") / "tiny"
  return workdir, train(get_config(), workdir)


@pytest.mark.long
def test_a_run_leaves_its_records(finished):
  workdir, reports = finished
  rows = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
  assert [row["step"] for row in rows if "loss" in row] == [2, 4, 6, 8, 10, 12]
  assert [row["step"] for row in rows if "validation_accuracy" in row] == [4, 8, 12]
  assert all(row["pictures_per_second"] > 0 for row in rows if "loss" in row and row["step"] > 2)
  assert all("validation_loss" in row for row in rows if "validation_accuracy" in row)
  assert list((workdir / "tensorboard").iterdir())
  assert json.loads((workdir / "config.json").read_text()) == get_config().resolved(None).to_dict()
  with Image.open(workdir / "first_batch.png") as grid:
    assert grid.size[0] > 300
  for split in ("validation", "test"):
    report = json.loads((workdir / "evaluation" / split / "report.json").read_text())
    assert report == json.loads(json.dumps(reports[split]))
    pictures = open_pictures(get_config().data.source, split)
    figures = report["views"]["standard"]
    assert figures["pictures"] == 9 * len(pictures)
    assert figures["originals"] == len(set(pictures.originals()))
    assert (workdir / "evaluation" / split / "confusion_matrix.png").exists()


@pytest.mark.long
def test_a_finished_run_says_so(finished):
  workdir, reports = finished
  before, listener = (workdir / "metrics.jsonl").read_text(), _Listener()
  assert train(get_config(), workdir, progress=listener) == json.loads(json.dumps(reports))
  assert "is finished (12 steps)" in listener.text
  assert (workdir / "metrics.jsonl").read_text() == before


@pytest.mark.long
@pytest.mark.optimised
def test_pictures_on_the_device_train_as_those_of_the_host(tmp_path):
  config, ends = get_config(), {}
  config.model.name, config.steps = "softmax", 3
  for config.data.placement in ("host", "device"):
    reports = train(config, tmp_path / config.data.placement)
    losses = [report["views"]["standard"]["loss"] for report in reports.values()]
    ends[config.data.placement] = losses, jax.device_get(_load(tmp_path / config.data.placement).variables)
  jax.tree.map(np.testing.assert_array_equal, *ends.values())


def test_dispatches_end_at_evaluations():
  assert list(dispatches(0, 7, 5, 3)) == [(3, 3), (5, 2), (7, 2)]
  assert list(dispatches(4, 12, 4, 100)) == [(8, 4), (12, 4)]
  assert list(dispatches(7, 7, 5, 3)) == []


@pytest.mark.long
def test_another_config_is_refused(finished):
  workdir, _ = finished
  config = get_config()
  config.batch_size, config.data.image_size = 24, 64
  with pytest.raises(
    InputError, match=r"data.image_size=32 \(now 64\), batch_size=16 \(now 24\); give another workdir"
  ):
    train(config, workdir)


@pytest.mark.long
def test_the_best_checkpoint_is_the_one_reported(finished):
  workdir, reports = finished
  trained = _load(workdir)
  assert trained.step == reports["test"]["step"]
  report = evaluate_on_protocol(trained, "tiny", workers=0).report
  assert report.origin.split == "test"
  expected = reports["test"]["views"]["standard"]
  assert report.figures.confusion_matrix == expected["confusion_matrix"]
  assert report.figures.loss == pytest.approx(expected["loss"], rel=1e-4)


def _state(workdir):
  return jax.tree.map(np.asarray, _load(workdir / "checkpoints" / "12").variables)


@pytest.mark.long
def test_a_stopped_run_goes_on_to_the_same_end(finished, tmp_path):
  workdir, reports = finished
  resumed = tmp_path / "tiny"
  for expected, steps in ((6, 6), (9, 3)):
    listener = _Listener(steps)
    assert train(get_config(), resumed, progress=listener) is None
    assert f"stopped and saved at step {expected}" in listener.text
  listener = _Listener()
  again = train(get_config(), resumed, progress=listener)
  for split, report in again.items():
    assert report | {"checkpoint": reports[split]["checkpoint"]} == reports[split]
  assert "resuming at step 9" in listener.text
  jax.tree.map(np.testing.assert_array_equal, _state(resumed), _state(workdir))
  steps_of = lambda folder: [json.loads(row)["step"] for row in (folder / "metrics.jsonl").read_text().splitlines()]
  assert steps_of(resumed) == steps_of(workdir)


def _module():
  return sys.modules["jaxdistort.training.train"]


@pytest.mark.long
def test_a_longer_run_is_judged_anew(tmp_path, monkeypatch):
  """Even if it dies between its last checkpoint and its reports."""
  config = get_config()
  config.model.name, config.steps, config.evaluate_every = "softmax", 2, 100
  train(config, tmp_path)
  config.steps = 4
  with monkeypatch.context() as patch:
    patch.setattr(_module(), "_evaluate_best", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
      train(config, tmp_path)
  best = _load(tmp_path).step
  assert [report["step"] for report in train(config, tmp_path).values()] == [best, best]


@pytest.mark.long
def test_a_run_with_a_cosine_keeps_its_length(tmp_path):
  config = get_config()
  config.model.name, config.steps, config.optimizer.schedule = "softmax", 1, "cosine"
  config.data.source = "0.2*samples+0.8*tiny"
  with jax.numpy_dtype_promotion("standard"):  # optax's cosine adds integers to floats
    train(config, tmp_path)
  config.steps = 2
  with pytest.raises(InputError, match=r"steps=1 \(now 2\)"):
    train(config, tmp_path)


@pytest.mark.long
def test_a_run_stopped_before_its_first_validation_can_be_used(tmp_path):
  config = get_config()
  config.model.name = "softmax"
  assert train(config, tmp_path / "run", progress=_Listener(2)) is None
  recogniser = _load(tmp_path / "run" / "checkpoints")
  assert evaluate_on_protocol(recogniser, "tiny", workers=0).report.origin.step == 2
  config.steps = 2
  assert [report["step"] for report in train(config, tmp_path / "run").values()] == [2, 2]


@pytest.mark.long
def test_divergence_stops_with_the_step_and_the_last_checkpoint(tmp_path, monkeypatch):
  config = get_config()
  config.model.name, config.evaluate_every = "softmax", 2
  config.optimizer.learning_rate = 1e30
  with pytest.raises(TrainingDiverged, match=r"step 1: .* is (inf|nan).*; there is no checkpoint yet; a lower"):
    train(config, tmp_path / "at once")

  def grows(config, steps):
    return optax.scale_by_schedule(lambda step: jnp.where(step < 4, 1e-3, jnp.inf))

  monkeypatch.setattr(parts, "create_optimizer", grows)
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


@pytest.mark.long
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


@pytest.mark.long
def test_a_folder_with_broken_pictures_trains_and_reports_them(folder_of_photographs, tmp_path):
  config = get_config()
  config.data.source, config.model.name, config.steps = f"folder:{folder_of_photographs}", "softmax", 4
  listener = _Listener()
  reports = train(config, tmp_path / "run", progress=listener)
  assert "2 pictures could not be read and were skipped" in listener.text
  rows = [json.loads(row) for row in (tmp_path / "run" / "broken_pictures.jsonl").read_text().splitlines()]
  assert sorted(row["picture"].rsplit("/", 1)[1] for row in rows) == ["empty.jpg", "truncated.png"]
  assert all(row["reason"] for row in rows)
  figures = reports["test"]["views"]["standard"]
  assert figures["pictures"] == 9 * figures["originals"]


def test_a_batch_that_devices_cannot_share_is_told(tmp_path):
  config = get_config()
  config.batch_size = 12
  with pytest.raises(InputError, match="batch_size 12 cannot be split over 8 devices"):
    train(config, tmp_path)


@pytest.mark.long
def test_a_run_from_prepared_pictures_is_the_folders_and_may_go_on_with_either(folder_of_photographs, tmp_path):
  prepare(f"folder:{folder_of_photographs}", tmp_path / "prepared", image_size=32, workers=0)
  config = get_config()
  config.model.name, config.steps = "softmax", 3
  sources = {"folder": f"folder:{folder_of_photographs}", "prepared": f"prepared:{tmp_path}/prepared"}
  for name, config.data.source in sources.items():
    train(config, tmp_path / name)
  ours, theirs = (_load(tmp_path / name).variables for name in sources)
  jax.tree.map(np.testing.assert_array_equal, ours, theirs)
  config.steps = 4
  listener = _Listener()
  train(config, tmp_path / "folder", progress=listener)  # from prepared pictures now
  assert "resuming at step 3" in listener.text


@pytest.mark.long
def test_more_evaluators_are_called_and_recorded(tmp_path):
  class Norm(NamedTuple):
    name: str = "weights"

    def __call__(self, variables, progress):
      return {"largest": float(max(abs(leaf).max() for leaf in jax.tree.leaves(variables.parameters)))}

  config = get_config()
  config.model.name, config.steps, config.evaluate_every = "softmax", 4, 2
  train(config, tmp_path, evaluators=[Norm()])
  rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
  assert [row["step"] for row in rows if "weights_largest" in row] == [2, 4]
  assert Validation._fields[-1] == "name"
