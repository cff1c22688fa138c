"""Light against scikit-image, numpy and the formulas in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from skimage import color

from jaxdistort.distortions import brighten, brightness, contrast, contrast_curve, darken, exposure, mean_shift
from tests.distortions.references import assert_alike, assert_falls, decoded, encoded, with_odd_sides

pytestmark = [pytest.mark.optimised, pytest.mark.slow]

_LEVELS = jnp.asarray(np.stack(np.meshgrid(*[np.arange(0, 256, 17, np.uint8)] * 3), axis=-1).reshape(64, 64, 3))


def _exposed(image, stops):
  return encoded(decoded(image) * 2.0**stops)


def _brighter(image, shift):
  hsv = color.rgb2hsv(image)
  hsv[..., 2] = np.clip(hsv[..., 2] + shift / 255, 0, 1)
  return 255 * color.hsv2rgb(hsv)


def _curve(x, height):
  """The parabola through 0, (1/2, height) and 1."""
  return np.clip(np.polyval(np.polyfit([0, 0.5, 1], [0, height, 1], 2), x), 0, 1)


def _brightened(image, amount):
  lab = color.rgb2lab(image)
  lab[..., 0] = 100 * _curve(lab[..., 0] / 100, 0.5 + amount / 2)
  return 255 * (2 * _curve(image / 255, 0.5 + amount / 2) + color.lab2rgb(lab)) / 3


def _contrasted(image, factor):
  means = image.mean(axis=(0, 1), keepdims=True)
  return (image - means) * factor + means


def _curved(image, amount):
  """KADIS-700k's: a spline that is not a knot at .3 and .7, its amount smaller by .2."""
  a = amount - 0.2
  spline = CubicSpline([0, 0.3, 0.5, 0.7, 1], [0, 0.25 - a / 4, 0.5, 0.75 + a / 4, 1])
  return 255 * spline(image / 255)


_CASES = [
  (exposure, _exposed, (-6, -2, -0.3, 1.5, 4)),
  (brightness, _brighter, (10, 25.5, 127.5, 255)),
  (brighten, _brightened, (0.1, 0.4, 1.1)),
  (darken, lambda image, amount: 255 * _curve(image / 255, 0.5 - amount / 2), (0.05, 0.4, 0.8)),
  (mean_shift, lambda image, shift: image + np.float64(shift), (-38.25, -12, 20.4, 255)),
  (contrast, _contrasted, (0, 0.05, 0.4, 2, 8)),
  (contrast_curve, _curved, (-0.4, -0.2, 0.2, 0.5)),
]


def _id(value):
  return getattr(value, "__name__", None)


@pytest.mark.long
@pytest.mark.parametrize(("op", "theirs", "values"), _CASES, ids=_id)
def test_the_formula(op, theirs, values, photographs):
  for image in with_odd_sides(photographs):
    for value in values:
      assert_alike(op(jnp.asarray(image), value), theirs(image, value))


@pytest.mark.parametrize(
  ("op", "identity"),
  [(exposure, 0), (brightness, 0), (brighten, 0), (darken, 0), (mean_shift, 0), (contrast, 1), (contrast_curve, 0)],
  ids=_id,
)
def test_every_colour_stays_at_the_identity(op, identity):
  np.testing.assert_array_equal(op(_LEVELS, identity), _LEVELS)


@pytest.mark.long
@pytest.mark.parametrize(
  ("op", "values"),
  [
    (exposure, (0.2, 0.5, 1, 1.7, 2.5, 4)),
    (exposure, (-0.3, -1, -2, -3, -4.5, -6)),
    (brightness, (5, 20, 40, 80, 120, 190)),
    (brighten, (0.05, 0.2, 0.4, 0.7, 1.1, 1.5)),
    (darken, (0.05, 0.1, 0.2, 0.4, 0.8, 1.2)),
    (mean_shift, (5, 10, 20, 40, 80, 128)),
    (contrast, (0.9, 0.7, 0.5, 0.3, 0.1, 0)),
    (contrast, (1.2, 1.6, 2, 3, 5, 8)),
    (contrast_curve, (0.05, 0.1, 0.3, 0.5, 0.7, 1)),
  ],
  ids=_id,
)
def test_similarity_falls_with_the_strength(op, values, photographs):
  assert_falls(op, values, photographs)


def test_black_brightens_to_grey():
  assert np.all(np.asarray(brightness(jnp.zeros((2, 2, 3), jnp.uint8), 51)) == 51)


def test_exposures_undo_each_other_where_nothing_is_clipped():
  ramp = jnp.asarray(np.repeat(np.arange(60, 120, dtype=np.uint8)[None, :, None], 3, axis=2))
  there = exposure(ramp, 1.0)
  assert np.abs(np.asarray(exposure(there, -1.0), int) - np.asarray(ramp, int)).max() <= 1


def test_contrast_keeps_the_means(photographs):
  ours = jax.vmap(contrast, (0, None))(jnp.asarray(photographs), 0.3)
  np.testing.assert_allclose(np.mean(ours, axis=(1, 2)), photographs.mean(axis=(1, 2)), atol=0.5)
