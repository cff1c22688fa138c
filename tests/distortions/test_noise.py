"""Noise: histograms against the real filter and the exact distribution, keys, channels."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.random import threefry_2x32 as reference_threefry
from scipy import stats

from jaxdistort.distortions import gaussian_noise
from jaxdistort.distortions.randomness import random_words, threefry_2x32

pytestmark = pytest.mark.optimised

_GOLDENS = np.load(Path(__file__).parents[1] / "goldens" / "jhlabs_noise_histograms.npz")


def _histogram(amount, density, monochrome):
  """Levels of flat grey 128 after noise: at least 10^6 independent samples."""
  side = 580 if monochrome else 340  # one draw a pixel, or three
  grey = jnp.full((side, side, 3), 128, jnp.uint8)
  keys = jax.random.split(jax.random.key(7), 3)
  noisy = np.stack([gaussian_noise(key, grey, amount, density, monochrome=monochrome) for key in keys])
  return np.bincount((noisy[..., 0] if monochrome else noisy).reshape(-1), minlength=256)


def _pooled(*histograms):
  """Rows of counts, bins joined until each row's expectation is at least five."""
  table = np.array(histograms)
  expected = table.sum(0)[None] * table.sum(1)[:, None] / table.sum()
  joined, current, enough = [], np.zeros(len(table)), np.zeros(len(table))
  for counts, e in zip(table.T, expected.T, strict=True):
    current, enough = current + counts, enough + e
    if enough.min() >= 5:
      joined.append(current)
      current, enough = np.zeros(len(table)), np.zeros(len(table))
  joined[-1] = joined[-1] + current
  return np.array(joined).T


@pytest.mark.long
@pytest.mark.parametrize("setting", _GOLDENS.files)
def test_histogram_is_the_filter_s(setting):
  amount, mono, density = (float(part.split("=")[1]) for part in setting.split(","))
  ours = _histogram(amount, density, bool(mono))
  assert ours.sum() > 10**6
  theirs = _GOLDENS[setting] // 3 if mono else _GOLDENS[setting]  # counted once a channel, drawn once a pixel
  assert stats.chi2_contingency(_pooled(theirs, ours)).pvalue > 1e-3


@pytest.mark.parametrize(
  ("amount", "density", "monochrome"), [(25, 1.0, False), (25, 1.0, True), (10, 0.5, False), (3, 0.25, True)]
)
def test_histogram_is_that_of_the_distribution(amount, density, monochrome):
  """trunc(amount N(0, 1)) has the mass of [k, k + 1) / amount at k > 0, of (-1, 1) / amount at 0."""
  counts = _histogram(amount, density, monochrome)
  steps = np.arange(-128, 128)
  upper = np.where(steps >= 0, steps + 1, steps)
  lower = np.where(steps <= 0, steps - 1, steps)
  mass = density * (stats.norm.cdf(upper / amount) - stats.norm.cdf(lower / amount))
  mass[128] += 1 - density
  mass[0], mass[-1] = mass[0] + stats.norm.cdf(-129 / amount), mass[-1] + stats.norm.sf(128 / amount)
  table = _pooled(counts, mass / mass.sum() * counts.sum())
  assert stats.chisquare(table[0], table[1] * table[0].sum() / table[1].sum()).pvalue > 1e-3


def test_monochrome_shares_the_draw_and_density_takes_whole_pixels():
  grey = jnp.full((64, 64, 3), 128, jnp.uint8)
  mono = np.asarray(gaussian_noise(jax.random.key(0), grey, 25, 1, monochrome=True))
  assert np.all(mono == mono[..., :1])
  sparse = np.asarray(gaussian_noise(jax.random.key(0), grey, 1000, 0.3))
  touched = np.any(sparse != 128, axis=-1)
  assert 0.25 < touched.mean() < 0.35
  assert np.mean(sparse[touched] != 128) > 0.99
  assert np.corrcoef(np.asarray(gaussian_noise(jax.random.key(1), grey, 25, 1), float).reshape(-1, 3).T)[0, 1] < 0.05


def test_density_above_one_counts_as_one_and_zero_changes_nothing(photographs):
  image = jnp.asarray(photographs[0])
  key = jax.random.key(3)
  np.testing.assert_array_equal(gaussian_noise(key, image, 20, 1.1), gaussian_noise(key, image, 20, 1.0))
  np.testing.assert_array_equal(gaussian_noise(key, image, 20, 0.0), image)
  np.testing.assert_array_equal(gaussian_noise(key, image, 0, 1.0), image)


def test_keys_choose_the_noise(photographs):
  image = jnp.asarray(photographs[0])
  first = gaussian_noise(jax.random.key(0), image, 25, 1.0)
  np.testing.assert_array_equal(first, gaussian_noise(jax.random.key(0), image, 25, 1.0))
  assert np.mean(first != gaussian_noise(jax.random.key(1), image, 25, 1.0)) > 0.9
  assert gaussian_noise(jax.random.key(0, impl="rbg"), image, 25, 1.0).shape == image.shape


@pytest.mark.long
def test_threefry_is_the_cipher_of_jax():
  low, high = jnp.asarray([7, 4_000_000_000], jnp.uint32)
  counters = jnp.arange(50, dtype=jnp.uint32)
  ours = jax.jit(threefry_2x32)(low, high, counters, np.uint32(3))
  theirs = jax.jit(reference_threefry)(jnp.stack([low, high]), jnp.concatenate([counters, jnp.full(50, 3, jnp.uint32)]))
  np.testing.assert_array_equal(ours, theirs[:50])


def test_streams_are_independent():
  words = [np.asarray(random_words(jax.random.key(0), 4001, stream)) for stream in (0, 1)]
  assert len(np.unique(np.concatenate(words))) > 7990
  assert abs(np.corrcoef(words[0], words[1])[0, 1]) < 0.05
