"""Evaluation on databases: every picture once, whatever its size; figures by hand; intervals that keep their word."""

import csv
import json

import jax
import numpy as np
import pytest
from PIL import Image
from skimage import metrics

from jaxdistort.training.checkpoints import load_trained
from jaxdistort.data import VIEWS, open_database, read_picture
from jaxdistort.data.judging import viewed_pictures
from jaxdistort.errors import InputError
from jaxdistort.evaluation import evaluate_on_database
from jaxdistort.metrics.breakdowns import accuracy_in_bins, mean_level_by_answer, summary_intervals
from jaxdistort.metrics.bootstrap import bootstrap_by_original
from jaxdistort.models import run_network
from jaxdistort.runtime.mesh import create_mesh, replicated
from tests.data import miniatures
from tests.training.tiny import get_config, save_untrained


@pytest.fixture(scope="module")
def live(tmp_path_factory):
  root = miniatures.build_live(tmp_path_factory.mktemp("databases") / "live")
  (root / "wn" / "img1.bmp").write_bytes(b"BM no picture")
  return root


@pytest.fixture(scope="module")
def run(tmp_path_factory):
  folder = tmp_path_factory.mktemp("judging") / "run"
  save_untrained(get_config(), folder)
  return folder


@pytest.mark.slow
def test_a_report_on_live(run, live, tmp_path):
  report = evaluate_on_database(
    run, f"live:{live}", output=tmp_path, views=("pad", "patches"), batch_size=24, workers=0, jpeg_quality=0
  )
  assert json.loads((tmp_path / "report.json").read_text()) == report
  assert report["broken"] == 1
  assert "wn/img1.bmp" in report["problems"][0]
  rows = list(csv.DictReader((tmp_path / "predictions.csv").read_text().splitlines()))
  assert len(rows) == 2 * (2 + 19)
  for view in ("pad", "patches"):
    figures = report["views"][view]
    assert figures["pictures"] == 2 + 4 + 3  # references, blurred, noisy
    mine = [row for row in rows if row["view"] == view]
    right = [row["label"] == row["predicted"] for row in mine if row["label"]]
    assert figures["accuracy"] == pytest.approx(np.mean(right))
    assert {kind: row["pictures"] for kind, row in figures["unlabelled"].items()} == {
      "jp2k": 4,
      "jpeg": 4,
      "fastfading": 4,
    }
    for chart in ("confusion_matrix", "accuracy_by_ssim", "accuracy_by_level", "accuracy_by_score"):
      assert (tmp_path / f"{chart}_{view}.png").exists()
      assert (tmp_path / f"{chart}_{view}.svg").exists()
  assert "View patches" in (tmp_path / "report.html").read_text()

  trained = load_trained(run, replicated(create_mesh()))
  picture = read_picture(live / "gblur" / "img5.bmp")
  for view in ("pad", "patches"):
    logits, _ = run_network(trained.structure, trained.variables, jax.numpy.asarray(VIEWS[view](picture, 32)))
    mean = np.exp(np.asarray(jax.nn.log_softmax(logits)).mean(0))
    row = next(row for row in rows if row["view"] == view and row["picture"] == "gblur/img5.bmp")
    assert float(row["p_gaussian_blur"]) == pytest.approx(mean[1] / mean.sum(), abs=1e-4)
    assert (row["reference"], row["level"], row["score"]) == ("coinsinfountain", "2.51039", "22.5")


@pytest.mark.slow
def test_a_single_view_stands_beside_its_origin(run, tmp_path):
  root = miniatures.build_kadid(tmp_path / "kadid")
  report = evaluate_on_database(run, f"kadid10k:{root}", output=tmp_path / "out", views=("center",), workers=0)
  assert report["view"] == "center"
  assert report["without_unchanged"]["pictures"] == report["pictures"] - 1  # the network knows Gaussian blur only
  with pytest.raises(InputError, match=r"view: 'patch' is not one of pad, center, patches; did you mean 'patches'"):
    evaluate_on_database(run, f"kadid10k:{root}", output=tmp_path / "out", views=("patch",))


