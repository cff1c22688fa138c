"""Glass blur against the reference's pixel by pixel process: to the pixel with the same draws, and by statistics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage
from skimage.metrics import structural_similarity

from jaxdistort.distortions import glass_blur
from jaxdistort.distortions.glass import _followed, _targets

pytestmark = [pytest.mark.optimised, pytest.mark.slow]

_targets_of = jax.jit(_targets, static_argnums=(1, 2))


def _smooth(image, sigma):
  return np.floor(ndimage.gaussian_filter(image.astype(float), (sigma, sigma, 0), mode="nearest") + 0.5)


def _literally(image, sigma, reach, rounds, rng):
  """The reference: what looks like a swap of two pixels, but swaps views of them."""
  x = _smooth(image, sigma).astype(np.uint8)
  height, width, _ = x.shape
  for _ in range(rounds):
    for h in range(height - reach, reach, -1):
      for w in range(width - reach, reach, -1):
        dx, dy = rng.integers(-reach, reach, 2)
        x[h, w], x[h + dy, w + dx] = x[h + dy, w + dx], x[h, w]
  return _smooth(x, sigma)


@pytest.mark.parametrize(("reach", "share"), [(1.0, 1.0), (2.6, 1.0), (4.0, 0.3), (8.0, 5.0)])
def test_copies_at_once_are_copies_one_after_the_other(reach, share):
  targets = np.asarray(_targets_of(jax.random.key(0), 37, 51, reach, share))
  colours = np.arange(37 * 51)
  for pixel in reversed(range(37 * 51)):
    colours[pixel] = colours[targets[pixel]]
  np.testing.assert_array_equal(jax.jit(_followed)(jnp.asarray(targets)), colours)


@pytest.mark.parametrize("reach", [1, 2, 4])
def test_displacements_are_uniform(reach):
  targets = np.asarray(_targets_of(jax.random.key(1), 200, 203, float(reach), 1.0)).reshape(200, 203)
  own = np.arange(200 * 203).reshape(200, 203)
  inside = np.s_[reach + 1 : 201 - reach, reach + 1 : 204 - reach]
  outside = np.ones_like(own, bool)
  outside[inside] = False
  np.testing.assert_array_equal(targets[outside], own[outside])
  dy, dx = targets[inside] // 203 - own[inside] // 203, targets[inside] % 203 - own[inside] % 203
  for d in (dx, dy):
    counts = np.bincount(d.ravel() + reach)
    assert len(counts) == 2 * reach
    assert np.abs(counts / d.size - 1 / len(counts)).max() < 4 / np.sqrt(d.size)
  assert abs(np.corrcoef(dx.ravel(), dy.ravel())[0, 1]) < 4 / np.sqrt(dx.size)


def test_shares_of_reach_and_rounds():
  own = np.arange(200 * 200)
  some = np.asarray(_targets_of(jax.random.key(2), 200, 200, 4.0, 0.25))
  assert abs(np.mean(some != own) - 0.25 * (193 / 200) ** 2 * (1 - 1 / 64)) < 0.01
  between = np.asarray(_targets_of(jax.random.key(2), 200, 200, 1.5, 1.0)) % 200 - own % 200
  inside = between.reshape(200, 200)[3:199, 3:199]
  assert set(np.unique(inside)) == {-2, -1, 0, 1}
  assert abs(np.mean(inside == -2) - 0.5 / 4) < 0.01


@pytest.mark.long
@pytest.mark.parametrize(("sigma", "reach", "rounds"), [(0.7, 1, 2), (1.0, 2, 3), (1.5, 4, 2)])
def test_statistics_are_the_reference_s(photographs, sigma, reach, rounds):
  rng = np.random.default_rng(0)
  theirs = np.stack([_literally(image, sigma, reach, rounds, rng) for image in photographs])
  keys = jax.random.split(jax.random.key(0), 8)
  glass = lambda key, image: glass_blur(key, image, float(sigma), float(reach), float(rounds))
  ours = np.asarray(jax.vmap(glass)(keys, jnp.asarray(photographs)), float)

  def statistics(distorted):
    change = distorted - np.stack([_smooth(_smooth(image, sigma), sigma) for image in photographs])
    neighbours = [np.mean(change[:, :, 1:] * change[:, :, :-1]), np.mean(change[:, 1:] * change[:, :-1])]
    pairs = zip(photographs.astype(float), distorted, strict=True)
    likeness = [structural_similarity(a, b, channel_axis=-1, data_range=255) for a, b in pairs]
    return np.array([np.mean(change**2), *neighbours, 1 - np.mean(likeness)])

  np.testing.assert_allclose(statistics(ours), statistics(theirs), rtol=0.08)
  assert abs(ours.mean() - theirs.mean()) < 0.3


def test_nothing_to_do_changes_nothing(photographs):
  image, key = jnp.asarray(photographs[0]), jax.random.key(0)
  np.testing.assert_array_equal(glass_blur(key, image, 0.0, 4.0, 0.0), image)
  np.testing.assert_array_equal(glass_blur(key, image, 0.0, 0.0, 4.0), image)
  expected = _smooth(_smooth(photographs[0], 1.2), 1.2)
  assert np.abs(np.asarray(glass_blur(key, image, 1.2, 4.0, 0.0), float) - expected).max() <= 1
