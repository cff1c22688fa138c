"""SSIM and PSNR on the device against scikit-image: on photographs, and where float32 has it hard."""

import jax
import numpy as np
import pytest
from skimage import metrics

from jaxdistort import distortions
from jaxdistort.metrics import similarity as quality

_BATCHED = jax.jit(jax.vmap(quality.ssim)), jax.jit(jax.vmap(quality.psnr))


def _distorted(photographs):
  key = jax.random.key(0)
  yield jax.vmap(lambda image: distortions.gaussian_blur(image, 3.0))(photographs)
  yield jax.vmap(lambda image: distortions.gaussian_noise(key, image, 1.0, 0.2))(photographs)
  yield jax.vmap(lambda image: distortions.gaussian_noise(key, image, 25.0, 1.0))(photographs)
  yield jax.vmap(lambda image: distortions.jpeg(image, 75.0))(photographs)
  yield 255 - photographs


def _expected(clean, given):
  ssim = [
    metrics.structural_similarity(x, y, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    for x, y in zip(clean, given, strict=True)
  ]
  with np.errstate(divide="ignore"):  # nothing differs
    return ssim, [metrics.peak_signal_noise_ratio(x, y) for x, y in zip(clean, given, strict=True)]


@pytest.mark.long
def test_as_in_scikit_image(photographs):
  clean = photographs.copy()
  clean[0] = 255  # flat and bright: E[y^2] - E[y]^2 of the levels would cancel
  clean[1, :, :32], clean[1, :, 32:] = 255, 0
  for given in map(np.asarray, _distorted(clean)):
    for found, expected in zip((f(clean, given) for f in _BATCHED), _expected(clean, given), strict=True):
      np.testing.assert_allclose(np.asarray(found), expected, rtol=0, atol=1e-5)


def test_alone_as_in_a_batch_and_of_any_shape(photographs):
  clean, given = photographs[2, :40, :23], photographs[3, :40, :23]
  (ssim,), (psnr,) = _expected([clean], [given])
  assert float(quality.ssim(clean, given)) == pytest.approx(ssim, abs=1e-5)
  assert float(quality.psnr(clean, given)) == pytest.approx(psnr, abs=1e-5)


def test_nothing_differs(photographs):
  assert float(quality.ssim(photographs[0], photographs[0])) == 1
  assert float(quality.psnr(photographs[0], photographs[0])) == np.inf
