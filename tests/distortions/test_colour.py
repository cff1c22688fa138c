"""Colour against scikit-image, scipy and the formulas in float64."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage
from skimage import color

from jaxdistort.distortions import (
  colour_cast,
  colour_diffusion,
  colour_shift,
  colour_spaces,
  lab_saturation,
  saturation,
)
from tests.distortions.references import assert_alike, assert_falls, decoded, encoded, from_lab, with_odd_sides

pytestmark = [pytest.mark.optimised, pytest.mark.slow]

_COLOURS = np.stack(np.meshgrid(*[np.arange(0, 256, 17, np.uint8)] * 3), axis=-1).reshape(64, 64, 3)


def _saturated(image, scale, shift):
  hsv = color.rgb2hsv(image)
  hsv[..., 1] = np.clip(hsv[..., 1] * scale + shift, 0, 1)
  return 255 * color.hsv2rgb(hsv)


@pytest.mark.parametrize(("scale", "shift"), [(0.4, 0), (0, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)])
def test_saturation_is_that_of_hsv(scale, shift, photographs):
  for image in [*with_odd_sides(photographs), _COLOURS]:
    assert_alike(saturation(jnp.asarray(image), scale, shift), _saturated(image, scale, shift))


def test_below_no_saturation_lie_the_complements():
  red = jnp.asarray([[[200, 100, 100]]], jnp.uint8)
  np.testing.assert_array_equal(saturation(red, -0.4, 0), [[[200, 240, 240]]])
  np.testing.assert_array_equal(saturation(red, 0, 0), [[[200, 200, 200]]])


def test_lab_is_scikit_image_s():
  planes = jnp.moveaxis(jnp.asarray(_COLOURS), -1, 0)
  lab = jax.jit(colour_spaces.to_lab)(planes)
  np.testing.assert_allclose(jnp.moveaxis(lab, 0, -1), color.rgb2lab(_COLOURS), atol=0.05)
  np.testing.assert_allclose(jax.jit(colour_spaces.from_lab)(lab), planes, atol=0.01)
  greys = np.all(_COLOURS[..., :1] == _COLOURS, axis=-1)
  assert np.abs(np.asarray(lab)[1:, greys]).max() < 1e-3


def test_cube_roots():
  x = np.geomspace(1e-6, 1e3, 5000).astype(np.float32)
  np.testing.assert_allclose(jax.jit(colour_spaces.cube_root)(x), np.cbrt(x.astype(np.float64)), rtol=3e-7)


@pytest.mark.parametrize("factor", [0, 0.5, 2, 3])
def test_saturation_of_lab_is_scikit_image_s(factor, photographs):
  for image in with_odd_sides(photographs):
    lab = color.rgb2lab(image) * [1, factor, factor]
    assert_alike(lab_saturation(jnp.asarray(image), factor), from_lab(lab))


def _cast(image, amount, hue):
  return encoded(decoded(image) * 2 ** (amount * np.cos(hue - 2 * np.pi / 3 * np.arange(3))))


@pytest.mark.parametrize(("amount", "hue"), [(0.2, 0.0), (0.7, 2.5), (2.0, -4.0)])
def test_a_cast_multiplies_the_light(amount, hue, photographs):
  for image in with_odd_sides(photographs):
    assert_alike(colour_cast(jnp.asarray(image), amount, hue), _cast(image, amount, hue))


@pytest.mark.long
@pytest.mark.parametrize(("sigma", "factor"), [(3.5, 1), (6.5, 3), (9.0, 2), (20.0, 3)])
def test_diffusion_blurs_a_and_b(sigma, factor, photographs):
  for image in with_odd_sides(photographs):
    lab = color.rgb2lab(image)
    radius = int(np.ceil(2 * sigma))
    lab[..., 1:] = factor * ndimage.gaussian_filter(lab[..., 1:], (sigma, sigma, 0), mode="nearest", radius=radius)
    assert_alike(colour_diffusion(jnp.asarray(image), sigma, factor), from_lab(lab))


def _shifted(image, shift):
  """KADIS-700k's, by numpy and scipy, in levels; `shift` in whole pixels down and to the right."""
  luma = image @ np.array([0.2989, 0.587, 0.114])
  wider = np.pad(luma, 1, "edge")
  steepness = np.hypot(wider[2:, 1:-1] - wider[:-2, 1:-1], wider[1:-1, 2:] - wider[1:-1, :-2]) / 2
  steepness = ndimage.gaussian_filter(steepness, 4, mode="nearest", radius=8)
  weights = np.clip((steepness - steepness.min()) / np.ptp(steepness), 0.1, 1)
  low, high = np.quantile(weights, [0.01, 0.99])
  weights = np.clip((weights - low) / (high - low), 0, 1)
  height, width = luma.shape
  green = np.pad(image[..., 1], ((shift[0], 0), (shift[1], 0)), "edge")[:height, :width]
  result = image.astype(np.float64)
  result[..., 1] += weights * (green - result[..., 1])
  return result


@pytest.mark.long
@pytest.mark.parametrize("amount", [1, 6, 12])
def test_a_shift_moves_green_where_there_are_edges(amount, photographs):
  angles = (np.arange(1, 1000) / 1000) * np.pi / 2
  steps = np.unique(np.round(amount * np.stack([np.sin(angles), np.cos(angles)], axis=1)).astype(int), axis=0)
  found = set()
  for seed, image in enumerate([*with_odd_sides(photographs)] * 2):
    ours = np.asarray(colour_shift(jax.random.key(seed), jnp.asarray(image), amount))
    np.testing.assert_array_equal(ours[..., [0, 2]], image[..., [0, 2]])
    candidates = [np.floor(_shifted(image, step) + 0.5) for step in steps]
    shares = [np.mean(np.abs(ours - candidate) <= 1) for candidate in candidates]
    assert max(shares) >= 0.99
    found.add(tuple(steps[int(np.argmax(shares))]))
  assert len(found) > 1


@pytest.mark.parametrize(
  ("op", "identity"),
  [
    (saturation, (1, 0)),
    (lab_saturation, (1,)),
    (colour_cast, (0, 2.0)),
    (colour_diffusion, (0, 1)),
    (functools.partial(colour_shift, jax.random.key(0)), (0,)),
  ],
)
def test_every_colour_stays_at_the_identity(op, identity):
  np.testing.assert_array_equal(op(jnp.asarray(_COLOURS), *identity), _COLOURS)


@pytest.mark.long
@pytest.mark.parametrize(
  ("op", "values"),
  [
    (lambda image, scale: saturation(image, scale, 0.0), (0.8, 0.5, 0.2, 0, -0.4, -1)),
    (lambda image, scale: saturation(image, scale, 0.0), (1.3, 1.7, 2.5, 4, 8, 20)),
    (lab_saturation, (1.2, 1.5, 2, 3, 6, 12)),
    (lambda image, amount: colour_cast(image, amount, 0.5), (0.1, 0.3, 0.6, 1, 1.5, 2)),
    (lambda image, sigma: colour_diffusion(image, sigma, 1.0), (0.5, 1, 1.5, 2, 4, 8)),
    (lambda image, factor: colour_diffusion(image, 1.5 * factor + 2, factor), (1, 2, 3, 6, 8, 12)),
  ],
)
def test_similarity_falls_with_the_strength(op, values, photographs):
  assert_falls(op, values, photographs)
