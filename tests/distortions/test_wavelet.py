"""The 9/7 wavelet against the lifting steps of ITU-T T.800 in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdistort.distortions import wavelet

pytestmark = [pytest.mark.optimised, pytest.mark.slow]

_STEPS = (-1.586134342059924, -0.052980118572961, 0.882911075530934, 0.443506852043971)
_K = 1.230174104914001


def _analysed(planes, levels):
  return jax.jit(lambda planes: wavelet.analyse(planes, levels))(planes)


def _synthesised(coefficients, levels):
  return jax.jit(lambda coefficients: wavelet.synthesise(coefficients, levels))(coefficients)


def _lifted(line):
  """Low pass of gain 1, then high pass of gain 2."""
  length = len(line)
  if length == 1:
    return line
  line = line.astype(float)
  mirrored = lambda i: line[min(i % (2 * length - 2), 2 * length - 2 - i % (2 * length - 2))]
  for turn, weight in enumerate(_STEPS):
    for i in range(1 - turn % 2, length, 2):
      line[i] += weight * (mirrored(i - 1) + mirrored(i + 1))
  return np.concatenate([line[::2] / _K, line[1::2] * _K])


@pytest.mark.long
@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 3), (2, 2), (7, 16)])
@pytest.mark.parametrize("short", [128, 1])
def test_one_level_equals_lifting(shape, short, monkeypatch):
  """As a product with a matrix, and by strides."""
  monkeypatch.setattr(wavelet, "_SHORT", short)
  planes = np.random.default_rng(0).uniform(-128, 127, (3, *shape)).astype(np.float32)
  expected = planes.astype(float)
  for axis in (1, 2):
    expected = np.apply_along_axis(_lifted, axis, expected)
    length = shape[axis - 1]
    scales = np.where(np.arange(length) < -(-length // 2), 2**0.5, 0.5**0.5) if length > 1 else np.ones(1)
    expected *= scales[:, None] if axis == 1 else scales
  coefficients = _analysed(planes, 1)
  np.testing.assert_allclose(coefficients, expected, atol=1e-3)
  np.testing.assert_allclose(_synthesised(coefficients, 1), planes, atol=1e-3)


@pytest.mark.long
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (130, 9)])
def test_five_levels_come_back(shape):
  planes = np.random.default_rng(1).uniform(-128, 127, (3, *shape)).astype(np.float32)
  coefficients = _analysed(planes, 5)
  np.testing.assert_allclose(_synthesised(coefficients, 5), planes, atol=1e-3)
  parts = wavelet.subbands(coefficients, 5)
  assert sum(part.size for part in parts) == planes.size
  np.testing.assert_allclose(sum(jnp.sum(part**2) for part in parts), jnp.sum(coefficients**2), rtol=1e-5)


def test_every_coefficient_weighs_nearly_the_same():
  back = np.linalg.inv(wavelet._matrix(64)).T
  energies = np.sum(back[[*range(4, 28), *range(36, 60)]] ** 2, axis=1)  # away from the edges
  assert 0.97 < energies.min() < energies.max() < 1.09
