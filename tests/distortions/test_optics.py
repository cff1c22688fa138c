"""Blurs of lenses against scipy with their kernels in double precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage
from skimage.metrics import structural_similarity

from jaxdistort.distortions import box_blur, defocus_blur, zoom_blur

pytestmark = [pytest.mark.optimised, pytest.mark.slow]


def _close(ours, expected):
  """Within 1 level on 99 % of the values, and near it everywhere."""
  difference = np.abs(np.asarray(ours, float) - expected)
  assert np.mean(difference <= 1) >= 0.99
  assert difference.max() <= 2


def _disk(radius):
  """Shares of the pixels that a disk covers, by 100 x 100 points in each."""
  reach = int(np.ceil(radius))
  points = np.arange(-reach * 100 - 50, reach * 100 + 50) / 100 + 0.005
  covered = points[:, None] ** 2 + points**2 <= max(radius, 0.5) ** 2
  size = 2 * reach + 1
  shares = covered.reshape(size, 100, size, 100).mean((1, 3))
  return shares / shares.sum()


@pytest.mark.long
@pytest.mark.parametrize("radius", [0.8, 1.0, 3.0, 6.4, 10.0, 16.0])
def test_defocus_is_a_disk(photographs, radius):
  for image in (photographs[0], photographs[5][:31, :45]):
    ours = defocus_blur(jnp.asarray(image), radius)
    _close(ours, ndimage.correlate(image.astype(float), _disk(radius)[..., None], mode="nearest"))


@pytest.mark.long
def test_the_maximum_of_the_radius_sets_the_range_alone(photographs):
  image = jnp.asarray(photographs[1])
  _close(defocus_blur(image, 7.3), np.asarray(defocus_blur(image, 7.3, max_radius=30)))
  _close(defocus_blur(image, 25, max_radius=25), ndimage.correlate(image, _disk(25)[..., None], float, mode="nearest"))
  with pytest.raises(ValueError, match=r"radius must be within 0\.\.16 px, got 17; raise max_radius"):
    defocus_blur(image, 17)


@pytest.mark.long
@pytest.mark.parametrize("width", [1.5, 3.0, 4.0, 11.0, 33.0])
def test_box_is_a_moving_average(photographs, width):
  distances = np.abs(np.arange(-17, 18))
  taps = np.clip((width + 1) / 2 - distances, 0, 1) / width
  for image in (photographs[2], photographs[3][:5, :45]):
    rows = ndimage.correlate1d(image.astype(float), taps, 1, mode="nearest")
    ours = box_blur(jnp.asarray(image), width)
    _close(ours, ndimage.correlate1d(rows, taps, 0, mode="nearest"))
    if width in (3, 11, 33):
      _close(ours, ndimage.uniform_filter(image.astype(float), (width, width, 1), mode="nearest"))


@pytest.mark.long
@pytest.mark.parametrize(
  ("zoom", "step", "count"), [(1.01, 0.01, 2), (1.1, 0.01, 11), (1.26, 0.02, 14), (1.55, 0.07, 9)]
)
def test_zoom_is_a_mean_of_enlargements(photographs, zoom, step, count):
  for image in (photographs[4].astype(float), photographs[6][:37, :50].astype(float)):
    height, width, _ = image.shape
    total = image.copy()
    for enlargement in np.linspace(1, zoom, count):
      y, x = (((np.arange(n) - (n - 1) / 2) / enlargement + (n - 1) / 2) for n in (height, width))
      places = np.meshgrid(y, x, indexing="ij")
      total += np.stack([ndimage.map_coordinates(image[..., c], places, order=1, mode="nearest") for c in range(3)], -1)
    _close(zoom_blur(jnp.asarray(image, jnp.uint8), zoom, step), total / (count + 1))


@pytest.mark.parametrize(("blur", "nothing"), [(defocus_blur, (0.0, 0.5)), (box_blur, (1.0,))])
def test_nothing_to_do_changes_nothing(photographs, blur, nothing):
  for value in nothing:
    np.testing.assert_array_equal(blur(jnp.asarray(photographs[0]), value), photographs[0])
  np.testing.assert_array_equal(zoom_blur(jnp.asarray(photographs[0]), 1.0, 0.01), photographs[0])


@pytest.mark.long
@pytest.mark.parametrize("blur", [defocus_blur, box_blur, lambda image, x: zoom_blur(image, 1 + x / 25, 0.01)])
def test_more_blur_is_less_like_the_picture(photographs, blur):
  images, levels = jnp.asarray(photographs), jnp.asarray([1, 1.5, 2.5, 4, 6, 9], jnp.float32)
  blurred = jax.vmap(jax.vmap(blur, (0, None)), (None, 0))(images, levels)
  for i, image in enumerate(photographs):
    likeness = [structural_similarity(image, np.asarray(one[i]), channel_axis=-1) for one in blurred]
    assert likeness == sorted(likeness, reverse=True)
    assert likeness[-1] < likeness[0] - 0.1
