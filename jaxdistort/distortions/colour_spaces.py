"""Colour spaces: sRGB (the pictures), linear light, Y'CbCr. Floats 0..1 unless said otherwise."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxdistort.distortions.backend import lookup

_RGB_TO_YCBCR = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


def _decode(encoded: np.ndarray) -> np.ndarray:
  return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


_LINEAR = _decode(np.arange(256) / 255).astype(np.float32)


def to_linear(levels: jax.Array) -> jax.Array:
  """sRGB levels, uint8 of any shape, to linear light float32 0..1 (IEC 61966-2-1)."""
  return lookup(jnp.asarray(_LINEAR), levels.astype(jnp.int32))


def from_linear(light: jax.Array) -> jax.Array:
  """Linear light float32, clipped to 0..1, to sRGB levels float32 0..255, not rounded."""
  light = jnp.clip(light, 0, 1)
  return 255 * jnp.where(light <= 0.0031308, 12.92 * light, 1.055 * jnp.power(light, 1 / 2.4) - 0.055)


def to_ycbcr(planes: jax.Array) -> jax.Array:
  """R'G'B' planes float32 [3, ...] to Y, Cb, Cr of JPEG (BT.601, full range), chroma about 0."""
  return _mixed(_RGB_TO_YCBCR, planes)


def from_ycbcr(planes: jax.Array) -> jax.Array:
  """The inverse of `to_ycbcr`."""
  return _mixed(np.linalg.inv(_RGB_TO_YCBCR), planes)


def _mixed(matrix: np.ndarray, planes: jax.Array) -> jax.Array:
  rows = [sum(np.float32(weight) * plane for weight, plane in zip(row, planes, strict=True)) for row in matrix]
  return jnp.stack(rows)


def rounded(levels: jax.Array) -> jax.Array:
  """Levels float32 to uint8, half up, clipped to 0..255."""
  # Floored first: fused with other work, XLA's CPU conversion to uint8 has been seen to round.
  return jnp.clip(jnp.floor(levels + 0.5), 0, 255).astype(jnp.uint8)
