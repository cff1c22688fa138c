"""Figures of answers that may name several kinds, against scikit-learn and by hand."""

import dataclasses

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import spearmanr
from sklearn import metrics

from jaxdistort.metrics.multilabel import average_precisions, expected_calibration_error
from jaxdistort.metrics.predictions import Predictions
from jaxdistort.tasks import LabelSpace, Presence, Recognition

_TASK = Recognition(LabelSpace(("blur", "noise"), ("blur", "noise")))


def _predictions(presence, severity, logits, severities):
  count = len(presence)
  scores = np.concatenate([logits, severities, logits], axis=1).astype(np.float32)  # a group a kind
  numbers, unknown = np.arange(count), np.full(count, np.nan)
  presence = np.asarray(presence, np.float32)
  targets = Presence(presence, np.asarray(severity, np.float32), presence)
  return Predictions(numbers, numbers, targets, scores, np.empty((count, 0)), (), (), unknown, unknown)


def test_average_precisions_are_scikit_learns():
  rng = np.random.default_rng(0)
  presence = rng.random((300, 3)) < [0.5, 0.1, 0]
  probabilities = np.round(rng.random((300, 3)), 1)  # many are equal
  found = average_precisions(presence, probabilities)
  expected = [metrics.average_precision_score(presence[:, k], probabilities[:, k]) for k in range(2)]
  np.testing.assert_allclose(found[:2], expected)
  assert np.isnan(found[2])


@pytest.mark.slow
def test_figures_by_hand():
  presence = [[0, 0], [1, 0], [1, 1], [0, 1]]
  severity = [[0, 0], [0.2, 0], [0.9, 0.5], [0, 0.3]]
  logits = np.array([[-9, 9], [9, -9], [9, 9], [9, -9]])  # a false alarm, two rightly, one confused
  figures = _TASK.figures(_predictions(presence, severity, logits, np.zeros((4, 2))))
  assert figures.accuracy == 0.5
  assert figures.false_alarms == 1
  blur, noise = figures.per_kind["blur"], figures.per_kind["noise"]
  assert (blur.precision, blur.recall, blur.support) == (pytest.approx(2 / 3), 1, 2)
  assert (noise.precision, noise.recall) == (0.5, 0.5)
  assert blur.severity_error == pytest.approx((0.3 + 0.4) / 2)  # all are said to be 0.5
  assert blur.severity_rank_correlation is None
  assert figures.macro_f1 == pytest.approx((0.8 + 0.5) / 2)


@pytest.mark.slow
def test_a_group_of_which_nothing_can_be_seen_does_not_count():
  task = Recognition(LabelSpace(("defocus_blur", "gaussian_blur"), ("blur", "blur")))
  presence, visibility = (
    np.float32([[1, 0], [1, 1], [1, 0], [0, 0]]),
    np.float32([[0.1, 0], [0.1, 0.9], [0.9, 0], [0, 0]]),
  )
  scores = np.float32([[-9, -9, 0, 0, -9], [-9, 9, 9, 9, 9], [-9, -9, 0, 0, -9], [-9, -9, 0, 0, -9]])
  given = _predictions(presence, presence, np.zeros((4, 2)), np.zeros((4, 2)))
  figures = task.figures(dataclasses.replace(given, scores=scores, targets=Presence(presence, presence, visibility)))
  assert (figures.per_group["blur"].support, figures.per_group["blur"].recall) == (2, 0.5)


@pytest.mark.slow
def test_figures_agree_with_scikit_learn():
  rng = np.random.default_rng(1)
  presence, severity = rng.random((400, 2)) < 0.4, rng.random((400, 2))
  logits = rng.normal(size=(400, 2)) + 2 * presence
  estimated = rng.normal(size=(400, 2)) + 4 * severity
  figures = _TASK.figures(_predictions(presence, severity * presence, logits, estimated))
  found = (logits >= 0) & (expit(logits) * expit(estimated) >= 0.25)
  assert figures.accuracy == pytest.approx(metrics.accuracy_score(presence, found))
  assert figures.macro_f1 == pytest.approx(metrics.f1_score(presence, found, average="macro"))
  assert figures.mean_average_precision == pytest.approx(
    metrics.average_precision_score(presence, logits, average="macro")
  )
  own = presence[:, 1]
  assert figures.per_kind["noise"].severity_rank_correlation == pytest.approx(
    spearmanr(severity[own, 1], estimated[own, 1]).statistic
  )
  low, high = figures.intervals["mean_average_precision"]
  assert low < figures.mean_average_precision < high


@pytest.mark.long
@pytest.mark.parametrize("count", [2, *(pytest.param(count, marks=pytest.mark.slow) for count in (4, 40))])
def test_no_interval_without_doubt(count):
  """Of few originals, and of many that agree."""
  presence = np.tile([[True, False], [False, True], [True, True]], (count, 1))
  right = _predictions(presence, presence * 0.5, np.where(presence, 3.0, -3.0), presence * 0.5)
  intervals = _TASK.figures(dataclasses.replace(right, originals=np.repeat(np.arange(count), 3))).intervals
  assert intervals["mean_average_precision"] is None
  assert intervals["loss"] is None
  assert intervals["accuracy"] == pytest.approx([count / (count + 1.959964**2), 1], abs=1e-6)


def test_calibration_of_honest_and_of_vain_probabilities():
  rng = np.random.default_rng(0)
  honest = rng.random(50_000)
  truth = rng.random(50_000) < honest
  assert expected_calibration_error(truth, honest) < 0.02
  assert expected_calibration_error(truth, np.ones(50_000)) == pytest.approx(0.5, abs=0.02)
