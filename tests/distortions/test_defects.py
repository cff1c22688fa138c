"""Patches, blocks and lines: what they are made of, and where they lie."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from jaxdistort.distortions import block_loss, colour_blocks, interlacing, patches
from tests.distortions.references import assert_falls, with_odd_sides

pytestmark = [pytest.mark.optimised, pytest.mark.slow]

_KEYS = jax.random.split(jax.random.key(3), 400)


def test_a_patch_is_a_copy_from_nearby(photographs):
  image = photographs[1]
  ours = np.asarray(jax.vmap(patches, (0, None, None))(_KEYS[:60], jnp.asarray(image), 1))
  moves = []
  for distorted in ours:
    rows, columns = np.nonzero(np.any(distorted != image, axis=-1))
    if not rows.size:
      continue  # onto itself
    found = _source(image, distorted, rows, columns)
    assert found is not None
    moves.append(found)
  moves = np.array(moves)
  assert len(moves) > 50
  assert np.abs(moves).max() <= 8
  assert np.all(np.abs(moves.mean(axis=0)) < 4 * 4.8 / np.sqrt(len(moves)))


def _source(image, distorted, rows, columns):
  """How far away the patch that covers these pixels lies in the picture; None if there is no such patch."""
  assert np.ptp(rows) < 16
  assert np.ptp(columns) < 16
  for dy in range(-8, 9):
    for dx in range(-8, 9):
      y, x = rows + dy, columns + dx
      inside = min(y.min(), x.min()) >= 0 and max(y.max(), x.max()) < 64
      if inside and (dy, dx) != (0, 0) and np.array_equal(image[y, x], distorted[rows, columns]):
        return -dy, -dx
  return None


def test_patches_add_up(photographs):
  image, key = jnp.asarray(photographs[0]), jax.random.key(0)
  changed = [np.mean(np.any(np.asarray(patches(key, image, n)) != photographs[0], axis=-1)) for n in (0, 1, 5, 50)]
  assert changed[0] == 0
  assert np.all(np.diff(changed) > 0)
  outside = np.asarray(patches(key, jnp.zeros((100, 120, 3), jnp.uint8).at[0].set(9), 200))
  np.testing.assert_array_equal(outside[1:], 0)  # patches come from farther than 16 px, and land within 8 px of there


def test_colour_blocks_are_squares_anywhere_of_any_colour():
  grey = jnp.full((96, 80, 3), 128, jnp.uint8)
  ours = np.asarray(jax.vmap(colour_blocks, (0, None, None))(_KEYS, grey, 1))
  corners, colours = [], []
  for distorted in ours:
    covered = np.any(distorted != 128, axis=-1)
    rows, columns = np.nonzero(covered)
    assert covered.sum() == 32 * 32 == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    assert len(np.unique(distorted[covered], axis=0)) == 1
    corners.append((rows.min(), columns.min()))
    colours.append(distorted[covered][0])
  for values, highest in ((np.array(corners)[:, 0], 64), (np.array(corners)[:, 1], 48), (np.array(colours), 255)):
    deviation = highest / np.sqrt(12) / np.sqrt(values.size)
    assert abs(values.mean() - highest / 2) < 4 * deviation + 0.5
    assert values.min() < 0.05 * highest
    assert values.max() > 0.95 * highest


@pytest.mark.long
def test_lost_blocks_lie_on_a_grid_and_are_independent(photographs):
  image = jnp.asarray(np.random.default_rng(0).integers(0, 127, (70, 90, 3), np.uint8))
  for share in (0.05, 0.3):
    ours = np.asarray(jax.vmap(block_loss, (0, None, None))(_KEYS[:150], image, share))
    lost = np.all(ours == 128, axis=-1)
    np.testing.assert_array_equal(ours[~lost], np.broadcast_to(image, ours.shape)[~lost])
    blocks = lost[:, ::16, ::16]
    np.testing.assert_array_equal(np.repeat(np.repeat(blocks, 16, 1), 16, 2)[:, :70, :90], lost)
    error = np.sqrt(share * (1 - share) / blocks.size)
    assert abs(blocks.mean() - share) < 4 * error
    assert abs(np.corrcoef(blocks[:, :, 1:].reshape(-1), blocks[:, :, :-1].reshape(-1))[0, 1]) < 4 / np.sqrt(
      blocks.size
    )
  fewer = np.all(np.asarray(block_loss(_KEYS[0], image, 0.05)) == 128, axis=-1)
  assert not np.any(fewer & ~np.all(np.asarray(block_loss(_KEYS[0], image, 0.3)) == 128, axis=-1))
  small = np.asarray(block_loss(_KEYS[0], image, 0.5, block_size=8))
  assert 0.3 < np.mean(small[::8, ::8, 0] == 128) < 0.7
  with pytest.raises(ValueError, match="block_size must be at least 1 px, got 0"):
    block_loss(_KEYS[0], image, 0.5, block_size=0)
  np.testing.assert_array_equal(block_loss(_KEYS[0], jnp.asarray(photographs[0]), 1.0), 128)


@pytest.mark.parametrize("shift", [0.3, 1, 4.5, 16, 32])
def test_every_other_line_is_moved(shift, photographs):
  for image in with_odd_sides(photographs):
    ours = np.asarray(interlacing(jnp.asarray(image), shift))
    moved = ndimage.shift(image.astype(np.float64), (0, shift, 0), order=1, mode="nearest")
    np.testing.assert_array_equal(ours[::2], image[::2])
    assert np.abs(ours[1::2] - moved[1::2]).max() <= 0.51


def test_nothing_stays_as_it_is(photographs):
  image, key = jnp.asarray(photographs[0]), jax.random.key(0)
  for ours in (patches(key, image, 0), colour_blocks(key, image, 0), block_loss(key, image, 0), interlacing(image, 0)):
    np.testing.assert_array_equal(ours, image)


def test_similarity_falls_with_the_strength(photographs):
  key = jax.random.key(5)
  assert_falls(lambda image, share: block_loss(key, image, share), (0.05, 0.1, 0.2, 0.3, 0.4, 0.5), photographs)
  assert_falls(lambda image, n: colour_blocks(key, image, n), (1, 2, 5), photographs)
  assert_falls(interlacing, (0.2, 0.5, 1, 2, 3, 5), photographs)
