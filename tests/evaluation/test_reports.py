"""Figures of a report against scikit-learn and against counting by hand."""

import json

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics

from jaxdistort.evaluation import Predictions, format_report, make_report, write_report

_NAMES = ("reference", "gaussian_blur", "marble")


def _predictions(labels, predicted, confidence=0.8):
  labels, predicted = np.array(labels, np.int32), np.array(predicted)
  probabilities = np.full((len(labels), len(_NAMES)), (1 - confidence) / (len(_NAMES) - 1), np.float32)
  probabilities[np.arange(len(labels)), predicted] = confidence
  return Predictions(np.arange(len(labels)) // 2, labels, np.log(probabilities), {})


def test_figures_by_hand():
  report = make_report(_predictions([0, 0, 1, 1, 1, 2], [0, 1, 1, 1, 0, 2]), _NAMES)
  assert report["accuracy"] == pytest.approx(4 / 6)
  assert report["loss"] == pytest.approx(-(4 * np.log(0.8) + 2 * np.log(0.1)) / 6, abs=1e-6)
  assert report["confusion_matrix"] == [[1, 1, 0], [1, 2, 0], [0, 0, 1]]  # rows: the true class
  assert report["pictures"] == 6
  assert report["originals"] == 3
  blur = report["per_class"]["gaussian_blur"]
  assert (blur["precision"], blur["recall"], blur["support"]) == (pytest.approx(2 / 3), pytest.approx(2 / 3), 3)


def test_figures_agree_with_scikit_learn():
  rng = np.random.default_rng(0)
  labels, predicted = rng.integers(0, 3, 500), rng.integers(0, 3, 500)
  report = make_report(_predictions(labels, predicted), _NAMES)
  theirs = metrics.classification_report(labels, predicted, target_names=_NAMES, output_dict=True)
  for name in _NAMES:
    row = {"f1" if key == "f1-score" else key: value for key, value in theirs[name].items()}
    assert report["per_class"][name] == pytest.approx(row)
  assert report["accuracy"] == pytest.approx(theirs["accuracy"])
  assert report["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(labels, predicted))
  low, high = report["intervals"]["accuracy"]
  assert low < report["accuracy"] < high


def test_figures_by_level():
  """Blur of radius 1 is missed, of radius 3 found; a constant has no levels."""
  predictions = _predictions([0, 1, 1, 1, 2], [0, 0, 1, 1, 2])
  nothing = np.nan
  radius = np.array([nothing, 1, 3, 3, nothing], np.float32)
  scale = np.array([nothing, nothing, nothing, nothing, 20], np.float32)
  parameters = {"gaussian_blur.radius": radius, "marble.x_scale": scale}
  report = make_report(predictions._replace(parameters=parameters), _NAMES)
  assert list(report["accuracy_by_level"]) == ["gaussian_blur.radius"]
  found = report["accuracy_by_level"]["gaussian_blur.radius"]
  assert found["unit"] == "px"
  assert [(b["low"], b["pictures"], b["accuracy"]) for b in found["bins"]] == [(1, 1, 0), (3, 2, 1)]
  percent = {"reference": pytest.approx(300 / 7), "gaussian_blur": pytest.approx(900 / 7)}
  assert report["mean_level"]["gaussian_blur.radius"]["percent"] == percent


def test_a_class_without_pictures_counts_zero():
  report = make_report(_predictions([0, 0], [0, 2]), _NAMES)
  assert report["per_class"]["gaussian_blur"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
  assert len(report["confusion_matrix"]) == 3


@pytest.mark.slow
def test_what_is_written_can_be_read(tmp_path):
  predictions = _predictions([0, 1, 2], [0, 1, 1])
  report = make_report(predictions, _NAMES)
  images = np.full((3, 32, 32, 3), (200, 30, 90), np.uint8)
  write_report(report, predictions, images, tmp_path / "report")
  assert json.loads((tmp_path / "report" / "report.json").read_text()) == report
  for name in ("confusion_matrix.png", "examples.png"):
    with Image.open(tmp_path / "report" / name) as picture:
      assert picture.width > 300
      drawn = np.asarray(picture.convert("RGB"))
      assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 20, f"{name} is empty"
  assert np.mean(np.all(drawn == (200, 30, 90), axis=-1)) > 0.3  # the examples themselves
  table = format_report(report)
  assert "gaussian_blur      0.500   1.000  0.667         1" in table
  assert table.endswith("accuracy 0.6667, loss 0.9163 on 3 pictures")
