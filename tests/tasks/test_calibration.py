"""Calibration: probabilities that keep their word, thresholds that keep their rate."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import f1_score

from jaxdistort.metrics.multilabel import expected_calibration_error
from jaxdistort.tasks import (
  Calibration,
  LabelSpace,
  Level,
  LevelScale,
  Recognition,
  best_f1_thresholds,
  fit_calibration,
  task_from_dict,
  thresholds_for,
)


def _drawn(count=4000):
  """Logits twice too sure, and a little too high."""
  rng = np.random.default_rng(0)
  honest = rng.normal(-1, 2, (count, 2))
  return 2 * honest + 1, rng.random((count, 2)) < expit(honest)


def test_where_no_alarm_is_left_no_threshold_falls():
  clean = np.stack([np.append(np.linspace(0.009, 0.011, 39), 0.999), np.linspace(0.1, 0.2, 40)], axis=1)
  present = [np.linspace(0, 1, 50), np.linspace(0, 1, 50)]
  thresholds = thresholds_for(clean, np.arange(40), 0.02, present, np.ones(2))
  assert thresholds[1] > 0.15


def test_what_was_too_sure_is_not_any_more():
  logits, presence = _drawn()
  fitted = fit_calibration(logits, presence, np.ones_like(logits), 2)
  np.testing.assert_allclose(fitted.slopes, 0.5, atol=0.04)
  np.testing.assert_allclose(fitted.offsets, -0.5, atol=0.12)
  before, after = (
    expected_calibration_error(presence.ravel(), p.ravel()) for p in (expit(logits), fitted.probabilities(logits))
  )
  assert after < 0.02 < before


def test_pictures_without_weight_do_not_count():
  logits, presence = _drawn()
  weights = np.ones_like(logits)
  weights[: len(logits) // 2] = 0
  wrong = np.where(weights > 0, presence, ~presence)
  expected = fit_calibration(logits[len(logits) // 2 :], presence[len(logits) // 2 :], weights[len(logits) // 2 :], 2)
  np.testing.assert_allclose(fit_calibration(logits, wrong, weights, 2).slopes, expected.slopes)


def test_a_column_of_few_examples_stays_as_it_is():
  logits, presence = _drawn(40)
  presence[:, 1] = False
  fitted = fit_calibration(logits, presence, np.ones_like(logits), 2)
  assert (fitted.slopes[1], fitted.offsets[1]) == (1, 0)


@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_thresholds_keep_the_rate_of_false_alarms_on_other_pictures(rate):
  random = np.random.default_rng(1)
  clean, others = (random.random((4000, 12)) ** np.arange(1, 13) for _ in range(2))
  present = [random.random(60) for _ in range(12)]
  thresholds = thresholds_for(clean, np.arange(4000) // 4, rate, present, np.ones(12))
  assert 0.4 * rate <= np.any(clean >= thresholds, axis=1).mean() <= rate
  assert np.any(others >= thresholds, axis=1).mean() <= 1.25 * rate
  assert thresholds_for(clean[:0], np.arange(0), rate, present, np.ones(12)).tolist() == [0] * 12


def test_alarms_go_where_they_find_most():
  random = np.random.default_rng(2)
  clean = random.random((2000, 2))
  hidden, plain = 1 - 0.1 * random.random(200), np.full(200, 2.0)  # among the highest clean ones, and above all of them
  of_plain, of_hidden = thresholds_for(clean, np.arange(2000), 0.05, [plain, hidden], np.ones(2))
  assert of_plain > clean[:, 0].max()
  assert (clean[:, 1] >= of_hidden).mean() == pytest.approx(0.05, abs=0.02)


def test_alarms_go_where_finding_counts_most():
  random = np.random.default_rng(3)
  clean = random.random((4000, 2))
  present = [1 - 0.2 * random.random(400) ** 2 for _ in range(2)]
  for weights, more in (((3.0, 1.0), 0), ((1.0, 3.0), 1)):
    thresholds = thresholds_for(clean, np.arange(4000), 0.05, present, np.array(weights))
    assert thresholds[more] < thresholds[1 - more]


def test_thresholds_of_the_highest_f1():
  logits, presence = _drawn(500)
  probabilities = expit(logits)
  thresholds = best_f1_thresholds(probabilities, presence, np.ones_like(logits))
  for column, threshold in enumerate(thresholds):
    reached = f1_score(presence[:, column], probabilities[:, column] >= threshold)
    others = [f1_score(presence[:, column], probabilities[:, column] >= t) for t in np.linspace(0, 1, 50)]
    assert reached >= max(others)
  assert best_f1_thresholds(probabilities, np.zeros_like(presence), np.ones_like(logits)).tolist() == [0.5, 0.5]


def test_a_file_keeps_it():
  thresholds, doubts, naming = (0.45, 0.2), (0.15, 0.2), (0.5, 0.4)
  calibration = Calibration((2.0, 1.0, 1.0, 1.0), (0.5, 0.0, 0.0, 0.0), thresholds, doubts, naming)
  scale = LevelScale("quality", "", (0.0, 0.5, 1.0), (95.0, 50.0, 5.0)).measured(
    np.full(20, 0.5), np.repeat([46.0, 58.0], 10)
  )
  task = Recognition(LabelSpace(("jpeg", "defocus_blur"), ("coding", "blur")), calibration, {"jpeg": scale})
  again = task_from_dict(task.to_dict())
  assert isinstance(again, Recognition)
  assert again.calibration == calibration
  scores = np.float32([[0, 0, 0, 0, 0, 0]])
  np.testing.assert_allclose(again.probabilities(scores), [[expit(0.5), 0.5]], rtol=1e-6)
  np.testing.assert_array_equal(again.finds_groups(scores), [[False, True]])
  np.testing.assert_array_equal(again.doubts_groups(scores), [[True, False]])
  np.testing.assert_array_equal(again.found(scores), [[False, True]])  # the blur raises the alarm; coding is in doubt
  levels = {own.kind: own.level for own in again.answers(scores)[0].findings}
  assert levels == {"jpeg": Level("quality", 50, "", 6), "defocus_blur": None}
  assert scale.level(0.9).error is None  # nothing like it was measured
