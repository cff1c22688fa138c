"""Colour spaces: sRGB (the pictures), linear light, Y'CbCr, CIE L*a*b*. Floats 0..1 unless said otherwise."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import in_a_loop, lookup

_RGB_TO_YCBCR = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
_RGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_RGB_TO_XYZ /= _RGB_TO_XYZ.sum(axis=1, keepdims=True)  # of the white of sRGB (D65) all three are 1


def _decode(encoded: np.ndarray) -> np.ndarray:
  return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


_LINEAR = _decode(np.arange(256) / 255).astype(np.float32)


def to_linear(levels: jax.Array) -> jax.Array:
  """sRGB levels, uint8 of any shape, to linear light float32 0..1 (IEC 61966-2-1)."""
  return lookup(jnp.asarray(_LINEAR), levels.astype(jnp.int32))


def from_linear(light: jax.Array) -> jax.Array:
  """Linear light float32, clipped to 0..1, to sRGB levels float32 0..255, not rounded."""
  light = jnp.clip(light, 0, 1)
  root = cube_root(jnp.maximum(light, 0.0031308))
  power = root * jnp.sqrt(jnp.sqrt(root))  # light^(5/12): `jnp.power` takes three times as long
  return 255 * jnp.where(light <= 0.0031308, 12.92 * light, 1.055 * power - 0.055)


def cube_root(x: jax.Array) -> jax.Array:
  """The cube root of positive float32, to about one unit in the last place; `jnp.cbrt` does not vectorise on CPU."""
  third = lax.bitcast_convert_type(x, jnp.int32).astype(jnp.float32) * np.float32(1 / 3)
  root = lax.bitcast_convert_type(third.astype(jnp.int32) + 709921077, jnp.float32)  # within 4 %
  for _ in range(2):  # Halley's steps
    cube = root * root * root
    root = root * ((cube + 2 * x) / (2 * cube + x))
  return root


def on_planes(function: Callable[[jax.Array], jax.Array], image: jax.Array) -> jax.Array:
  """`function` of the planes uint8 [3, H, W] of a picture uint8 [H, W, 3]; it gives the same shape and dtype."""
  # In a loop, so that it is not fused with the interleaving of the planes: that would not vectorise.
  return jnp.moveaxis(in_a_loop(function, jnp.moveaxis(image, -1, 0)), 0, -1)


def to_ycbcr(planes: jax.Array) -> jax.Array:
  """R'G'B' planes float32 [3, ...] to Y, Cb, Cr of JPEG (BT.601, full range), chroma about 0."""
  return _mixed(_RGB_TO_YCBCR, planes)


def from_ycbcr(planes: jax.Array) -> jax.Array:
  """The inverse of `to_ycbcr`."""
  return _mixed(np.linalg.inv(_RGB_TO_YCBCR), planes)


def to_lab(planes: jax.Array) -> jax.Array:
  """sRGB levels, planes uint8 [3, ...], to CIE L*a*b* (1976; white D65): float32, L* 0..100, greys at a* = b* = 0."""
  x, y, z = (_compressed(plane) for plane in _mixed(_RGB_TO_XYZ, to_linear(planes)))
  return jnp.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def from_lab(lab: jax.Array) -> jax.Array:
  """CIE L*a*b* float32 [3, ...] to sRGB levels float32 0..255, not rounded; colours that sRGB lacks are clipped."""
  y = (lab[0] + 16) * np.float32(1 / 116)
  compressed = jnp.stack([y + lab[1] * np.float32(1 / 500), y, y - lab[2] * np.float32(1 / 200)])
  straight = (compressed - np.float32(4 / 29)) * np.float32(108 / 841)
  light = jnp.where(compressed > 6 / 29, compressed * compressed * compressed, straight)
  return from_linear(_mixed(np.linalg.inv(_RGB_TO_XYZ), light))


def _compressed(ratio: jax.Array) -> jax.Array:
  """The function of CIE L*a*b*: a cube root that is straight near 0."""
  bend = (6 / 29) ** 3
  straight = ratio * np.float32(841 / 108) + np.float32(4 / 29)
  return jnp.where(ratio > bend, cube_root(jnp.maximum(ratio, bend)), straight)


def _mixed(matrix: np.ndarray, planes: jax.Array) -> jax.Array:
  rows = [sum(np.float32(weight) * plane for weight, plane in zip(row, planes, strict=True)) for row in matrix]
  return jnp.stack(rows)


def rounded_steadily(levels: jax.Array) -> jax.Array:
  """`rounded`, for ratios of whole numbers: what is half but for rounding errors goes up in every program."""
  return rounded(levels + np.float32(1e-3))


def rounded(levels: jax.Array, brightest: jax.Array | float = 255) -> jax.Array:
  """Levels float32 to uint8, half up, clipped to 0..brightest; see `checks.known` for one that is not 255."""
  # Floored first: fused with other work, XLA's CPU conversion to uint8 has been seen to round.
  return jnp.clip(jnp.floor(levels + 0.5), 0, brightest).astype(jnp.uint8)
