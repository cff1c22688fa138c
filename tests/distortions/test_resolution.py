"""Lost resolution against Pillow."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from jaxdistort.distortions import DISTORTIONS, pixelate, upscaled

pytestmark = [pytest.mark.optimised, pytest.mark.slow]

_KINDS = ("pixelate", "subsampled", "upscaled_nearest", "upscaled_bilinear", "upscaled_bicubic")
_FILTERS = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}


def _pillow(image, scale, down, up):
  """Of one picture: shrunk to whole sides that are rounded down, and back."""
  height, width = image.shape[:2]
  small = [max(1, int(side * scale)) for side in (width, height)]
  return np.asarray(Image.fromarray(image).resize(small, down).resize((width, height), up), int)


@functools.cache
def _jitted(name):
  return jax.jit(functools.partial(DISTORTIONS[name], jax.random.key(0)))


def _check(name, images, scales, down, up, exact):
  for image in images:
    for scale in scales:
      ours = np.asarray(_jitted(name)(jnp.asarray(image), scale=scale), int)
      difference = np.abs(ours - _pillow(image, scale, down, up))
      assert difference.max() <= (0 if exact else 2), scale
      assert np.mean(difference > 0) <= 0.03, scale  # weights are multiples of 2^-15
      assert np.mean(difference > 1) <= 1e-3, scale


def _odd(photographs):
  return np.ascontiguousarray(photographs[5][:61, :53])


_ODD_SCALES = (0.85, 0.41, 0.25, 0.02)  # of odd sides they make odd sides: no middle of a pixel lies on a border


@pytest.mark.long
def test_pixelate_equals_pillow(photographs):
  _check("pixelate", photographs[:4], (0.6, 0.5, 0.4, 0.3, 0.25, 0.1, 0.02), Image.BOX, Image.NEAREST, exact=True)
  _check("pixelate", [_odd(photographs)], _ODD_SCALES, Image.BOX, Image.NEAREST, exact=True)


def test_subsampled_equals_pillow(photographs):
  _check("subsampled", [_odd(photographs)], _ODD_SCALES, Image.NEAREST, Image.NEAREST, exact=True)
  _check("subsampled", photographs[:3], (0.5, 0.25), Image.NEAREST, Image.NEAREST, exact=True)


@pytest.mark.long
@pytest.mark.parametrize("filter", _FILTERS)
def test_upscaled_equals_pillow(filter, photographs):
  name = f"upscaled_{filter}"
  _check(name, photographs[:3], (0.9, 0.5, 0.3, 0.25, 0.1, 0.02), Image.BICUBIC, _FILTERS[filter], exact=False)
  _check(name, [_odd(photographs)], _ODD_SCALES, Image.BICUBIC, _FILTERS[filter], exact=False)


@pytest.mark.long
@pytest.mark.parametrize("name", _KINDS)
def test_a_scale_of_1_changes_nothing(name, photographs):
  for image in (photographs[0], _odd(photographs)):
    np.testing.assert_array_equal(_jitted(name)(jnp.asarray(image), scale=1.0), image)


@pytest.mark.parametrize("name", _KINDS)
def test_a_smaller_scale_changes_more(name, photographs):
  scales = (0.9, 0.7, 0.5, 0.3, 0.15, 0.05)
  for image in photographs[:4]:
    changed = [np.asarray(_jitted(name)(jnp.asarray(image), scale=scale)) for scale in scales]
    likeness = [structural_similarity(image, picture, channel_axis=2) for picture in changed]
    assert likeness == sorted(likeness, reverse=True)


def test_options_are_checked():
  image = jnp.zeros((4, 4, 3), jnp.uint8)
  with pytest.raises(ValueError, match=r"upscaled: expected a filter among nearest, box, .* got 'cubic'"):
    upscaled(image, 0.5, filter="cubic")
  with pytest.raises(ValueError, match=r"pixelate: scale must be within 0\.02\.\.1, got 0"):
    pixelate(image, 0)
