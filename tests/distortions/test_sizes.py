"""Pictures of any size, the smallest and odd ones too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdistort.distortions import DISTORTIONS


@pytest.mark.long
@pytest.mark.parametrize("name", DISTORTIONS)
@pytest.mark.parametrize("shape", [(1, 1), (3, 18)])
def test_any_size(name, shape):
  image = jnp.asarray(np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8))
  result = DISTORTIONS[name](jax.random.key(0), image)
  assert result.shape == image.shape
  assert result.dtype == jnp.uint8
