"""Figures of a report against scikit-learn and against counting by hand."""

import base64
import csv
import json
import re

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics

from jaxdistort.data import open_pictures
from jaxdistort.evaluation import Outcome, Predictions, format_report, make_report, write_outcome
from jaxdistort.evaluation.predicting import Shown

_NAMES = ("reference", "gaussian_blur", "marble")


def _predictions(labels, predicted, confidence=0.8):
  labels, predicted = np.array(labels, np.int32), np.array(predicted)
  probabilities = np.full((len(labels), len(_NAMES)), (1 - confidence) / (len(_NAMES) - 1), np.float32)
  probabilities[np.arange(len(labels)), predicted] = confidence
  originals = np.arange(len(labels)) // 2
  unknown = np.full(len(labels), np.nan)
  return Predictions(originals, originals, labels, np.log(probabilities), {}, unknown, unknown)


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


def test_accuracy_by_ssim():
  predictions = _predictions([0, 0, 1, 1, 1], [0, 1, 1, 1, 0])._replace(ssim=np.array([1, 0.95, 0.42, 0.48, 0.97]))
  found = make_report(predictions, _NAMES)["accuracy_by_ssim"]
  assert list(found) == ["all", "reference", "gaussian_blur"]
  assert [(round(b["low"], 1), b["pictures"], b["accuracy"]) for b in found["all"]] == [
    (0.4, 2, 1),
    (0.9, 3, pytest.approx(1 / 3)),
  ]
  assert [b["pictures"] for b in found["gaussian_blur"]] == [2, 1]
  assert make_report(_predictions([0, 1], [0, 1]), _NAMES)["accuracy_by_ssim"] == {}


def test_certainty_without_doubt_has_an_interval_and_a_single_original_none():
  report = make_report(_predictions([0, 1, 2, 0], [0, 1, 2, 0]), _NAMES)
  low, high = report["intervals"]["accuracy"]
  assert high == 1
  assert low == pytest.approx(1 / (1 + 1.959964**2 / 2), abs=1e-6)  # Wilson's, of two originals
  alone = make_report(_predictions([0, 1], [0, 0]), _NAMES)
  assert alone["intervals"] == {"accuracy": None, "balanced_accuracy": None, "loss": None}
  assert "of one original, without an interval" in format_report(alone)


@pytest.mark.slow
def test_what_is_written_can_be_read(folder_of_photographs, tmp_path):
  pictures = open_pictures(f"folder:{folder_of_photographs}", "all")
  predictions = _predictions([0, 1, 2], [0, 1, 1])._replace(ssim=np.array([1, 0.5, np.nan]))
  predictions = predictions._replace(
    numbers=np.array([3, 3, 4]), parameters={"marble.x_scale": np.array([np.nan] * 2 + [20])}
  )
  report = {"model": "tiny", "data": "<photos> & more"} | make_report(predictions, _NAMES)
  image, clean = np.full((32, 32, 3), (200, 30, 90), np.uint8), np.full((32, 32, 3), (20, 130, 90), np.uint8)
  shown = [Shown(row, image, clean) for row in range(3)]
  write_outcome(report, Outcome(predictions, shown, shown[2:]), pictures, tmp_path / "report")
  assert json.loads((tmp_path / "report" / "report.json").read_text()) == report
  for name in ("examples.png", "confusion_matrix.png", "accuracy_by_ssim.png"):
    with Image.open(tmp_path / "report" / name) as picture:
      assert picture.width > 300
      drawn = np.asarray(picture.convert("RGB"))
      assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 20, f"{name} is empty"
    if name == "examples.png":
      assert np.mean(np.all(drawn == (200, 30, 90), axis=-1)) > 0.3  # the examples themselves
  assert not (tmp_path / "report" / "accuracy_by_level.png").exists()  # a constant has no levels
  rows = list(csv.DictReader((tmp_path / "report" / "predictions.csv").read_text().splitlines()))
  assert [row["slot"] for row in rows] == ["0", "1", "0"]
  assert rows[2]["picture"] == pictures.name(4)
  assert (rows[2]["label"], rows[2]["predicted"], rows[2]["marble.x_scale"]) == ("marble", "gaussian_blur", "20")
  assert (rows[1]["ssim"], rows[2]["ssim"], rows[1]["p_gaussian_blur"]) == ("0.5", "", "0.800000")
  table = format_report(report)
  assert "gaussian_blur      0.500   1.000  0.667         1" in table
  assert table.endswith("accuracy 0.6667, loss 0.9163 on 3 pictures")


@pytest.mark.slow
def test_the_page_stands_alone(folder_of_photographs, tmp_path):
  pictures = open_pictures(f"folder:{folder_of_photographs}", "all")
  predictions = _predictions([0, 1, 2], [0, 1, 1])
  report = {"model": "tiny", "data": "<photos> & more"} | make_report(predictions, _NAMES)
  image = np.zeros((32, 32, 3), np.uint8)
  write_outcome(report, Outcome(predictions, [Shown(0, image, image)], [Shown(2, image, image)]), pictures, tmp_path)
  page = (tmp_path / "report.html").read_text()
  assert "&lt;photos&gt; &amp; more" in page  # nothing given is taken for HTML
  sources = re.findall(r'(?:src|href)="([^"]*)"', page)
  assert len(sources) == 1 + 2  # the confusion matrix; the mistake and its reference
  for source in sources:
    kind, _, content = source.partition(";base64,")
    assert kind in ("data:image/svg+xml", "data:image/jpeg")
    assert len(base64.b64decode(content)) > 200
  assert "called gaussian blur (80 %)" in page
