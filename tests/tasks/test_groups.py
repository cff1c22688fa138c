"""Which groups of distortions an answer names."""

import numpy as np
from scipy.special import expit

from jaxdistort.tasks import Calibration, Classification, LabelSpace, Recognition

_LABELS = LabelSpace(("gaussian_blur", "jpeg", "defocus_blur"), ("blur", "coding", "blur"))


def test_a_class_names_its_group():
  scores = np.log(np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1], [0.1, 0.1, 0.7, 0.1], [0.1, 0.1, 0.1, 0.7]]))
  found = Classification(_LABELS).finds_groups(scores)
  np.testing.assert_array_equal(found, [[False, False], [True, False], [False, True], [True, False]])


def test_a_group_is_found_by_a_kind_and_at_least_as_probable():
  kinds = [[-9, -9, -9], [-9, -9, 0.1], [-9, 0.1, -9]]
  groups = [[0.1, -9], [-9, -9], [-9, 2]]
  scores = np.concatenate([kinds, np.zeros((3, 3)), groups], axis=1).astype(np.float32)
  task = Recognition(_LABELS)
  np.testing.assert_array_equal(task.finds_groups(scores), [[False, False], [True, False], [False, True]])
  expected = expit([[0.1, -9], [0.1, -9], [-9, 2]])
  np.testing.assert_allclose(task.group_probabilities(scores), expected, rtol=1e-5)


def test_groups_of_levels_of_a_sweep():
  scores = np.linspace(-2, 2, 2 * 5 * 8, dtype=np.float32).reshape(2, 5, 8)
  task = Recognition(_LABELS)
  expected = [task.finds_groups(own) for own in scores]
  np.testing.assert_array_equal(task.finds_groups(scores), expected)
  assert task.finds(scores, "jpeg").shape == (2, 5)


def test_of_a_group_the_surest_kind_is_named_and_what_is_likelier_than_not():
  logits = np.array([[-1.0, -9, -0.5], [0.2, -9, 0.4], [-0.5, -9, -0.5]], np.float32)
  scores = np.concatenate([logits, np.zeros((3, 3)), np.full((3, 2), 9.0)], axis=1)
  low = Calibration((1.0,) * 5, (0.0,) * 5, (0.1,) * 3, (0.1,) * 3, (0.1,) * 3)
  expected = [[False, False, True], [True, False, True], [True, False, True]]
  np.testing.assert_array_equal(Recognition(_LABELS, low).found(scores), expected)
