"""Figures of answers that name one class, against scikit-learn and against counting by hand."""

import numpy as np
import pytest
from sklearn import metrics

from jaxdistort.metrics.classification import mean_level_by_answer, summary_intervals
from tests.metrics.answers import NAMES, TASK, predictions


def test_figures_by_hand():
  figures = TASK.figures(predictions([0, 0, 1, 1, 1, 2], [0, 1, 1, 1, 0, 2]))
  assert figures.names == ("clean", "gaussian_blur", "marble")
  assert figures.accuracy == pytest.approx(4 / 6)
  assert figures.loss == pytest.approx(-(4 * np.log(0.8) + 2 * np.log(0.1)) / 6, abs=1e-6)
  assert figures.confusion_matrix == [[1, 1, 0], [1, 2, 0], [0, 0, 1]]  # rows: the true class
  assert figures.pictures == 6
  assert figures.originals == 3
  blur = figures.per_class["gaussian_blur"]
  assert (blur.precision, blur.recall, blur.support) == (pytest.approx(2 / 3), pytest.approx(2 / 3), 3)
  assert list(figures.headline) == ["accuracy", "balanced_accuracy", "loss"]


def test_figures_agree_with_scikit_learn():
  rng = np.random.default_rng(0)
  labels, predicted = rng.integers(0, 3, 500), rng.integers(0, 3, 500)
  figures = TASK.figures(predictions(labels, predicted))
  theirs = metrics.classification_report(labels, predicted, target_names=NAMES, output_dict=True)
  for name in NAMES:
    row = {"f1" if key == "f1-score" else key: value for key, value in theirs[name].items()}
    assert vars(figures.per_class[name]) == pytest.approx(row)
  assert figures.accuracy == pytest.approx(theirs["accuracy"])
  assert figures.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(labels, predicted))
  low, high = figures.intervals["accuracy"]
  assert low < figures.accuracy < high


def test_a_class_without_pictures_counts_zero():
  figures = TASK.figures(predictions([0, 0], [0, 2]))
  assert vars(figures.per_class["gaussian_blur"]) == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
  assert figures.balanced_accuracy == 0.5  # of the classes that have pictures
  assert len(figures.confusion_matrix) == 3


def test_where_resampling_cannot_tell_accuracies_have_wilsons_interval_and_the_loss_none():
  sure = TASK.figures(predictions([0, 1, 2, 0], [0, 1, 2, 0])).intervals
  low, high = sure["accuracy"]
  assert high == 1
  assert low == pytest.approx(1 / (1 + 1.959964**2 / 2), abs=1e-6)  # Wilson's, of two originals
  assert sure["balanced_accuracy"] == sure["accuracy"]
  assert sure["loss"] is None
  halves = TASK.figures(predictions([0, 1, 0, 1], [0, 0, 0, 0])).intervals  # of both originals one picture of two
  assert halves["accuracy"] == pytest.approx([0.0945, 0.9055], abs=1e-4)
  assert halves["loss"] is None
  alone = TASK.figures(predictions([0, 1], [0, 0])).intervals
  assert alone["accuracy"] == pytest.approx([0.0546, 0.9454], abs=1e-4)
  assert alone["loss"] is None
  many = TASK.figures(predictions([0, 1] * 50, [0, 0] * 50)).intervals  # fifty originals that agree
  assert many["accuracy"] == pytest.approx([0.3664, 0.6336], abs=1e-4)
  assert many["balanced_accuracy"] == many["accuracy"]
  assert many["loss"] is None


def test_intervals_hold_their_figure():
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


def test_mean_levels_as_in_the_studys_table():
  found = mean_level_by_answer(np.array([1.0, 2.0, 6.0]), np.array([0, 1, 1]), NAMES, "px")
  assert (found.unit, found.mean) == ("px", 3.0)
  assert found.percent == {"clean": pytest.approx(100 / 3), "gaussian_blur": pytest.approx(400 / 3)}


@pytest.mark.parametrize("levels", [(-3.0, -1.0, 3.0), (-3.0, 0.0, 3.0), (0.0, 0.0, 0.0)])
def test_a_mean_that_says_nothing_has_no_percent(levels):
  """A twirl of -3..3 rad: the mean may be near 0, or exactly, and a share of it anything."""
  found = mean_level_by_answer(np.array(levels), np.array([0, 1, 1]), NAMES)
  assert found.mean == pytest.approx(np.mean(levels))
  assert found.percent == {}


def test_levels_of_one_sign_have_percent_below_zero_too():
  found = mean_level_by_answer(np.array([-1.0, -3.0, 0.0]), np.array([0, 1, 1]), NAMES)
  assert found.percent == {"clean": pytest.approx(75), "gaussian_blur": pytest.approx(112.5)}
