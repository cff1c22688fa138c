"""Motion blurs against their definitions in double precision; the paths of shaking hands by their statistics."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage
from skimage.metrics import structural_similarity

from jaxdistort.distortions import camera_shake, gaussian_motion_blur, linear_motion_blur
from jaxdistort.distortions.motion import _path, _spread

pytestmark = [pytest.mark.optimised, pytest.mark.slow]

_paths = jax.jit(jax.vmap(_path))
_kernel = jax.jit(lambda key, length: _spread(_path(key) * length, 33))


def _close(ours, expected):
  assert np.mean(np.abs(np.asarray(ours, float) - expected) <= 1) >= 0.99


def _line(length, angle):
  """The reference's kernel of a line, by its definition: rows downwards."""
  reach, half = math.ceil(length / 2) + 1, (length - 1) / 2
  rows, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
  along, across = np.abs(x * np.cos(angle) - rows * np.sin(angle)), x * np.sin(angle) + rows * np.cos(angle)
  distance = np.where(np.hypot(x, rows) >= half, np.hypot(across, half - along), np.abs(across))
  kernel = np.maximum(1 - distance, 0)
  return kernel / kernel.sum()


@pytest.mark.long
@pytest.mark.parametrize("length", [1.7, 4.0, 10.0, 33.3, 64.0])
@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 4, 1.3, np.pi / 2, 2.5, -9.0])
def test_a_straight_line(photographs, length, angle):
  image = photographs[0][:53]
  expected = ndimage.correlate(image.astype(float), _line(length, angle)[..., None], mode="nearest")
  _close(linear_motion_blur(jnp.asarray(image), length, angle), expected)


def test_lines_rise_to_the_right_at_positive_angles():
  point = jnp.zeros((9, 9, 3), jnp.uint8).at[4, 4].set(255)
  line = np.asarray(linear_motion_blur(point, 5.0, np.pi / 4))[..., 0]
  assert line[3, 5] == line[5, 3] > 0
  assert line[3, 3] == line[5, 5] == 0


@pytest.mark.parametrize(("radius", "sigma"), [(1.0, 3.0), (10.0, 3.0), (15.0, 12.0), (20.0, 15.0)])
@pytest.mark.parametrize("angle", [-0.7, 0.0, 0.31, 2.2])
def test_a_line_with_a_tail(photographs, radius, sigma, angle):
  image = photographs[4][:, :49].astype(float)
  steps = np.arange(2 * int(radius) + 1)
  weights = np.exp(-(steps**2) / (2 * sigma**2))
  y, x = np.mgrid[: image.shape[0], : image.shape[1]]
  total = np.zeros(image.shape)
  for step, weight in zip(steps, weights / weights.sum(), strict=True):
    rows, columns = (math.ceil(step * way(angle) - 0.5) for way in (math.sin, math.cos))
    total += weight * image[np.clip(y + rows, 0, y.max()), np.clip(x + columns, 0, x.max())]
  _close(gaussian_motion_blur(jnp.asarray(photographs[4][:, :49]), radius, sigma, angle), total)


def test_paths_are_curved_uneven_centred_and_of_length_one():
  paths = np.asarray(_paths(jax.random.split(jax.random.key(0), 400)), float)
  steps = np.linalg.norm(np.diff(paths, axis=1), axis=-1)
  np.testing.assert_allclose(steps.sum(1), 1, rtol=1e-4)
  np.testing.assert_allclose(paths.mean(1), 0, atol=1e-5)
  ends = np.linalg.norm(paths[:, -1] - paths[:, 0], axis=-1)
  assert 0.4 < ends.mean() < 0.8  # straight lines have 1, white noise about 0.1
  assert ends.std() > 0.1
  assert 0.3 < (steps.std(1) / steps.mean(1)).mean() < 0.7  # even speed has 0
  directions = np.diff(paths, axis=1)[:, 0]
  assert np.linalg.norm(np.mean(directions / np.linalg.norm(directions, axis=1, keepdims=True), 0)) < 4 / 20


@pytest.mark.long
def test_what_a_point_becomes(photographs):
  key, point = jax.random.key(3), np.zeros((97, 97, 3), np.uint8)
  point[48, 48] = 255
  shaken = np.asarray(camera_shake(key, jnp.asarray(point), 20.0), float)[..., 0]
  kernel = np.asarray(_kernel(key, 20.0), float)
  np.testing.assert_allclose(kernel.sum(), 1, rtol=1e-5)
  places = np.arange(-33, 34)
  np.testing.assert_allclose([(kernel.sum(0) * places).sum(), (kernel.sum(1) * places).sum()], 0, atol=1e-4)
  assert np.abs(shaken[15:82, 15:82] - 255 * kernel[::-1, ::-1]).max() <= 0.51
  image = photographs[6]
  expected = ndimage.correlate(image.astype(float), kernel[..., None], mode="nearest")
  _close(camera_shake(key, jnp.asarray(image), 20.0), expected)


@pytest.mark.long
def test_the_longest_paths_lose_no_tap(photographs):
  white = jnp.full((5, 5, 3), 255, jnp.uint8)
  shaken = jax.jit(jax.vmap(lambda key: camera_shake(key, white, 32.0)))(jax.random.split(jax.random.key(1), 200))
  assert np.all(np.asarray(shaken) == 255)


def test_nothing_to_do_changes_nothing(photographs):
  image = jnp.asarray(photographs[7])
  np.testing.assert_array_equal(linear_motion_blur(image, 1.0, 0.7), image)
  np.testing.assert_array_equal(gaussian_motion_blur(image, 0.0, 8.0, 0.7), image)
  np.testing.assert_array_equal(gaussian_motion_blur(image, 15.0, 0.0, 0.7), image)
  np.testing.assert_array_equal(camera_shake(jax.random.key(0), image, 0.0), image)


@pytest.mark.long
@pytest.mark.parametrize(
  ("blur", "levels"),
  [
    (lambda image, x: linear_motion_blur(image, 1 + x, 0.4), (0.5, 1, 3, 5, 9, 20)),
    (lambda image, x: gaussian_motion_blur(image, x, x, 0.4), (0.5, 1, 2, 4, 8, 15)),
    (lambda image, x: camera_shake(jax.random.key(5), image, x), (1, 2, 4, 8, 16, 32)),
  ],
)
def test_more_blur_is_less_like_the_picture(photographs, blur, levels):
  over_pictures = jax.vmap(jax.vmap(blur, (0, None)), (None, 0))
  blurred = over_pictures(jnp.asarray(photographs), jnp.asarray(levels, jnp.float32))
  for i, image in enumerate(photographs):
    likeness = [structural_similarity(image, np.asarray(one[i]), channel_axis=-1) for one in blurred]
    assert likeness == sorted(likeness, reverse=True)
