"""Blurs against their definitions, taken literally."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdistort.distortions import gaussian_blur, motion_blur
from jaxdistort.distortions.blur import _gaussian_taps


def _motion_blur_literally(image, distance, angle):
  """The definition, pixel by pixel and sample by sample."""
  height, width, _ = image.shape
  samples = max(1, int(distance))
  result = np.zeros_like(image)
  for y in range(height):
    for x in range(width):
      total, count = np.zeros(3, int), 0
      for i in range(samples):
        dx = np.round(i / samples * distance * np.cos(angle), 5)
        dy = np.round(-i / samples * distance * np.sin(angle), 5)
        column, row = int(np.trunc(x + dx)), int(np.trunc(y + dy))
        if not (x + dx > -1 and column < width and y + dy > -1 and row < height):
          break
        total += image[row, column]
        count += 1
      result[y, x] = total // count
  return result


@pytest.mark.parametrize("distance", [0.0, 1.9, 2.0, 9.0, 30.5])
@pytest.mark.parametrize("angle", [0.0, np.pi / 2, np.pi, -np.pi / 2, 0.4, 2.5, 4.0, 5.5])
def test_motion_blur_is_its_definition(photographs, distance, angle):
  image = photographs[0][:21, :26]
  result = np.asarray(motion_blur(jnp.asarray(image), distance, angle), int)
  expected = _motion_blur_literally(image, distance, angle).astype(int)
  assert np.mean(result == expected) > 0.999


def test_wholly_leftward_blur_stops_at_the_edge():
  """Offsets that are whole and negative: position -1 is outside, unlike positions in (-1, 0)."""
  image = jnp.asarray(np.tile(np.arange(0, 200, 20, dtype=np.uint8)[None, :, None], (3, 1, 3)))
  result = motion_blur(image, 4.0, np.pi)
  expected = [np.mean(np.arange(max(0, x - 3), x + 1) * 20).astype(int) for x in range(10)]
  np.testing.assert_array_equal(result[1, :, 0], expected)


@pytest.mark.parametrize("radius", [0.0, 0.3, 1.0, 4.5, 11.0])
def test_taps_sum_to_one_and_end_at_the_radius(radius):
  taps = np.asarray(_gaussian_taps(jnp.float32(radius), 11))
  np.testing.assert_allclose(taps.sum(), 1, rtol=1e-6)
  assert np.all(taps[np.abs(np.arange(-11, 12)) > radius] == 0)


def test_both_forms_of_the_gaussian_agree(photographs):
  """The accelerator's form, run here: within a level, where a sum lies at half a level."""
  from jaxdistort.distortions import blur

  image, radius = jnp.asarray(photographs[1]), jnp.float32(6.3)
  lowered = jax.jit(lambda i, r: blur._gaussian_blur(i, r, reach=11)).trace(image, radius)
  text = lowered.lower(lowering_platforms=("cuda",)).as_text()
  assert "convolution" not in text
  assert "convolution" in lowered.lower(lowering_platforms=("cpu",)).as_text()
  taps = blur._gaussian_taps(radius, 11)
  planes = jnp.pad(jnp.moveaxis(image, -1, 0).astype(jnp.float32), ((0, 0), (0, 0), (11, 11)), mode="edge")
  convolved = blur._convolve(planes, taps, 2)
  np.testing.assert_allclose(convolved, blur._shifted_sums(planes, taps, 2), atol=1e-3)


def test_weaker_blur_changes_less(photographs):
  image = jnp.asarray(photographs[2])
  change = [np.abs(np.asarray(gaussian_blur(image, r), int) - photographs[2]).mean() for r in (0.5, 1.5, 3, 6, 11)]
  assert change == sorted(change)
  assert change[0] == 0
