"""Curves of answers that may name several kinds, by hand and against scikit-learn."""

import numpy as np
from sklearn.metrics import auc, average_precision_score

from jaxdistort.metrics.curves import confusion_within_groups, precision_recall, reliability, severity_bins


def test_precision_over_recall():
  assert precision_recall(np.array([True, False, True]), np.array([0.9, 0.5, 0.4])) == [
    (0.5, 1.0),
    (1.0, 2 / 3),
  ]
  assert precision_recall(np.zeros(3, bool), np.ones(3)) == []
  rng = np.random.default_rng(0)
  presence = rng.random(2000) < 0.3
  probabilities = np.clip(rng.normal(0.3 + 0.3 * presence, 0.2), 0, 1)
  recall, precision = np.array(precision_recall(presence, probabilities)).T
  assert len(recall) <= 60
  assert (
    abs(auc(recall, precision) - average_precision_score(presence, probabilities)) < 0.03
  )  # it starts at the first point


def test_reliability():
  low, high = reliability(np.array([True, False, True]), np.array([0.01, 0.03, 1.0]))
  assert (low.probability, low.frequency, low.answers) == (0.02, 0.5, 2)
  assert (high.probability, high.frequency, high.answers) == (1, 1, 1)


def test_severities():
  (own,) = severity_bins(np.array([0.51, 0.55, 0.58]), np.array([0.2, 0.4, 0.9]))
  assert own.pictures == 3
  np.testing.assert_allclose([own.severity, own.mean, own.low, own.high], [1.64 / 3, 0.5, 0.3, 0.65])


def test_confusion_stays_within_groups():
  groups = ("blur", "noise", "blur")
  presence = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]], bool)
  probabilities = np.array([[0.4, 0.9, 0.1], [0.1, 0.2, 0.3], [0.0, 0.9, 0.5]])
  assert confusion_within_groups(presence, probabilities, groups) == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
