"""Fog and snow against the steps of their sources in numpy and scipy, from the same random numbers and from others."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from jaxdistort.distortions import fog, snow
from jaxdistort.distortions.randomness import normal, uniform
from jaxdistort.distortions.weather import plasma

pytestmark = [pytest.mark.optimised, pytest.mark.slow]

_KEY = jax.random.key(3)
_plasma = jax.jit(plasma, static_argnums=1)
_FOG = [(1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)]  # ImageNet-C's strengths and decays
_SNOW = [  # ImageNet-C's seven numbers
  (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
  (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
  (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
  (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
  (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
]


def _diamond_square(side, decay, draw):
  """Point by point, with steps wibble^2 draw(n), the wibble divided by its decay each time."""
  heights, step, wibble, halving = np.zeros((side, side)), side, 1.0, 0
  while step > 1:
    half, count = step // 2, side // step
    steps = wibble**2 * draw(halving, 3 * count * count).reshape(3, count, count)
    places = [(y, x) for y in range(count) for x in range(count)]
    at = lambda y, x: heights[y % side, x % side]
    for y, x in places:
      top, left = y * step, x * step
      corners = at(top, left) + at(top + step, left) + at(top, left + step) + at(top + step, left + step)
      heights[top + half, left + half] = corners / 4 + steps[0, y, x]
    for turn, (down, right) in ((1, (0, half)), (2, (half, 0))):
      for y, x in places:
        cy, cx = y * step + down, x * step + right
        around = at(cy - half, cx) + at(cy + half, cx) + at(cy, cx - half) + at(cy, cx + half)
        heights[cy, cx] = around / 4 + steps[turn, y, x]
    step, wibble, halving = half, wibble / decay, halving + 1
  heights -= heights.min()
  return heights / heights.max()


@pytest.mark.long
@pytest.mark.parametrize("decay", [2, 1.4])
def test_the_plasma_is_diamond_square(decay):
  draws = 2 * np.asarray(uniform(_KEY, 64 * 64, stream=0), float) - 1
  ours = _plasma(_KEY, 6, jnp.float32(decay**-2))
  theirs = _diamond_square(64, decay, lambda halving, count: draws[4**halving : 4**halving + count])
  np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.long
def test_the_plasma_has_the_statistics_of_other_random_numbers():
  """Mean, variance and correlation at 1 and 8 px, over many maps."""
  generator = np.random.default_rng(0)
  theirs = np.stack([_diamond_square(16, 1.7, lambda _, n: generator.uniform(-1, 1, n)) for _ in range(300)])
  keys = jax.random.split(_KEY, 300)
  ours = np.asarray(jax.jit(jax.vmap(lambda key: plasma(key, 4, jnp.float32(1.7**-2))))(keys), float)
  for measure in (
    lambda p: p.mean((1, 2)),
    lambda p: p.var((1, 2)),
    lambda p: np.mean(p * np.roll(p, 1, 2), (1, 2)),
    lambda p: np.mean(p * np.roll(p, 8, 1), (1, 2)),
  ):
    a, b = measure(ours), measure(theirs)
    assert abs(a.mean() - b.mean()) < 4 * np.sqrt((a.var() + b.var()) / 300)


@pytest.mark.long
@pytest.mark.parametrize("level", range(5))
def test_fog_is_its_formula(level, photographs):
  strength, decay = _FOG[level]
  for image in (photographs[level], photographs[5][:31, :45]):
    veil = np.asarray(_plasma(_KEY, 6, jnp.float32(decay**-2)), float)[: image.shape[0], : image.shape[1], None]
    ours = np.asarray(fog(_KEY, jnp.asarray(image), strength, decay**-2), int)
    largest = image.max() / 255
    expected = np.clip((image / 255 + strength * veil) * largest / (largest + strength), 0, 1) * 255
    assert np.abs(ours - expected).max() <= 0.501


def test_fog_of_nothing_and_on_black(photographs):
  for image in photographs:
    np.testing.assert_array_equal(fog(_KEY, jnp.asarray(image), 0, 0.4), image)
  assert not np.any(fog(_KEY, jnp.zeros((7, 9, 3), jnp.uint8), 2, 0.4))
  assert not np.any(fog(_KEY, jnp.zeros((7, 9, 3), jnp.uint8), 0, 0.4))


def _snowed(image, noise, zoom, threshold, radius, sigma, kept, angle):
  height, width = image.shape[:2]
  needed = [int(np.ceil(side / zoom)) for side in (height, width)]
  layer = ndimage.zoom(noise[: needed[0], : needed[1]], zoom, order=1)
  layer[layer < threshold] = 0
  layer = np.clip(layer, 0, 1)
  weights = np.exp(-np.square(np.arange(2 * radius + 1)) / (2 * sigma**2))
  rows, columns = np.mgrid[:height, :width]
  smeared = 0
  for i, weight in enumerate(weights / weights.sum()):
    down, right = int(np.ceil(i * np.sin(angle) - 0.5)), int(np.ceil(i * np.cos(angle) - 0.5))
    smeared += weight * layer[np.clip(rows + down, 0, height - 1), np.clip(columns + right, 0, width - 1)]
  smeared = (np.round(smeared * 255) / 255)[..., None]
  values = image / 255
  grey = (values @ [0.299, 0.587, 0.114])[..., None]
  values = kept * values + (1 - kept) * np.maximum(values, grey * 1.5 + 0.5)
  return np.clip(values + smeared + np.rot90(smeared, 2), 0, 1) * 255


@pytest.mark.long
@pytest.mark.parametrize("level", range(5))
def test_snow_is_its_source_s(level, photographs):
  density, spread, zoom, threshold, radius, sigma, kept = _SNOW[level]
  angle = np.deg2rad(-130 + 20 * level)
  for image in (photographs[level], photographs[level + 2][:41, :33]):
    height, width = image.shape[:2]
    noise = density + spread * np.asarray(normal(_KEY, height * width, stream=0), float).reshape(height, width)
    parameters = (density, spread, zoom, threshold, 2 * radius + 1, sigma, 1 - kept, angle)
    ours = np.asarray(snow(_KEY, jnp.asarray(image), *parameters), int)
    away = np.abs(ours - _snowed(image, noise, zoom, threshold, radius, sigma, kept, angle))
    assert np.mean(away <= 1) > 0.99
    assert np.mean(np.abs(ours - image.astype(int))) > 5


def test_no_snow_where_there_is_no_density(photographs):
  rest = (0.3, 3, 0.85, 25, 8, 0, -1.6)
  for image in photographs:
    np.testing.assert_array_equal(snow(_KEY, jnp.asarray(image), -1, *rest), image)
