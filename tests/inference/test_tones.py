"""Light and colour told by the whole of a picture."""

import jax
import numpy as np
import pytest

from benchmarks.tones import examples, expose, fit
from jaxdistort.data import SamplePhotographs
from jaxdistort.distortions import distort
from jaxdistort.inference.tones import KINDS, NUMBERS, describe, judged_whole, tells_all, told_by, tones_of
from jaxdistort.tasks import Calibration, Classification, LabelSpace, Recognition

_LABELS = LabelSpace(("overexposure", "underexposure", "jpeg"), ("light", "light", "coding"))
_CALIBRATION = Calibration((2.0, 0.5, 1, 1, 1), (-1.0, 0.5, 0, 0, 0), (0.2,) * 3, (0.1,) * 3, (0.5,) * 3)


@pytest.fixture(scope="module")
def overviews() -> np.ndarray:
  """Photographs uint8 [8, 96, 96, 3]."""
  samples = SamplePhotographs()
  return np.stack([samples.load(place * samples.VIEWS + 1, 96) for place in (0, 3, 4, 8, 10, 12, 14, 16)])


def _told(images: np.ndarray) -> np.ndarray:
  """Probability times severity of all kinds, [N, 8]."""
  said = [tones_of(image) for image in images]
  return np.array([own.probabilities * own.severities for own in said])


@pytest.mark.parametrize(("stops", "brighter", "kind"), [(2.5, 0, 0), (-3.5, 0, 1), (-3.5, 4, 1)])
def test_too_much_and_too_little_light_are_told(overviews, stops, brighter, kind):
  chance = np.random.default_rng(0)
  told = _told(np.stack([expose(image, stops, brighter, chance) for image in overviews]))
  assert np.median(told[:, kind]) > 0.5
  assert np.median(told[:, 1 - kind]) < 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_told_where_it_is_strong(overviews, kind):
  strength = {"overexposure": {"stops": 2.5}, "underexposure": {"stops": -4.0}}.get(kind, {"severity": 1.0})
  told = np.median(_told(distort(overviews, kind, key=jax.random.key(0), **strength)), axis=0)
  assert told[KINDS.index(kind)] > 0.3
  assert np.argmax(told) == KINDS.index(kind)


def test_pictures_as_they_should_be_are_not(overviews):
  assert np.median(_told(overviews), axis=0).max() < 0.05


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("size", [32, 96, 100])
def test_flat_pictures_of_any_side_have_finite_answers(level, size):
  flat = np.full((size, size, 3), level, np.uint8)
  assert describe(flat).shape == (NUMBERS,)
  for own in tones_of(flat):
    assert own.shape == (len(KINDS),)
    assert ((own >= 0) & (own <= 1)).all()


def test_scores_say_it_whatever_their_calibration(overviews):
  task = Recognition(_LABELS, _CALIBRATION)
  scores = np.arange(8, dtype=np.float32)
  said, told = tones_of(overviews[0]), judged_whole(task, scores, overviews[0])
  np.testing.assert_allclose(task.probabilities(told[None])[0, :2], said.probabilities[:2], rtol=1e-3)
  np.testing.assert_allclose(task.severities(told[None])[0, :2], np.clip(said.severities[:2], 0.001, 0.999), rtol=1e-3)
  np.testing.assert_allclose(task.group_probabilities(told[None])[0, 0], said.probabilities[:2].max(), rtol=1e-3)
  np.testing.assert_array_equal(told[[2, 5, 7]], scores[[2, 5, 7]])  # jpeg and its group
  assert scores[0] == 0  # what was given is not changed


def test_a_group_of_which_not_all_is_told_keeps_what_the_network_says(overviews):
  task = Recognition(LabelSpace(("overexposure", "vignetting"), ("light", "light")))
  assert not tells_all(task)
  assert tells_all(Recognition(_LABELS))
  told = judged_whole(task, np.arange(5, dtype=np.float32), overviews[0])
  np.testing.assert_array_equal(told[[1, 3, 4]], [1, 3, 4])


@pytest.mark.parametrize(
  "task", [Classification(_LABELS), Recognition(LabelSpace(("blur", "jpeg"), ("blur", "coding")))]
)
def test_other_tasks_and_labels_are_left_alone(overviews, task):
  scores = np.zeros(task.width, np.float32)
  assert judged_whole(task, scores, overviews[0]) is scores


@pytest.mark.slow
def test_what_is_fitted_tells_its_own_examples(overviews):
  made = examples(np.kron(overviews, np.ones((1, 2, 2, 1), np.uint8)), 1, seed=0)
  assert made.numbers.shape == (8 * (1 + 8 + 2 + 2), NUMBERS)
  assert made.presence.sum(axis=0).tolist() == [16, 16, 8, 8, 8, 8, 8, 8]
  np.testing.assert_array_equal(made.severities > 0, made.presence > 0)
  with jax.numpy_dtype_promotion("standard"):  # of optax's schedules
    fitted = fit(made, seed=0, steps=200)
  told = told_by(fitted, made.numbers)
  strong = made.severities > 0.5
  assert np.median(told.probabilities[strong]) > 0.8
  assert np.median(told.probabilities[~made.presence.any(axis=1)]) < 0.1
