"""Motion told from a lens by the directions of detail, and its angle."""

import math

import jax
import numpy as np
import pytest

import jaxdistort
from jaxdistort.data import SamplePhotographs
from jaxdistort.inference.direction import MOVED, STILL, WEAKEST, Direction, direction_of, named_by
from jaxdistort.tasks import Answer, Finding, GroupFinding
from jaxdistort.tasks.levels import Level

_PLACES = (0, 3, 4, 8, 10, 12, 14, 16)


@pytest.fixture(scope="module")
def large() -> np.ndarray:
  """Photographs uint8 [8, 192, 192, 3]."""
  samples = SamplePhotographs()
  return np.stack([samples.load(place * samples.VIEWS + 1, 192) for place in _PLACES])


def _directions(images: np.ndarray) -> list[Direction]:
  found = [direction_of(image.astype(np.float32).mean(axis=2)) for image in images]
  return [own for own in found if own is not None]


@pytest.mark.long
@pytest.mark.parametrize("kind", MOVED + STILL)
def test_what_moved_and_what_did_not(large, kind):
  blurred = jaxdistort.distort(large, kind, severity=0.8, key=jax.random.key(1))
  moved = [own.moved > 0.5 for own in _directions(blurred)]
  assert np.mean(np.array(moved) == (kind in MOVED)) >= 7 / 8


@pytest.mark.parametrize("angle", [0.0, 0.6, math.pi / 2, 2.4])
def test_the_angle_is_anticlockwise_from_the_x_axis(large, angle):
  blurred = jaxdistort.distort(large, "linear_motion_blur", length=15, angle=angle)
  off = [abs((own.angle.value - angle + math.pi / 2) % math.pi - math.pi / 2) for own in _directions(blurred)]
  assert np.median(off) < 0.2


def test_too_small_and_flat_pictures():
  assert direction_of(np.zeros((63, 200))) is None
  assert direction_of(np.full((200, 200), 7)) is None
  assert direction_of(np.arange(70 * 200).reshape(70, 200) % 251) is not None


def _answer(severity: float, *kinds: str) -> Answer:
  findings = tuple(Finding(kind, "blur", 0.9 - place / 10, severity, place == 0) for place, kind in enumerate(kinds))
  return Answer(False, 0.0, findings, (GroupFinding("blur", 0.9, True, False, severity),))


_ANGLE = Level("angle", 1.0, "rad", 0.1)


def test_the_surest_of_the_half_is_named():
  answer = _answer(0.6, "linear_motion_blur", "gaussian_blur", "defocus_blur", "camera_shake")
  still = named_by(answer, Direction(0.1, _ANGLE))
  assert [own.kind for own in still.findings if own.found] == ["gaussian_blur"]
  assert all(own.angle is None for own in still.findings)
  moved = named_by(answer, Direction(0.9, _ANGLE))
  (named,) = (own for own in moved.findings if own.found)
  assert (named.kind, named.angle) == ("linear_motion_blur", _ANGLE)
  assert moved.groups == answer.groups


def test_what_the_direction_says_nothing_of():
  for answer in (_answer(0.9, "zoom_blur", "gaussian_blur"), _answer(WEAKEST / 2, "camera_shake", "defocus_blur")):
    assert named_by(answer, Direction(0.01, _ANGLE)) == answer
  unfound = _answer(0.9, "camera_shake", "defocus_blur")._replace(
    groups=(GroupFinding("blur", 0.9, False, False, 0.9),)
  )
  assert named_by(unfound, Direction(0.01, _ANGLE)) == unfound


@pytest.mark.long
def test_a_picture_that_moved_says_so(large):
  recogniser = jaxdistort.load()
  blurred = jaxdistort.distort(large[:4], "linear_motion_blur", length=20, angle=0.5)
  answers = recogniser.predict(blurred)
  named = [own for answer in answers for own in answer.findings if own.found and own.group == "blur"]
  assert len(named) >= 3
  lines = [own for own in named if own.kind == "linear_motion_blur"]
  assert lines
  assert np.median([abs(own.angle.value - 0.5) for own in lines]) < 0.3
