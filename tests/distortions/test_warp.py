"""Warps: identities, centres, tables of the noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdistort.distortions import marble, ripple, twirl
from jaxdistort.distortions.gradient_noise import (
  gradient_noise,
  grid_lines,
  interpolate,
  noise_tables,
  stored_lines,
)

pytestmark = pytest.mark.optimised


@pytest.mark.slow
def test_nothing_to_do_changes_nothing(photographs):
  image = jnp.asarray(photographs[0])
  np.testing.assert_array_equal(twirl(image, 0.0, 250.0), image)
  np.testing.assert_array_equal(twirl(image, 3.0, 0.0), image)
  np.testing.assert_array_equal(ripple(image, 0.0, 10.0, 0.0, 10.0), image)
  np.testing.assert_array_equal(marble(jax.random.key(0), image, 20.0, 0.0, 5.0), image)


def test_twirl_leaves_what_lies_outside_its_radius(photographs):
  image = photographs[1]
  result = np.asarray(twirl(jnp.asarray(image), 2.0, 15.0, center=(0.25, 0.75)))
  y, x = np.mgrid[:64, :64]
  outside = np.hypot(x - 16, y - 48) > 15
  np.testing.assert_array_equal(result[outside], image[outside])
  assert np.mean(result[~outside] != image[~outside]) > 0.5


def test_tables_are_a_permutation_and_unit_vectors():
  tables = noise_tables(jax.random.key(4))
  assert tables.permutation.shape == (514,)
  assert tables.gradients.shape == (514, 2)
  np.testing.assert_array_equal(np.sort(tables.permutation[:256]), np.arange(256))
  np.testing.assert_array_equal(tables.permutation[256:512], tables.permutation[:256])
  np.testing.assert_array_equal(tables.gradients[512:], tables.gradients[:2])
  np.testing.assert_allclose(np.linalg.norm(tables.gradients, axis=1), 1, atol=1e-5)
  assert np.any(tables.permutation != noise_tables(jax.random.key(5)).permutation)


@pytest.mark.slow
def test_gradient_noise_is_zero_on_the_lattice_and_smooth_between():
  tables = noise_tables(jax.random.key(0))
  noise = jax.jit(gradient_noise)
  lattice = noise(jnp.arange(10.0), jnp.arange(12.0), tables)
  assert lattice.shape == (12, 10)
  np.testing.assert_allclose(lattice, 0, atol=1e-6)
  fine = np.asarray(noise(jnp.arange(0, 8, 0.01), jnp.arange(0, 2, 0.5), tables))
  assert 0.3 < np.abs(fine).max() < 1.6
  assert np.abs(np.diff(fine, axis=1)).max() < 0.05


@pytest.mark.parametrize("scale", [3.3, 20.0])
def test_grid_lines_that_are_stored_give_the_same_noise(scale):
  tables, x, y = noise_tables(jax.random.key(2)), jnp.arange(30.0) / scale, jnp.arange(40.0) / scale
  noise = [
    jax.jit(lambda lines=lines: interpolate(y, lines()))()
    for lines in (lambda: grid_lines(x, tables), lambda: stored_lines(x, 13, tables))
  ]
  np.testing.assert_array_equal(*noise)


def test_marble_draws_its_tables_from_the_key(photographs):
  image = jnp.asarray(photographs[2])
  by_key = marble(jax.random.key(9), image, 20.0, 20.0, 5.0)
  by_tables = marble(jax.random.key(0), image, 20.0, 20.0, 5.0, tables=noise_tables(jax.random.key(9)))
  np.testing.assert_array_equal(by_key, by_tables)
  plain = jax.tree.map(np.asarray, noise_tables(jax.random.key(9)))
  np.testing.assert_array_equal(by_key, marble(jax.random.key(0), image, 20.0, 20.0, 5.0, tables=plain))
  assert np.mean(by_key != marble(jax.random.key(8), image, 20.0, 20.0, 5.0)) > 0.3
