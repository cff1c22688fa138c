"""What ops are tested against, and how near to it they must be."""

from collections.abc import Callable, Iterable

import jax
import jax.numpy as jnp
import numpy as np
from skimage import color
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


def from_lab(lab: np.ndarray) -> np.ndarray:
  """CIE L*a*b* [..., 3] to sRGB levels 0..255, float64, without the limits that scikit-image sets on the way."""
  y = (lab[..., 0] + 16) / 116
  compressed = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
  ratios = np.where(compressed > 6 / 29, compressed**3, 3 * (6 / 29) ** 2 * (compressed - 4 / 29))
  return encoded(ratios * [0.95047, 1, 1.08883] @ np.linalg.inv(color.colorconv.xyz_from_rgb).T)


def decoded(levels: np.ndarray) -> np.ndarray:
  """sRGB levels to linear light 0..1, float64."""
  x = levels / 255
  return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def encoded(light: np.ndarray) -> np.ndarray:
  """Linear light, clipped to 0..1, to sRGB levels, float64."""
  light = np.clip(light, 0, 1)
  return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
