"""Blurs against their definitions, taken literally."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from jaxdistort.distortions import gaussian_blur, motion_blur
from jaxdistort.distortions.blur import _gaussian_taps

pytestmark = pytest.mark.optimised

_taps = jax.jit(_gaussian_taps, static_argnums=1)


def _motion_blur_literally(image, distance, angle):
  """The definition, sample by sample."""
  height, width, _ = image.shape
  y, x = np.mgrid[:height, :width]
  samples = max(1, int(distance))
  total, count, inside = np.zeros(image.shape, int), np.zeros((height, width, 1), int), np.ones((height, width), bool)
  for i in range(samples):
    dx = np.round(i / samples * distance * np.cos(angle), 3)
    dy = np.round(-i / samples * distance * np.sin(angle), 3)
    columns, rows = np.trunc(x + dx).astype(int), np.trunc(y + dy).astype(int)
    inside &= (x + dx > -1) & (columns < width) & (y + dy > -1) & (rows < height)
    if not inside.any():
      break
    taken = image[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    total += np.where(inside[..., None], taken, 0)
    count += inside[..., None]
  return total // count


@pytest.mark.parametrize("distance", [0.0, 1.9, 2.0, 9.0, 30.5])
@pytest.mark.parametrize("angle", [0.0, np.pi / 2, np.pi, -np.pi / 2, 0.4, 2.5, 4.0, 5.5])
def test_motion_blur_is_its_definition(photographs, distance, angle):
  image = photographs[0][:21, :26]
  result = np.asarray(motion_blur(jnp.asarray(image), distance, angle), int)
  assert np.mean(result == _motion_blur_literally(image, distance, angle)) > 0.999


@pytest.mark.long
@pytest.mark.parametrize("distance", [128.0, 129.5, 700.0, 1999.0])
@pytest.mark.parametrize(
  ("shape", "angle"), [((2, 2001), 0.0), ((2, 2001), np.pi), ((1200, 2), -np.pi / 2), ((40, 50), 0.7), ((40, 50), 90.0)]
)
def test_long_motion_is_its_definition(distance, shape, angle):
  """White in part, so that a total that overflows or a sample taken twice would be seen."""
  image = np.where(np.random.default_rng(0).random((*shape, 3)) < 0.8, 255, 17).astype(np.uint8)
  result = np.asarray(motion_blur(jnp.asarray(image), distance, angle, max_distance=2000.0), int)
  expected = _motion_blur_literally(image, distance, angle)
  assert np.mean(result == expected) > 0.99
  assert np.mean(np.abs(result - expected) <= 1) > 0.999


def test_wholly_leftward_blur_stops_at_the_edge():
  """Offsets that are whole and negative: position -1 is outside, unlike positions in (-1, 0)."""
  image = jnp.asarray(np.tile(np.arange(0, 200, 20, dtype=np.uint8)[None, :, None], (3, 1, 3)))
  result = motion_blur(image, 4.0, np.pi)
  expected = [np.mean(np.arange(max(0, x - 3), x + 1) * 20).astype(int) for x in range(10)]
  np.testing.assert_array_equal(result[1, :, 0], expected)


@pytest.mark.parametrize("radius", [0.0, 0.3, 1.0, 4.5, 11.0])
def test_taps_sum_to_one_and_end_at_the_radius(radius):
  taps = np.asarray(_taps(jnp.float32(radius), 11))
  np.testing.assert_allclose(taps.sum(), 1, rtol=1e-6)
  assert np.all(taps[np.abs(np.arange(-11, 12)) > radius] == 0)


def _gaussian_literally(image, radius):
  """The definition in double precision."""
  reach = math.ceil(radius)
  places = np.arange(-reach, reach + 1)
  weights = np.where(places**2 <= radius**2, np.exp(-(places**2) / (2 * (radius / 3) ** 2)), 0)
  result = image.astype(float)
  for axis in (1, 0):
    result = np.trunc(ndimage.correlate1d(result, weights / weights.sum(), axis, mode="nearest") + 0.5)
  return result


@pytest.mark.parametrize("radius", [3.3, 12.0, 38.5, 39.0, 80.0, 250.0, 500.0])
def test_every_radius_is_right(photographs, radius):
  image = photographs[3][:24, :31]
  result = np.asarray(gaussian_blur(jnp.asarray(image), radius, max_radius=500.0), int)
  assert np.abs(result - _gaussian_literally(image, radius)).max() <= 1
  assert np.all(np.asarray(gaussian_blur(jnp.full_like(image, 255), radius, max_radius=500.0)) == 255)


@pytest.mark.parametrize("radius", [7.3, 38.5, 250.0])
def test_taps_do_not_depend_on_the_maximum(radius):
  taps = [np.asarray(_taps(jnp.float32(radius), reach)) for reach in (math.ceil(radius), 600)]
  np.testing.assert_array_equal(taps[0], taps[1][600 - len(taps[0]) // 2 : 601 + len(taps[0]) // 2])
  exact = np.exp(-((np.arange(-600, 601) / radius) ** 2) * 4.5) * (np.abs(np.arange(-600, 601)) <= radius)
  np.testing.assert_allclose(taps[1], exact / exact.sum(), rtol=1e-5, atol=1e-9)


@pytest.mark.slow
def test_the_accelerator_s_form_has_no_convolution(photographs):
  from jaxdistort.distortions import blur

  image, radius = jnp.asarray(photographs[1]), jnp.float32(6.3)
  lowered = jax.jit(lambda i, r: blur._gaussian_blur(i, r, reach=11)).trace(image, radius)
  text = lowered.lower(lowering_platforms=("cuda",)).as_text()
  assert "convolution" not in text
  assert "convolution" in lowered.lower(lowering_platforms=("cpu",)).as_text()


def test_weaker_blur_changes_less(photographs):
  image = jnp.asarray(photographs[2])
  change = [np.abs(np.asarray(gaussian_blur(image, r), int) - photographs[2]).mean() for r in (0.5, 1.5, 3, 6, 11)]
  assert change == sorted(change)
  assert change[0] == 0
