"""Noise of sensors and channels: means, variances, histograms and correlations by level, against scipy and formulas."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxdistort.distortions import correlated_noise, impulse_noise, shot_noise, speckle_noise, ycbcr_noise

pytestmark = [pytest.mark.optimised, pytest.mark.slow]

_KEYS = jax.random.split(jax.random.key(5), 4)


def _flat(level, side=128):
  return jnp.full((side, side, 3), level, jnp.uint8)


def _noisy(op, level, *parameters, **options):
  """Values int [4, side, side, 3] of flat pictures of one level (or colour)."""
  return np.asarray(jax.vmap(lambda key: op(key, _flat(level), *parameters, **options))(_KEYS), int)


def _agree(counts, mass):
  """Chi-square of counts with the mass of each, bins joined until ten are expected in each."""
  expected, joined, current = mass / mass.sum() * counts.sum(), [], np.zeros(2)
  for pair in zip(counts, expected, strict=True):
    current = current + pair
    if current[1] >= 10:
      joined.append(current)
      current = np.zeros(2)
  joined[-1] = joined[-1] + current
  seen, wanted = np.array(joined).T
  return len(joined) == 1 or stats.chisquare(seen, wanted).pvalue > 1e-3


@pytest.mark.long
@pytest.mark.parametrize("share", [0.001, 0.09, 0.6, 1])
def test_impulses(share, photographs):
  values = _noisy(impulse_noise, 100, share)
  error = 4 * np.sqrt(share / values.size)
  assert set(np.unique(values)) <= {0, 100, 255}
  for impulse in (0, 255):
    assert abs((values == impulse).mean() - share / 2) < error
  all_three = np.all(values != 100, axis=-1).mean()  # channels are hit each by itself
  assert abs(all_three - share**3) < 4 * np.sqrt((share**3 + 1e-6) / (values.size / 3))
  np.testing.assert_array_equal(impulse_noise(_KEYS[0], jnp.asarray(photographs[0]), 0), photographs[0])


@pytest.mark.long
@pytest.mark.parametrize("uniformly", [False, True])
@pytest.mark.parametrize("amount", [0.0316, 0.35, 1.2])
def test_speckle(amount, uniformly):
  distribution = stats.uniform(-np.sqrt(3), 2 * np.sqrt(3)) if uniformly else stats.norm()
  for level in (3, 60, 250):
    counts = np.bincount(_noisy(speckle_noise, level, amount, uniformly=uniformly).ravel(), minlength=256)
    edges = np.concatenate([[-np.inf], np.arange(255) + 0.5, [np.inf]])
    assert _agree(counts, np.diff(distribution.cdf((edges / level - 1) / amount))), level


@pytest.mark.long
@pytest.mark.parametrize("photons", [60, 25, 12, 5, 3, 1, 200])
def test_photons_are_poisson_numbers(photons):
  """At ImageNet-C's levels, the strongest and a weak one: histogram, mean and variance by level."""
  amount = 255 / np.sqrt(photons)
  for level in (1, 20, 90, 140, 255):
    mean = level / 255 * photons
    numbers = np.arange(int(stats.poisson.ppf(1 - 1e-12, mean)) + 2)
    levels = np.clip(np.floor(numbers * (255 / photons) + 0.5 + 1e-9), 0, 255).astype(int)
    values = _noisy(shot_noise, level, amount).ravel()
    mass = np.bincount(levels, stats.poisson.pmf(numbers, mean), minlength=256)
    # An average number may be rounded the other way at a half.
    assert set(np.unique(values)) <= {*levels, *(levels - 1)}
    halves = np.unique(levels[(np.abs((numbers * (255 / photons)) % 1 - 0.5) < 1e-4) & (levels < 255)])
    values[np.isin(values, halves - 1)] += 1
    assert _agree(np.bincount(values, minlength=256), mass), level
    expected = mass @ np.arange(256)
    spread = np.sqrt(mass @ np.square(np.arange(256) - expected))
    assert abs(values.mean() - expected) < 4 * spread / np.sqrt(values.size)
    assert abs(values.std() / max(spread, 1e-9) - 1) < 0.03 or spread < 1


@pytest.mark.long
def test_no_photons_are_missed_where_noise_is_slight(photographs):
  image = jnp.asarray(photographs[1])
  for amount in (0, 1e-9, 0.01):
    np.testing.assert_array_equal(shot_noise(_KEYS[0], image, amount), image)
  values = _noisy(shot_noise, 180, 4.0)
  assert abs(values.mean() - 180) < 0.05
  assert abs(values.std() - np.sqrt(16 * 180 / 255 + 1 / 12)) < 0.03


@pytest.mark.parametrize(("luma", "chroma"), [(12, 0), (0, 9), (6, 14)])
def test_noise_of_luma_and_chroma(luma, chroma):
  values = _noisy(ycbcr_noise, 128, luma, chroma).reshape(-1, 3) - 128.0
  to_rgb = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]])
  expected = to_rgb @ np.diag(np.square([luma, chroma, chroma])) @ to_rgb.T + np.eye(3) / 12
  assert np.abs(np.cov(values.T) / np.sqrt(np.outer(*[np.diag(expected)] * 2)) - _normalised(expected)).max() < 0.03
  assert np.abs(values.mean(0)).max() < 0.2


def _normalised(covariance):
  return covariance / np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))


@pytest.mark.long
def test_noise_that_neighbours_share():
  noise = _noisy(correlated_noise, 128, 12.0) - 128.0
  assert abs(noise.mean()) < 0.2
  for part in (noise, noise[:, 0], noise[:, :, -1]):  # at the borders it is as strong
    assert abs(part.std() - np.sqrt(144 + 1 / 12)) < (0.2 if part is noise else 1.2)
  for down, right in ((0, 1), (1, 0), (1, 1), (0, 2), (2, 1), (3, 0), (0, 3)):
    a, b = noise[:, down:, right:], noise[:, : 128 - down, : 128 - right]
    expected = max(0, 1 - down / 3) * max(0, 1 - right / 3)
    assert abs(np.mean(a * b) / 144 - expected) < 0.03
  assert np.abs(np.corrcoef(noise.reshape(-1, 3).T) - np.eye(3)).max() < 0.05


@pytest.mark.parametrize(
  ("op", "nothing"), [(speckle_noise, (0,)), (shot_noise, (0,)), (ycbcr_noise, (0, 0)), (correlated_noise, (0,))]
)
def test_nothing_is_changed_at_zero(op, nothing, photographs):
  for image in photographs[:2]:
    np.testing.assert_array_equal(op(_KEYS[0], jnp.asarray(image), *nothing), image)
