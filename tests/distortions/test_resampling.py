"""Resampling by traced factors against Pillow's `resize`."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxdistort.distortions import window
from jaxdistort.distortions.resampling import weights

pytestmark = [pytest.mark.optimised, pytest.mark.long]

_FILTERS = {"box": Image.BOX, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}


@functools.cache
def _jitted(size, filter):
  return jax.jit(functools.partial(window, size=size, filter=filter))


@pytest.mark.long
@pytest.mark.parametrize("filter", _FILTERS)
def test_a_window_is_cut_from_the_picture_that_pillow_makes(filter, photographs):
  image = np.ascontiguousarray(photographs[3][:51])
  for scale, top, left in ((0.3, -3, 40), (0.77, 0, 0), (1, 9, -70), (1.4, 50.9, 13)):
    height, width = (int(side * scale + 0.5) for side in image.shape[:2])
    whole = np.asarray(Image.fromarray(image).resize((width, height), _FILTERS[filter]))
    framed = np.pad(whole, ((200, 200), (200, 200), (0, 0)), "symmetric")
    rows, columns = (slice(200 + int(np.floor(start)), 232 + int(np.floor(start))) for start in (top, left))
    ours = np.asarray(_jitted(32, filter)(jnp.asarray(image), scale, top, left), int)
    difference = np.abs(ours - framed[rows, columns])
    assert difference.max() <= 1
    assert np.mean(difference > 0) <= 0.02


@pytest.mark.long
def test_a_window_of_its_own_for_every_picture(photographs):
  images, scales, starts = jnp.asarray(photographs[:3]), jnp.float32([0.3, 1, 1.4]), jnp.float32([0, -7, 20])
  cut = functools.partial(window, size=24, filter="bicubic")
  for i, own in enumerate(jax.vmap(cut)(images, scales, starts, starts[::-1])):
    np.testing.assert_array_equal(own, cut(images[i], scales[i], starts[i], starts[2 - i]))


def test_any_size_and_bounds():
  pixel = jnp.full((1, 1, 3), 77, jnp.uint8)
  for filter in _FILTERS:
    assert np.all(_jitted(5, filter)(pixel, 0.05, -2, 3) == 77)
  assert np.all(_jitted(5, "box")(pixel, jnp.nan, 0, 0) == 0)
  with pytest.raises(ValueError, match=r"window: scale must be within 0\.05\.\.4, got 5"):
    window(pixel, 5, 0, 0, size=4, filter="box")
  with pytest.raises(ValueError, match=r"window: left must be within .* px, got nan"):
    window(pixel, 1, 0, np.nan, size=4, filter="box")
  with pytest.raises(ValueError, match=r"one of the filters box, .* got 4 and 'cubic'"):
    window(pixel, 1, 0, 0, size=4, filter="cubic")


@pytest.mark.long
@pytest.mark.parametrize("filter", _FILTERS)
def test_weights_beyond_the_source_are_0(filter):
  matrix = np.asarray(weights(filter, 20, 7, 13, jnp.arange(13)))
  assert not matrix[:, 7:].any()
  values = np.random.default_rng(0).uniform(0, 255, (1, 7)).astype(np.float32)
  expected = np.asarray(Image.fromarray(values).resize((13, 1), _FILTERS[filter]))
  np.testing.assert_allclose(matrix[:, :7] @ values[0], expected[0], atol=1e-2)
