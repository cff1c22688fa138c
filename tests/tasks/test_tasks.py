"""Tasks: targets, losses and answers by hand; a label space that survives any reordering."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.special import expit

from jaxdistort.errors import InputError
from jaxdistort.protocols import Kind, Protocol, Samples, Stage, six, variable
from jaxdistort.tasks import (
  TASKS,
  Classification,
  LabelSpace,
  Presence,
  Recognition,
  counted,
  task_from_dict,
)

_SIX = LabelSpace(six().kinds, six().groups)
_THREE = LabelSpace(("gaussian_noise", "jpeg", "gaussian_blur"), ("noise", "coding", "blur"))


def _samples(presence, severity=None):
  presence = jnp.asarray(presence, bool)
  severity = jnp.zeros(presence.shape) if severity is None else jnp.asarray(severity, jnp.float32)
  images = jnp.zeros((len(presence), 1, 1, 3), jnp.uint8)
  return Samples(images, images, presence, severity, severity, jnp.zeros((len(presence), 0)))


def test_classes_are_found_by_name_not_by_place():
  task = Classification(_THREE)
  assert task.width == 4
  assert task.answer_names == ("clean", "gaussian_noise", "jpeg", "gaussian_blur")
  targets = task.targets(_samples([[0, 0], [1, 0], [0, 1]]), variable().kinds)  # blur, noise
  np.testing.assert_array_equal(targets, [0, 3, 1])
  np.testing.assert_array_equal(task.targets_of_kinds([None, "jpeg"]), [0, 2])
  with pytest.raises(
    InputError, match="protocol six: the network does not know motion_blur, only gaussian_noise, jpeg"
  ):
    task.check(six())


def test_a_classification_names_one():
  stages = tuple(Stage((Kind(name),), untouched=1, shuffled=True) for name in ("gaussian_blur", "gaussian_noise"))
  with pytest.raises(InputError, match="a classification names one; give the task recognition"):
    Classification(_THREE).check(Protocol("two", stages, None))
  Recognition(_THREE).check(Protocol("two", stages, None))


@pytest.mark.long
def test_a_classification_by_hand():
  task = Classification(_THREE)
  outputs, targets = jnp.asarray([[5.0, 1, 0, 0], [0.0, 3, 0, 0]]), jnp.asarray([0, 3])
  losses = jax.jit(task.losses)(outputs, targets)
  np.testing.assert_allclose(losses, -jax.nn.log_softmax(outputs)[jnp.arange(2), targets], rtol=1e-5)
  np.testing.assert_array_equal(task.right(outputs, targets), [1, 0])
  scores = np.asarray(task.scores(outputs))
  np.testing.assert_allclose(task.score_losses(scores, np.asarray(targets)), losses, rtol=1e-5)
  assert task.truth_in_words(np.asarray(targets)) == ["clean", "gaussian_blur"]
  assert task.answer_in_words(scores) == ["clean", "gaussian_noise"]
  np.testing.assert_array_equal(task.mistaken(scores, np.asarray(targets)), [False, True])
  first, second = task.answers(scores)
  assert first.clean
  assert not second.clean
  assert second.findings[0].kind == "gaussian_noise"
  assert second.findings[0].group == "noise"
  assert first.probability_clean + sum(f.probability for f in first.findings) == pytest.approx(1)
  np.testing.assert_allclose(np.exp(task.combine(scores)).sum(), 1, rtol=1e-6)
  np.testing.assert_array_equal(task.finds_groups(scores), [[0, 0, 0], [1, 0, 0]])
  assert second.groups[0][:1] + second.groups[0][2:] == ("noise", True, False, None)


@pytest.mark.long
def test_a_recognition_by_hand():
  task = Recognition(_THREE)
  assert task.width == 9
  make_targets, losses = jax.jit(task.targets, static_argnums=1), jax.jit(task.losses)
  severity = jnp.asarray([[0.25, 0.5], [0, 0]])
  samples = _samples([[1, 1], [0, 0]], severity)._replace(visibility=jnp.asarray([[0.4, 1.0], [0, 0]]))
  targets = make_targets(samples, variable().kinds)  # blur, noise
  np.testing.assert_array_equal(targets.presence, [[1, 0, 1], [0, 0, 0]])
  np.testing.assert_array_equal(targets.severity, [[0.5, 0, 0.25], [0, 0, 0]])
  outputs = jnp.asarray([[3.0, -3, -1, 0, 0, 0, 2, -2, 1], [-3.0, -3, -3, -1, -1, -1, -1, -1, -1]])
  weights = jnp.asarray([[1, 1, 0.4], [1, 1, 1]])  # of presence: as far as it is visible
  entropies = [optax.sigmoid_binary_cross_entropy(outputs[:, own], targets.presence) for own in (slice(3), slice(6, 9))]
  presence = sum((weights * entropy).mean(axis=1) for entropy in entropies)
  errors = jnp.asarray([(0 + 0.4 * 0.25**2) / 2, 0])
  np.testing.assert_allclose(losses(outputs, targets), presence + errors, rtol=1e-5)
  unknown = targets._replace(severity=jnp.full((2, 3), jnp.nan))
  np.testing.assert_allclose(losses(outputs, unknown), presence, rtol=1e-6)
  scores = np.asarray(task.scores(outputs))
  host = Presence(*map(np.asarray, targets))
  np.testing.assert_array_equal(counted(host), [[1, 1, 0], [1, 1, 1]])
  np.testing.assert_array_equal(task.mistaken(scores, host), [False, False])  # the blur cannot be seen
  np.testing.assert_array_equal(task.mistaken(scores, host._replace(visibility=host.presence)), [True, False])
  assert task.truth_in_words(host) == ["gaussian_noise;gaussian_blur", "clean"]
  assert task.answer_in_words(scores) == ["gaussian_noise", "clean"]
  np.testing.assert_array_equal(task.finds(scores, "gaussian_noise"), [True, False])
  np.testing.assert_array_equal(task.finds_groups(scores), [[1, 0, 0], [0, 0, 0]])
  assert task.summary(scores, host)["mean_average_precision"] == 1


def test_what_a_recognition_says():
  task = Recognition(_THREE)
  first, second = task.answers(np.float32([[3, -3, -1, 0, 0, 0, 2, -2, 1], [-3, -3, -3, -1, -1, -1, -1, -1, -1]]))
  assert second.clean
  assert not first.clean
  assert [(own.kind, own.severity, own.found) for own in first.findings][:2] == [
    ("gaussian_noise", 0.5, True),
    ("gaussian_blur", 0.5, False),
  ]
  assert [(own.group, own.found) for own in first.groups] == [("noise", True), ("blur", False), ("coding", False)]
  assert first.probability_clean == pytest.approx(np.prod(1 - expit([3, -2, 1])))


def test_alarms_are_raised_by_probability_and_severity():
  task = Recognition(LabelSpace(("gaussian_blur", "jpeg", "defocus_blur"), ("blur", "coding", "blur")))
  scores = np.float32([[0, 0, 0, -1, 1, 0.1, 9, -9], [9, 9, -9, -2, -2, 9, -9, 9]])
  np.testing.assert_allclose(task.strengths(scores), expit(scores[:, :3]) * expit(scores[:, 3:6]), rtol=1e-6)
  np.testing.assert_array_equal(task.finds_groups(scores), [[True, True], [False, False]])


def test_of_the_tiles_that_show_something_the_third_with_the_strongest_gradients_tells():
  task, scores = Recognition(_THREE), np.arange(18, dtype=np.float32).reshape(2, 9)
  np.testing.assert_array_equal(task.combine(scores), scores.mean(0))
  np.testing.assert_array_equal(task.tells_by(np.array([0.5, 9, 2, 7, 3, 1.4, 5, 4])), [0, 1, 0, 1, 0, 0, 0, 0])
  np.testing.assert_array_equal(task.tells_by(np.array([1.0, 0, 0.2])), [1, 1, 1])  # nothing but flat ones
  np.testing.assert_array_equal(task.tells_by(np.array([2.0])), [1])
  assert len(task.tells_by(np.array([]))) == 0
  assert Classification(_SIX).tells_by(np.array([0.0, 9])).all()


def test_noise_is_told_by_the_surest_tiles():
  task = Recognition(LabelSpace(("jpeg", "gaussian_noise"), ("coding", "noise")))
  scores = np.float32([[0, 1, 2, 3, 4, 5], [3, 7, 2, 0, 1, -4], [0, 4, 2, 3, 4, -1]])
  np.testing.assert_array_equal(task.combine(scores), [1, 5.5, 2, 1.5, 3, 2])  # jpeg, noise, severities, coding, noise


def test_light_is_told_by_the_whole_picture():
  task = Recognition(LabelSpace(("jpeg", "fog"), ("coding", "light")))
  combined = task.combine(np.zeros((2, 6), np.float32), np.arange(1, 7, dtype=np.float32))
  np.testing.assert_array_equal(combined, [0, 2, 0, 4, 0, 6])


@pytest.mark.parametrize("name", TASKS)
def test_what_a_file_keeps_is_enough(name):
  task = task_from_dict(TASKS[name](_SIX).to_dict())
  assert (task.name, task.labels) == (name, _SIX)
  with pytest.raises(InputError, match=r"answer: 'gausian_blr' is not one of .*; did you mean"):
    task.output_of("gausian_blr")


def test_a_new_task_joins_by_one_call():
  @TASKS.register("only_blur")
  class OnlyBlur(Classification):
    name = "only_blur"

  try:
    assert isinstance(task_from_dict({"name": "only_blur", "labels": _THREE.to_dict()}), OnlyBlur)
    with pytest.raises(ValueError, match="task 'only_blur' is registered already"):
      TASKS.register("only_blur", OnlyBlur)
  finally:
    TASKS.unregister("only_blur")
