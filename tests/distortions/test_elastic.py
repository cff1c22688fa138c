"""Random displacements: the samples against scipy, the fields by their statistics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from jaxdistort.distortions import elastic, jitter
from jaxdistort.distortions.elastic import _affine, _field, _mirrored, _normal
from jaxdistort.distortions.randomness import random_words

pytestmark = [pytest.mark.optimised, pytest.mark.slow]

_fields = jax.jit(_field, static_argnums=(1, 2))
_maps = jax.jit(_affine)
_normals = jax.jit(lambda words: (_normal(words), _normal(words >> np.uint32(16))))
_words = jax.jit(random_words, static_argnames=("count", "stream"))
_KEY = jax.random.key(0)


def _grid(height, width):
  return np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))


@pytest.mark.long
@pytest.mark.parametrize("scale", [0.5, 2.44, 7.0, 20.0])
def test_fields_are_smooth_noise_of_deviation_one(scale):
  fields = np.stack([_fields(jax.random.key(i), 256, 256, scale) for i in range(4)]).astype(float)
  independent = fields.size / (4 * np.pi * scale**2 + 1)  # about so many
  assert abs(fields.mean()) < 4 / np.sqrt(independent)
  assert abs(fields.var() - 1) < 4 * np.sqrt(2 / independent)
  correlation = np.mean(fields * np.roll(fields, round(scale), axis=-1)) / fields.var()
  if scale > 1:  # below, the taps are too few for the formula
    assert abs(correlation - np.exp(-(round(scale) ** 2) / (4 * scale**2))) < 0.02 + 4 / np.sqrt(independent)
  assert abs(np.corrcoef(fields[:, 0].ravel(), fields[:, 1].ravel())[0, 1]) < 4 / np.sqrt(independent / 2)


def test_corners_move_uniformly_and_the_rest_with_them():
  x, y = _grid(90, 121)
  maps = np.asarray(jax.jit(jax.vmap(lambda key: _affine(key, x, y)))(jax.random.split(_KEY, 300)))
  corners = np.stack([maps[:, :, 75, 90], maps[:, :, 15, 90], maps[:, :, 15, 30]])
  assert np.abs(corners).max() <= 1 + 1e-5
  assert abs(corners.mean()) < 4 * np.sqrt(1 / 3 / corners.size)
  assert abs(corners.var() - 1 / 3) < 0.03
  np.testing.assert_allclose(np.diff(maps, 2, axis=2), 0, atol=1e-4)
  np.testing.assert_allclose(np.diff(maps, 2, axis=3), 0, atol=1e-4)


def test_positions_are_mirrored():
  positions = np.linspace(-30, 40, 300).astype(np.float32)
  folded = np.asarray(_mirrored(jnp.asarray(positions), 8))
  np.testing.assert_allclose(folded, np.abs((positions + 7) % 14 - 7), atol=1e-5)
  np.testing.assert_array_equal(_mirrored(jnp.asarray(positions), 1), 0)


@pytest.mark.long
@pytest.mark.parametrize(("amplitude", "scale", "affine"), [(2.0, 2.44, 5.0), (4.0, 20.0, 24.4), (0.0, 4.0, 24.4)])
def test_elastic_samples_the_displaced_picture(photographs, amplitude, scale, affine):
  image, shape = photographs[2][:41, :57], (41, 57)
  x, y = _grid(*shape)
  shifts = amplitude * np.asarray(_fields(_KEY, *shape, scale), float) + affine * np.asarray(_maps(_KEY, x, y), float)
  places = [y + shifts[1], x + shifts[0]]
  channels = [ndimage.map_coordinates(image[..., c].astype(float), places, order=1, mode="mirror") for c in range(3)]
  ours = np.asarray(elastic(_KEY, jnp.asarray(image), amplitude, scale, affine), float)
  assert np.mean(np.abs(ours - np.stack(channels, -1)) <= 1) >= 0.99


def test_words_become_normal_numbers():
  both = np.asarray(_normals(_words(_KEY, 200_000, 0)), float)
  for normals in both:
    moments = [np.mean(normals**power) for power in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments, [0, 1, 0, 3], atol=0.05)
  assert abs(np.corrcoef(*both)[0, 1]) < 4 / np.sqrt(200_000)


def _catmull_rom(image, x, y):
  """Bicubic samples in double precision, edge pixels repeated."""

  def weights(t):
    distances = np.abs(t[..., None] - np.arange(-1, 3))
    near = 1.5 * distances**3 - 2.5 * distances**2 + 1
    return np.where(distances < 1, near, -0.5 * distances**3 + 2.5 * distances**2 - 4 * distances + 2)

  left, top = np.floor(x).astype(int), np.floor(y).astype(int)
  columns = np.clip(left[..., None] + np.arange(-1, 3), 0, image.shape[1] - 1)
  rows = np.clip(top[..., None] + np.arange(-1, 3), 0, image.shape[0] - 1)
  near = image[rows[..., :, None], columns[..., None, :]].astype(float)
  return np.einsum("hwrc,hwr,hwc->hw", near, weights(y - top), weights(x - left))


@pytest.mark.long
@pytest.mark.parametrize("amount", [0.05, 0.5, 2.0])
def test_jitter_samples_five_times(photographs, amount):
  image = photographs[1][:40, :53]
  expected = image.astype(float)
  for turn in range(5):
    x, y = amount * np.asarray(_normals(_words(jax.random.fold_in(_KEY, turn), 40 * 53, 0)), float).reshape(2, 40, 53)
    x, y = x + np.arange(53), y + np.arange(40)[:, None]
    expected = np.clip(np.stack([_catmull_rom(expected[..., c], x, y) for c in range(3)], -1), 0, 255)
  ours = np.asarray(jitter(_KEY, jnp.asarray(image), amount), float)
  assert np.mean(np.abs(ours - expected) <= 1) >= 0.99


@pytest.mark.long
def test_more_jitter_changes_more(photographs):
  keys, images = jax.random.split(_KEY, 8), jnp.asarray(photographs)
  jittered = jax.vmap(jax.vmap(jitter, (0, 0, None)), (None, None, 0))
  changed = jittered(keys, images, jnp.asarray([0.05, 0.1, 0.2, 0.5, 1], jnp.float32))
  change = np.mean(np.abs(np.asarray(changed, float) - photographs), axis=(2, 3, 4))
  assert np.all(np.diff(change, axis=0) > 0)


@pytest.mark.long
def test_nothing_to_do_changes_nothing(photographs):
  image = jnp.asarray(photographs[3][:31])
  np.testing.assert_array_equal(elastic(_KEY, image, 0.0, 4.0, 0.0), image)
  np.testing.assert_array_equal(jitter(_KEY, image, 0.0), image)
