"""Noise of cameras against what is measured on real photographs and a simulated sensor; denoising against scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from jaxdistort.distortions import camera_noise, denoise
from jaxdistort.distortions.camera import noise_by_level
from jaxdistort.distortions.randomness import normal

pytestmark = [pytest.mark.optimised, pytest.mark.slow]

_KEYS = jax.random.split(jax.random.key(2), 4)
_SIDE = 128


def _noise(level, amount, coarseness=2.5):
  flat = jnp.full((_SIDE, _SIDE, 3), level, jnp.uint8)
  noisy = jax.vmap(lambda key: camera_noise(key, flat, amount, coarseness))(_KEYS)
  return np.asarray(noisy, float) - level


def _correlation(planes, down, right):
  """Of float [n, H, W, ...] with itself so many pixels away."""
  a, b = planes[:, down:, right:], planes[:, : _SIDE - down, : _SIDE - right]
  return np.mean(a * b) / np.mean(planes**2)


@pytest.mark.long
@pytest.mark.parametrize("coarseness", [0, 0.4, 1, 2.5, 4.1, 6])
def test_the_amount_is_the_standard_deviation_in_grey(coarseness):
  for amount in (2.0, 8.0, 24.0):
    noise = _noise(128, amount, coarseness)
    np.testing.assert_allclose(noise.std((0, 1, 2)), np.sqrt(amount**2 + 1 / 12), rtol=0.03)
    assert np.abs(noise.mean()) < 0.05 * amount
    for border in (noise[:, 0], noise[:, -1], noise[:, :, 0], noise[:, :, -1]):
      assert abs(border.std() / amount - 1) < 0.2


@pytest.mark.long
def test_neighbours_and_channels_share_it_as_in_real_photographs():
  """Means over high-ISO photographs of two makes (PolyU), in their smoother halves; see the docstring of the op."""
  noise = _noise(128, 12.0)
  for place, measured in {(0, 1): 0.69, (1, 0): 0.66, (1, 1): 0.47, (0, 2): 0.38, (2, 0): 0.33, (0, 4): 0.20}.items():
    assert abs(_correlation(noise, *place) - measured) < 0.08, place
  between = np.corrcoef(noise.reshape(-1, 3).T)
  assert abs(between[0, 1] - 0.65) < 0.05
  assert abs(between[1, 2] - 0.65) < 0.05
  assert abs(between[0, 2] - 0.6) < 0.06
  luma = noise @ [0.299, 0.587, 0.114]
  red = noise[..., 0] - luma
  assert abs(_correlation(luma, 0, 1) - 0.61) < 0.06
  assert abs(_correlation(luma, 0, 4)) < 0.06
  assert abs(_correlation(red, 0, 1) - 0.90) < 0.08
  assert abs(_correlation(red, 0, 4) - 0.55) < 0.06
  assert abs(red.std() / luma.std() - 0.61) < 0.05


def test_coarseness_is_the_size_of_blotches():
  far = []
  for coarseness in (0, 1, 2, 4, 6):
    noise = _noise(128, 12.0, coarseness)
    far.append(_correlation(noise[..., 0] - noise[..., 2], 0, 5))
  assert far == sorted(far)
  assert far[0] < 0.05
  assert far[-1] > 0.7


def test_levels_are_as_noisy_as_a_sensor_makes_them():
  """Photons and read noise, drawn in linear light, through both tone curves: slight noise, so that it stays linear."""
  generator = np.random.default_rng(0)
  scene = np.linspace(0, 1, 10001)
  curve = lambda v: 0.3 * v + 0.7 * (3 * v**2 - 2 * v**3)
  encode = lambda x: np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-9) ** (1 / 2.4) - 0.055)
  decode = lambda v: np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)

  def simulated(level):
    light = decode(np.interp(level / 255, curve(scene), scene))
    return np.std(curve(encode(light + 1e-3 * np.sqrt(light + 0.005) * generator.normal(size=200_000))))

  levels = (20, 60, 100, 128, 180, 220)
  ours = np.array([_noise(level, 8.0).std() for level in levels])
  theirs = np.array([simulated(level) for level in levels])
  np.testing.assert_allclose(ours / 8, theirs / theirs[3], rtol=0.04)


@pytest.mark.long
def test_on_photographs_the_level_sets_the_noise(photographs):
  """The standard deviation at a pixel, over many draws, is that of its level, at edges too."""
  image = jnp.asarray(photographs[2])
  keys = jax.random.split(jax.random.key(9), 200)
  spread = np.asarray(jax.vmap(lambda key: camera_noise(key, image, 4.0, 2.5))(keys), float).std(0)
  expected = np.sqrt(np.square(4 * noise_by_level()[photographs[2]]) + 1 / 12)
  inside = np.abs(photographs[2].astype(int) - 128) < 100  # where nothing is clipped
  assert inside.mean() > 0.5
  assert abs(np.mean(spread[inside] / expected[inside]) - 1) < 0.02
  assert np.std(spread[inside] / expected[inside]) < 0.1  # the mosaic's phase, and the estimate's error of 5 %


@pytest.mark.long
@pytest.mark.parametrize("op", [lambda k, i: camera_noise(k, i, 0, 2.5), lambda k, i: denoise(k, i, 0)])
def test_nothing_is_changed_at_zero(op, photographs):
  for image in photographs[:3]:
    np.testing.assert_array_equal(op(_KEYS[0], jnp.asarray(image)), image)


@pytest.mark.long
@pytest.mark.parametrize("amount", [0.5, 25.5, 57.0, 98.8])
def test_denoising_is_its_formula(amount, photographs):
  for image in (photographs[1], photographs[4], photographs[6][:33, :21]):
    noise = np.asarray(normal(_KEYS[0], image.size, stream=0), float).reshape(3, *image.shape[:2])
    noisy = np.clip(np.moveaxis(image, -1, 0) + amount * noise, 0, 255)
    box = lambda planes: ndimage.uniform_filter(planes, (0, 7, 7), mode="reflect")
    mean, variance = box(noisy), box(noisy**2) - box(noisy) ** 2
    share = np.maximum(0, 1 - amount**2 / np.maximum(variance, 1e-3))
    expected = np.moveaxis(box(share) * noisy + box((1 - share) * mean), 0, -1)
    ours = np.asarray(denoise(_KEYS[0], jnp.asarray(image), amount), float)
    assert np.mean(np.abs(ours - expected) <= 1) > 0.999


def test_denoising_leaves_blotches_and_takes_texture():
  texture = np.random.default_rng(0).integers(96, 160, (_SIDE, _SIDE, 3), np.uint8)
  left = np.asarray(denoise(_KEYS[0], jnp.asarray(texture), 57), float) - 127.5
  assert left.std() < 0.5 * texture.std()
  assert _correlation(left[None] - left.mean(), 0, 3) > 0.3  # what stays is coarse
