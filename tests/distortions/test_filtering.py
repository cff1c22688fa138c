"""Filters with traced taps against scipy, in the forms of CPU and of accelerators."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from jaxdistort.distortions import filtering

pytestmark = [pytest.mark.optimised, pytest.mark.slow]

_MODES = {"edge": "nearest", "symmetric": "reflect", "reflect": "mirror", "constant": "constant", "wrap": "wrap"}
_PLANES = np.random.default_rng(0).uniform(0, 255, (3, 21, 34)).astype(np.float32)


@pytest.mark.parametrize("mode", _MODES)
def test_along_an_axis(mode):
  taps = np.float32([1, 2, 5, 2, 1]) / 11
  for axis in (1, 2):
    ours = filtering.filter_axis(jnp.asarray(_PLANES), jnp.asarray(taps), axis, mode)
    np.testing.assert_allclose(ours, ndimage.correlate1d(_PLANES, taps, axis, mode=_MODES[mode]), atol=1e-3)


@pytest.mark.long
@pytest.mark.parametrize("mode", ["edge", "symmetric"])
def test_a_kernel_of_two_axes(mode):
  kernel = np.random.default_rng(1).uniform(0, 0.1, (5, 5)).astype(np.float32)
  expected = ndimage.correlate(_PLANES, kernel[None], mode=_MODES[mode])
  np.testing.assert_allclose(filtering.correlate(jnp.asarray(_PLANES), jnp.asarray(kernel), mode), expected, atol=1e-3)


@pytest.mark.parametrize("sigma", [0.0, 0.7, 3.0])
def test_smooth(sigma):
  expected = ndimage.gaussian_filter(_PLANES, (0, sigma, sigma), mode="nearest", radius=(0, 9, 9))
  np.testing.assert_allclose(filtering.smooth(jnp.asarray(_PLANES), jnp.float32(sigma), 9), expected, atol=1e-3)


@pytest.mark.long
def test_both_forms_agree():
  for reach in (11, filtering._UNROLLED + 1):  # one kernel; a loop
    taps = filtering.gaussian_taps(jnp.float32(6.3), reach)
    planes = jnp.pad(jnp.asarray(_PLANES), ((0, 0), (0, 0), (reach, reach)), "edge")
    shifted = jax.jit(filtering._shifted_sums, static_argnums=2)(planes, taps, 2)
    np.testing.assert_allclose(filtering._convolution(planes, taps[None, None, None]), shifted, atol=1e-3)


def test_the_first_size_that_is_enough():
  sizes = (2, 5, 9)
  add = lambda size, operand: operand + size
  run = jax.jit(lambda needed: filtering.at_least(needed, sizes, add, jnp.int32(0)))
  assert [int(run(jnp.float32(needed))) for needed in (0, 2, 2.1, 5, 7, 99)] == [2, 2, 5, 5, 9, 9]


@pytest.mark.parametrize("sigma", [0.0, 0.3, 1.0, 2.6])
def test_short_taps_end_at_two_sigma(sigma):
  taps = np.asarray(filtering.short_gaussian_taps(jnp.float32(sigma), 9))
  impulse = np.zeros(19)
  impulse[9] = 1
  expected = ndimage.gaussian_filter1d(impulse, max(sigma, 1e-3), mode="constant", radius=int(np.ceil(2 * sigma)))
  np.testing.assert_allclose(taps, expected, atol=1e-6)
