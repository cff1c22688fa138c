"""Which groups of distortions an answer names."""

import numpy as np

from jaxdistort.tasks import Classification, LabelSpace, Recognition

_LABELS = LabelSpace(("gaussian_blur", "jpeg", "defocus_blur"), ("blur", "coding", "blur"))


def test_a_class_names_its_group():
  scores = np.log(np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1], [0.1, 0.1, 0.7, 0.1], [0.1, 0.1, 0.1, 0.7]]))
  found = Classification(_LABELS).finds_groups(scores)
  np.testing.assert_array_equal(found, [[False, False], [True, False], [False, True], [True, False]])


def test_groups_have_logits_of_their_own():
  scores = np.concatenate([np.full((2, 6), 9.0), [[-0.1, 0.1], [0.1, -9]]], axis=1)
  np.testing.assert_array_equal(Recognition(_LABELS).finds_groups(scores), [[False, True], [True, False]])
