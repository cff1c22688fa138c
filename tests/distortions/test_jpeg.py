"""The JPEG op against Pillow's encoder and decoder."""

import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxdistort.distortions import jpeg

pytestmark = pytest.mark.optimised


def _pillow(image, quality):
  file = io.BytesIO()
  Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling="4:2:0")
  return np.asarray(Image.open(file).convert("RGB"), int)


@pytest.mark.long
@pytest.mark.parametrize("quality", [1, 5, 10, 30, 49, 50, 75, 90, 95, 100])
def test_equals_pillow_on_photographs(photographs, quality):
  ours = np.asarray(jax.jit(jax.vmap(jpeg, (0, None)))(photographs, quality), int)
  difference = np.abs(ours - np.stack([_pillow(p, quality) for p in photographs]))
  assert difference.mean() <= 0.01  # the floor asked for is 0.5
  assert np.mean(difference > 0) <= 1e-3


@pytest.mark.long
@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (4, 17), (15, 16), (31, 33)])
def test_sides_that_are_no_multiple_of_a_block(photographs, shape):
  image = np.ascontiguousarray(photographs[3][: shape[0], : shape[1]])
  difference = np.abs(np.asarray(jpeg(jnp.asarray(image), 75), int) - _pillow(image, 75))
  assert difference.mean() <= 0.05


@pytest.mark.long
def test_noise_and_extremes():
  rng = np.random.default_rng(0)
  for image in (rng.integers(0, 256, (48, 48, 3), np.uint8), rng.choice([0, 255], (48, 48, 3)).astype(np.uint8)):
    for quality in (10, 75, 100):
      difference = np.abs(np.asarray(jpeg(jnp.asarray(image), quality), int) - _pillow(image, quality))
      assert difference.mean() <= 0.01


def test_a_quality_of_its_own_for_every_picture(photographs):
  batch = jax.vmap(jpeg)(photographs[:3], jnp.asarray([5.0, 50.0, 95.0]))
  for image, original, quality in zip(batch, photographs, (5, 50, 95), strict=False):
    np.testing.assert_array_equal(image, jpeg(jnp.asarray(original), quality))


def test_lower_quality_changes_more(photographs):
  change = [
    np.abs(np.asarray(jpeg(jnp.asarray(photographs[0]), q), int) - photographs[0]).mean() for q in (95, 75, 50, 20, 5)
  ]
  assert change == sorted(change)
