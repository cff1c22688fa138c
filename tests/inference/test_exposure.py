"""Exposure told by the whole of a picture."""

import numpy as np
import pytest

from benchmarks.exposure import expose
from jaxdistort.data import SamplePhotographs
from jaxdistort.inference.exposure import FULL, KINDS, STOPS, describe, exposure_of, from_logits, judged_whole
from jaxdistort.tasks import Calibration, Classification, LabelSpace, Recognition

_LABELS = LabelSpace((*KINDS, "jpeg"), ("light", "light", "coding"))
_CALIBRATION = Calibration((2.0, 0.5, 1, 1, 1), (-1.0, 0.5, 0, 0, 0), (0.2,) * 3, (0.1,) * 3, (0.5,) * 3)


@pytest.fixture(scope="module")
def overviews() -> np.ndarray:
  """Photographs uint8 [8, 96, 96, 3]."""
  samples = SamplePhotographs()
  return np.stack([samples.load(place * samples.VIEWS + 1, 96) for place in (0, 3, 4, 8, 10, 12, 14, 16)])


def _told(images: np.ndarray) -> np.ndarray:
  """Probability times severity of both kinds, [N, 2]."""
  said = [exposure_of(image) for image in images]
  return np.array([own.probabilities * own.severities for own in said])


@pytest.mark.parametrize(("stops", "brighter", "kind"), [(2.5, 0, 0), (-3.5, 0, 1), (-3.5, 4, 1)])
def test_too_much_and_too_little_light_are_told(overviews, stops, brighter, kind):
  chance = np.random.default_rng(0)
  told = _told(np.stack([expose(image, stops, brighter, chance) for image in overviews]))
  assert np.median(told[:, kind]) > 0.5
  assert np.median(told[:, 1 - kind]) < 0.01


def test_well_exposed_pictures_are_not(overviews):
  assert np.median(_told(overviews)) < 0.05


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("size", [32, 96, 100])
def test_flat_pictures_of_any_side_have_finite_answers(level, size):
  flat = np.full((size, size, 3), level, np.uint8)
  assert describe(flat).shape == (135,)
  for own in exposure_of(flat):
    assert np.isfinite(own).all()
    assert ((own >= 0) & (own <= 1)).all()


def test_the_classes_become_a_probability_and_a_severity():
  sure = from_logits(np.where(np.array(STOPS) == 2.8, 50.0, 0.0))
  np.testing.assert_allclose(sure.probabilities, (1, 0), atol=1e-5)
  assert sure.severities[0] == 1  # more than 1.6 stops
  even = from_logits(np.where(np.isin(STOPS, (0.0, 1.0)), 50.0, 0.0))
  np.testing.assert_allclose((even.probabilities[0], even.severities[0]), (0.125, 1.0 / FULL[0]), rtol=1e-4)


def test_scores_say_it_whatever_their_calibration(overviews):
  task = Recognition(_LABELS, _CALIBRATION)
  scores = np.arange(8, dtype=np.float32)
  said, told = exposure_of(overviews[0]), judged_whole(task, scores, overviews[0])
  np.testing.assert_allclose(task.probabilities(told[None])[0, :2], said.probabilities, rtol=1e-3)
  np.testing.assert_allclose(task.severities(told[None])[0, :2], np.clip(said.severities, 0.001, 0.999), rtol=1e-3)
  np.testing.assert_array_equal(told[[2, 5, 6, 7]], scores[[2, 5, 6, 7]])
  assert scores[0] == 0  # what was given is not changed


@pytest.mark.parametrize(
  "task", [Classification(_LABELS), Recognition(LabelSpace(("overexposure", "jpeg"), ("light", "coding")))]
)
def test_other_tasks_and_labels_are_left_alone(overviews, task):
  scores = np.zeros(task.width, np.float32)
  assert judged_whole(task, scores, overviews[0]) is scores
