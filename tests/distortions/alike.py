"""How near two pictures are, for tests of ops against other implementations."""

from collections.abc import Callable, Iterable

import jax
import jax.numpy as jnp
import numpy as np
from skimage.metrics import structural_similarity


def assert_alike(ours: jax.Array, theirs: np.ndarray) -> None:
  """Within one level on 99 % of the values, `theirs` being levels 0..255 not rounded."""
  expected = np.clip(np.floor(np.asarray(theirs, np.float64) + 0.5), 0, 255)
  assert np.mean(np.abs(np.asarray(ours, np.float64) - expected) <= 1) >= 0.99


def with_odd_sides(photographs: np.ndarray) -> list[np.ndarray]:
  """Several pictures, one with odd sides."""
  return [photographs[0], photographs[3], photographs[5][:41, :27]]


def assert_falls(op: Callable[..., jax.Array], values: Iterable[float], photographs: np.ndarray) -> None:
  """SSIM with the original falls from one value of a parameter to the next, for every picture."""
  run = jax.jit(jax.vmap(op, (0, None)))
  images = jnp.asarray(photographs)
  similarity = np.array(
    [
      [
        structural_similarity(image, ours, channel_axis=2)
        for image, ours in zip(photographs, np.asarray(run(images, value)), strict=True)
      ]
      for value in map(jnp.float32, values)
    ]
  )
  assert np.all(np.diff(similarity, axis=0) < 1e-4), similarity.round(4)
