"""Sharpening against scikit-image's L*a*b* and scipy's filters."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage
from skimage import color

from jaxdistort.distortions import sharpen
from tests.distortions.references import assert_alike, assert_falls, from_lab, with_odd_sides

pytestmark = [pytest.mark.optimised, pytest.mark.slow]


@pytest.mark.long
@pytest.mark.parametrize(("amount", "radius"), [(0.5, 1), (1, 3), (3, 0.7), (12, 3), (1, 5)])
def test_unsharp_masking_of_the_lightness(amount, radius, photographs):
  for image in with_odd_sides(photographs):
    lab = color.rgb2lab(image)
    blurred = ndimage.gaussian_filter(lab[..., 0], radius, mode="nearest", radius=int(np.ceil(2 * radius)))
    lab[..., 0] += amount * (lab[..., 0] - blurred)
    assert_alike(sharpen(jnp.asarray(image), amount, radius), from_lab(lab))


@pytest.mark.long
def test_nothing_is_sharpened_by_nothing(photographs):
  for image in with_odd_sides(photographs):
    np.testing.assert_array_equal(sharpen(jnp.asarray(image), 0, 3), image)
    np.testing.assert_array_equal(sharpen(jnp.asarray(image), 12, 0), image)


def test_edges_have_halos():
  edge = np.full((32, 32, 3), 80, np.uint8)
  edge[:, 16:] = 160
  ours = np.asarray(sharpen(jnp.asarray(edge), 1, 2), int)[16, :, 0]
  assert ours[15] < 65
  assert ours[16] > 175
  assert np.all(ours[:10] == 80)
  assert np.all(ours[22:] == 160)


@pytest.mark.long
def test_similarity_falls_with_the_amount(photographs):
  assert_falls(lambda image, amount: sharpen(image, amount, 3.0), (0.2, 0.5, 1, 2, 4, 12), photographs)