def test_ssim_and_psnr_are_those_of_native_size(live):
  database = open_database(f"live:{live}")
  with viewed_pictures(database, ("center",), size=16, workers=0) as pictures:
    found = {database.pictures[picture.number].path: picture for picture in pictures}
  assert len(found) == 22
  broken = found.pop(live / "wn" / "img1.bmp")
  assert broken.reason
  assert not broken.squares
  for entry in database.pictures:
    if entry.path in found and entry.type == "gblur":
      clean, given = (np.asarray(Image.open(path)) for path in (entry.reference, entry.path))
      expected = metrics.structural_similarity(
        clean, given, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
      )
      assert found[entry.path].ssim == pytest.approx(expected, abs=1e-9)
      assert found[entry.path].psnr == pytest.approx(metrics.peak_signal_noise_ratio(clean, given))
  assert found[live / "refimgs" / "bikes.bmp"].ssim == 1


def test_intervals_cover_the_truth_about_as_often_as_they_say():
  """Pictures of an original are alike: each has its own chance to be named, drawn from Beta(4, 2)."""
  rng, covered = np.random.default_rng(1), 0
  for trial in range(200):
    originals = np.repeat(np.arange(29), 10)
    right = rng.random(290) < rng.beta(4, 2, 29)[originals]
    rows = np.column_stack([np.ones(290), right])
    low, high = bootstrap_by_original(originals, rows, lambda sums: sums[:, 1:] / sums[:, :1], seed=trial)[0]
    covered += low <= 4 / 6 <= high
  assert 0.88 <= covered / 200 <= 0.99


def test_originals_drawn_by_kind_and_one_by_one_have_the_same_intervals():
  rng = np.random.default_rng(0)
  originals, right = np.repeat(np.arange(2000), 3), rng.random(6000) < 0.7
  by_kind = np.column_stack([np.ones(6000), right])
  one_by_one = np.column_stack([by_kind, rng.random(6000)])  # no two are alike
  accuracy = lambda sums: sums[:, 1:2] / sums[:, :1]
  ends = [bootstrap_by_original(originals, rows, accuracy) for rows in (by_kind, one_by_one)]
  np.testing.assert_allclose(*ends, atol=1e-3)
  width = np.diff(ends[0])[0, 0]
  assert width == pytest.approx(2 * 1.96 * np.sqrt(0.7 * 0.3 / 6000), rel=0.1)


def test_what_no_resample_defines_has_no_interval():
  ends = bootstrap_by_original(np.arange(4), np.ones((4, 1)), lambda sums: np.full_like(sums, np.nan))
  assert np.isnan(ends).all()


def test_intervals_of_a_report():
  rng = np.random.default_rng(0)
  labels = rng.integers(0, 3, 300)
  log_probabilities = np.log(rng.dirichlet([1, 1, 1], 300))
  right = log_probabilities.argmax(1) == labels
  ends = summary_intervals(np.arange(300) // 3, labels, log_probabilities)
  assert ends["accuracy"][0] < right.mean() < ends["accuracy"][1]
  recalls = [right[labels == k].mean() for k in range(3)]
  assert ends["balanced_accuracy"][0] < np.mean(recalls) < ends["balanced_accuracy"][1]
  loss = -log_probabilities[np.arange(300), labels].mean()
  assert ends["loss"][0] < loss < ends["loss"][1]


def test_bins_by_hand():
  values = np.array([1, 1, 2, 3, np.nan])
  right = np.array([True, False, True, True, True])
  bins = accuracy_in_bins(values, right, np.arange(5))
  assert [(b["low"], b["high"], b["pictures"], b["accuracy"]) for b in bins] == [
    (1, 1, 2, 0.5),
    (2, 2, 1, 1),
    (3, 3, 1, 1),
  ]
  many = accuracy_in_bins(np.arange(100.0), np.arange(100) >= 20, np.arange(100))
  assert [b["pictures"] for b in many] == [20] * 5
  assert [b["accuracy"] for b in many] == [0, 1, 1, 1, 1]
  edges = accuracy_in_bins(values, right, np.arange(5), np.array([0.0, 2.5, 3.0]))
  assert [(b["high"], b["pictures"]) for b in edges] == [(2.5, 3), (3, 1)]


def test_mean_levels_as_in_the_papers_table():
  found = mean_level_by_answer(np.array([1.0, 2.0, 6.0]), np.array([0, 1, 1]), ("reference", "gaussian_blur", "marble"))
  assert found == {
    "mean": 3.0,
    "percent": {"reference": pytest.approx(100 / 3), "gaussian_blur": pytest.approx(400 / 3)},
  }
