"""The paper's VGG16: up to its fourth pool, then one more convolution, a pool and two dense layers."""

import jax
from flax import nnx
from flax.typing import Dtype

from jaxdistort.models.layers import classifier, convolution, dense, max_pool, scale_levels

_BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))  # Simonyan and Zisserman 2015, configuration D


class VGG(nnx.Module):
  """uint8 [B, S, S, 3] to logits float32 [B, K]; S at least 32 (the paper: 224)."""

  def __init__(self, image_size: int, num_classes: int, *, input_scaling: str, dtype: Dtype, rngs: nnx.Rngs):
    self.input_scaling, self.dtype = input_scaling, dtype
    channels, blocks = 3, []
    for widths in _BLOCKS:
      block = []
      for width in widths:
        block.append(convolution(channels, width, dtype=dtype, rngs=rngs))
        channels = width
      blocks.append(nnx.List(block))
    self.blocks = nnx.List(blocks)
    self.head = convolution(channels, 512, dtype=dtype, rngs=rngs)
    self.hidden = dense((image_size // 2 ** (len(_BLOCKS) + 1)) ** 2 * 512, 4096, dtype=dtype, rngs=rngs)
    self.out = classifier(4096, num_classes, rngs=rngs)

  def __call__(self, images: jax.Array) -> jax.Array:
    x = scale_levels(images, self.input_scaling, self.dtype)
    for block in self.blocks:
      for layer in block:
        x = nnx.relu(layer(x))
      x = max_pool(x)
    x = max_pool(nnx.relu(self.head(x)))
    x = nnx.relu(self.hidden(x.reshape(x.shape[0], -1)))
    return self.out(x)
