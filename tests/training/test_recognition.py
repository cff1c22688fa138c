"""A task of several distortions a picture, from training to a report: no part of the road knows which task it is."""

import csv
import json

import jax
import numpy as np
import pytest

import jaxdistort
from jaxdistort.config import ModelConfig, ProtocolConfig, TaskConfig
from jaxdistort.evaluation import evaluate_on_protocol, parse_sweep, sweep_networks
from jaxdistort.inference.explaining import make_explainer
from jaxdistort.protocols import PROTOCOLS, Kind, Protocol, Stage, Uniform, UniformInteger
from jaxdistort.reporting import write_evaluation
from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.training import train
from tests.stopping import StopAfter
from tests.training.tiny import get_config

pytestmark = pytest.mark.long


@pytest.fixture(scope="module", autouse=True)
def two():
  """A protocol of two stages: a blur or none, then noise, JPEG or nothing."""
  blur = Stage((Kind("gaussian_blur", {"radius": Uniform(2, 11)}),), untouched=1, shuffled=True)
  noise = Kind("gaussian_noise", {"amount": Uniform(10, 60)})
  jpeg = Kind("jpeg", {"quality": UniformInteger(5, 40)})
  last = Stage((noise, jpeg), untouched=1, shuffled=True)
  PROTOCOLS.register("two", lambda jpeg_quality=75: Protocol("two", (blur, last), jpeg_quality))
  yield
  PROTOCOLS.unregister("two")


def _config():
  config = get_config()
  config.protocol, config.task = ProtocolConfig("two", 0), TaskConfig("recognition")
  config.model = ModelConfig("compact", pool=True)
  return config


@pytest.fixture(scope="module")
def finished(two, tmp_path_factory):
  workdir = tmp_path_factory.mktemp("recognition") / "run"
  return workdir, train(_config(), workdir)


def test_it_trains_and_reports(finished):
  workdir, reports = finished
  rows = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
  figures = [row for row in rows if "validation_loss" in row]
  assert [row["step"] for row in figures] == [4, 8, 12]
  assert all(0 < row["validation_mean_average_precision"] <= 1 for row in figures)
  report = reports["test"]
  assert report["task"] == "recognition"
  (view,) = report["views"].values()
  assert list(view["per_kind"]) == ["gaussian_blur", "gaussian_noise", "jpeg"]
  assert view["names"] == ("gaussian_blur", "gaussian_noise", "jpeg")
  assert 0 < view["mean_average_precision"] <= 1
  best = max(figures, key=lambda row: row["validation_mean_average_precision"])
  assert report["step"] == best["step"]
  page = (workdir / "evaluation" / "test" / "report.html").read_text()
  assert "severity rank correlation" in page
  assert (workdir / "evaluation" / "test" / "kinds.png").stat().st_size > 1000


@pytest.mark.usefixtures("undrawn")
def test_stopped_it_goes_on_to_the_same_end(finished, tmp_path):
  workdir, _ = finished
  assert train(_config(), tmp_path / "run", progress=StopAfter(5)) is None
  train(_config(), tmp_path / "run")
  place = replicated(create_mesh())
  ours, theirs = (jaxdistort.load(run / "checkpoints" / "12", sharding=place) for run in (tmp_path / "run", workdir))
  jax.tree.map(np.testing.assert_array_equal, ours.variables, theirs.variables)
  assert ours.task.labels == theirs.task.labels


@pytest.mark.usefixtures("undrawn")
def test_it_is_evaluated_swept_explained_and_used(finished, folder_of_photographs, tmp_path):
  workdir, _ = finished
  recogniser = jaxdistort.load(workdir, sharding=replicated(create_mesh()))
  data = f"folder:{folder_of_photographs}"
  evaluation = evaluate_on_protocol(recogniser, data, workers=0)
  figures = evaluation.report.figures
  assert figures.pictures == 3 * 38  # a deck of the longer stage for every original
  predictions = evaluation.outcome.predictions
  assert predictions.level_names == (
    "gaussian_blur.radius",
    "gaussian_noise.amount",
    "gaussian_noise.density",
    "jpeg.quality",
  )
  presence = np.asarray(predictions.targets.presence)
  for column, kind in ((0, 0), (1, 1), (3, 2)):
    np.testing.assert_array_equal(np.isfinite(predictions.levels[:, column]), presence[:, kind] > 0)
  assert (presence.sum(axis=1) == 2).any()
  write_evaluation(evaluation, tmp_path / "report")
  rows = list(csv.DictReader((tmp_path / "report" / "predictions.csv").read_text().splitlines()))
  assert {row["label"] for row in rows} >= {"clean", "gaussian_blur;jpeg"}
  assert {"p_jpeg", "s_jpeg"} <= set(rows[0])
  report = sweep_networks([recogniser], data, [parse_sweep("gaussian_blur", "2,9")], workers=0)
  (network,) = report["sweeps"][0]["networks"]
  assert len(network["accuracy"]) == 2
  assert list(network["probabilities"]) == ["gaussian_blur", "gaussian_noise", "jpeg"]
  explained = make_explainer(recogniser, "jpeg")(recogniser.variables, np.zeros((8, 32, 32, 3), np.uint8))
  np.testing.assert_array_equal(explained.target, 2)
  answer = jaxdistort.load(workdir).predict(np.full((40, 50, 3), 90, np.uint8))
  assert {finding.kind for finding in answer.findings} == {"gaussian_blur", "gaussian_noise", "jpeg"}
  assert all(0 <= finding.severity <= 1 for finding in answer.findings)
