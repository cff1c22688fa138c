"""How far a picture is from its reference, measured on the device."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from jaxdistort.distortions.backend import compiled
from jaxdistort.runtime.mesh import DATA_AXES

_REACH = 5  # px: int(3.5 sigma + 0.5)
_TAPS = np.exp(-(np.arange(-_REACH, _REACH + 1) ** 2) / (2 * 1.5**2))
_TAPS /= _TAPS.sum()
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

SSIM_WINDOW = len(_TAPS)
"""The least side of a picture that has an SSIM, in pixels."""


def measure_sharded(mesh: Mesh) -> Callable[[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]:
  """A function of references and images, uint8 [B, H, W, 3], that gives their SSIM and PSNR in dB, float32 [B] each.

  Every device of `mesh` measures its own share of the batch.
  """

  def measure(references: jax.Array, images: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jax.vmap(ssim)(references, images), jax.vmap(psnr)(references, images)

  return jax.shard_map(measure, mesh=mesh, in_specs=P(DATA_AXES), out_specs=P(DATA_AXES), check_vma=False)


@compiled(group_on_cpu=2)
def ssim(reference: jax.Array, image: jax.Array) -> jax.Array:
  """Structural similarity of a picture, mean over pixels and channels (Wang and others, 2004).

  Gaussian weights of sigma 1.5 in a window of 11 px, population covariance, windows inside the picture only:
  scikit-image's `structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False)`.

  Differences are taken before squares: E[y^2] - E[y]^2 of the levels themselves, as usually written, is wrong by 5e-5
  in float32 where a bright flat picture meets weak noise.

  Args:
    reference: uint8 [H, W, 3], H and W at least 11.
    image: uint8 [H, W, 3].

  Returns:
    float32 [], at most 1.
  """
  x = reference.astype(jnp.float32)
  error = image.astype(jnp.float32) - x
  centre = jnp.mean(x, axis=(0, 1), keepdims=True)
  x = x - centre
  mean_x, mean_error, xx, x_error, error_error = (
    _windowed(field) for field in (x, error, x * x, x * error, error * error)
  )
  variance = xx - mean_x * mean_x
  covariance = x_error - mean_x * mean_error
  error_variance = error_error - mean_error * mean_error
  mean_x = mean_x + centre
  mean_y = mean_x + mean_error
  luminance = (2 * mean_x * mean_y + _C1) / (mean_x * mean_x + mean_y * mean_y + _C1)
  structure = (2 * (variance + covariance) + _C2) / (2 * (variance + covariance) + error_variance + _C2)
  return jnp.mean(luminance * structure)


def _windowed(field: jax.Array) -> jax.Array:
  """Weighted means over the windows inside [H, W, 3]: [H - 10, W - 10, 3]."""
  height, width, channels = field.shape
  inside = height - 2 * _REACH, (width - 2 * _REACH) * channels
  # Down the columns a banded matrix product, along the rows shifted sums: 2 to 3 times faster on CPU than either alone.
  band = np.zeros((inside[0], height), np.float32)
  for i in range(inside[0]):
    band[i, i : i + SSIM_WINDOW] = _TAPS
  rows = jnp.dot(band, field.reshape(height, width * channels), precision=jax.lax.Precision.HIGHEST)
  shifted = [rows[:, channels * i : channels * i + inside[1]] for i in range(SSIM_WINDOW)]
  total = float(_TAPS[_REACH]) * shifted[_REACH]
  for i in range(_REACH):
    total = total + float(_TAPS[i]) * (shifted[i] + shifted[-1 - i])
  return total.reshape(inside[0], width - 2 * _REACH, channels)


def psnr(reference: jax.Array, image: jax.Array) -> jax.Array:
  """Peak signal-to-noise ratio in dB, float32 [], of pictures uint8 [H, W, 3]; infinite where nothing differs."""
  error = image.astype(jnp.int32) - reference.astype(jnp.int32)
  # Rows are summed as whole numbers: float32 then rounds a few hundred sums, not every pixel's.
  squares = jnp.sum(jnp.sum(error * error, axis=(1, 2)).astype(jnp.float32))
  return 10 * jnp.log10(np.float32(255**2 * error.size) / squares)
