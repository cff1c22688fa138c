"""Pictures that do not fill their square: the padding is left out of whatever a network takes a mean of."""

import jax
import jax.numpy as jnp
from flax.typing import Dtype


def without_padding(scaled: jax.Array, mask: jax.Array | None) -> jax.Array:
  """Scaled pictures [B, H, W, 3] with zeros where there is no picture: convolutions see them as they see the border."""
  return scaled if mask is None else jnp.where(mask[..., None], scaled, jnp.zeros((), scaled.dtype))


def mean_of_map(x: jax.Array, mask: jax.Array | None = None, *, stride: int, dtype: Dtype | None = None) -> jax.Array:
  """The mean [B, C] of a map over its places, each weighted by its share of picture.

  Args:
    x: [B, h, w, C].
    mask: bool [B, H, W], True where a pixel is the picture's; None if all are.
    stride: pixels from one place of the map to the next.
    dtype: of the mean; of the map if None.

  Returns:
    Of a picture without padding, bit for bit the plain mean; of one that is nothing but padding, 0.
  """
  plain = x.mean((1, 2), dtype=dtype)
  if mask is None:
    return plain
  weights = _share_of_picture(mask, (x.shape[1], x.shape[2]), stride)
  total = weights.sum((1, 2))[:, None]
  weighted = (x.astype(jnp.float32) * weights[..., None]).sum((1, 2)) / jnp.where(total > 0, total, 1)
  whole = mask.all((1, 2))[:, None]
  return jnp.where(whole, plain, weighted.astype(plain.dtype))


def _share_of_picture(mask: jax.Array, size: tuple[int, int], stride: int) -> jax.Array:
  """float32 [B, h, w]: of the stride x stride pixels of a place, as far as the mask goes, the share that is True."""

  def sums(pixels: jax.Array) -> jax.Array:
    margins = [(0, max(places * stride - side, 0)) for places, side in zip(size, pixels.shape[1:], strict=True)]
    cut = pixels[:, : size[0] * stride, : size[1] * stride].astype(jnp.float32)
    blocks = jnp.pad(cut, ((0, 0), *margins)).reshape(-1, size[0], stride, size[1], stride)
    return blocks.sum((2, 4))

  return sums(mask) / jnp.maximum(sums(jnp.ones((1, *mask.shape[1:]), bool)), 1)
