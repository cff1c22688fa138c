"""VGG16, and the study's classifier: its first four blocks, then one more convolution, a pool and two dense layers."""

import jax
from flax import nnx
from flax.typing import Dtype

from jaxdistort.models.create import MODELS, Architecture
from jaxdistort.models.layers import convolution, dense, max_pool, output_layer, scale_levels

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the convolutions, block by block (Simonyan and Zisserman 2015, configuration D)."""

_CLASSIFIER_BLOCKS = 4


class VGG16(nnx.Module):
  """The convolutions of VGG16: scaled pictures [B, H, W, 3] to a map [B, H / 2^n, W / 2^n, C] behind the n-th pool.

  Its layers bear Keras' names, block1_conv1 to block5_conv3.
  """

  def __init__(self, blocks: int = len(BLOCKS), *, dtype: Dtype, rngs: nnx.Rngs):
    self.blocks = blocks
    channels, layers = 3, {}
    for number, widths in enumerate(BLOCKS[:blocks], 1):
      for i, width in enumerate(widths, 1):
        layers[f"block{number}_conv{i}"] = convolution(channels, width, dtype=dtype, rngs=rngs)
        channels = width
    self.layers = nnx.Dict(layers)

  def __call__(self, x: jax.Array) -> jax.Array:
    for number, widths in enumerate(BLOCKS[: self.blocks], 1):
      for i in range(1, len(widths) + 1):
        x = nnx.relu(self.layers[f"block{number}_conv{i}"](x))
      x = max_pool(x)
    return x


class VGG(nnx.Module):
  """uint8 [B, S, S, 3] to float32 [B, outputs]; S at least 32 (the study: 224).

  `backbone` holds what can come from elsewhere. More than one convolution in the head, and dropout of the
  4,096 hidden values, are variants that the study tried.
  """

  any_size = False

  def __init__(
    self,
    image_size: int,
    num_outputs: int,
    *,
    input_scaling: str,
    dtype: Dtype,
    rngs: nnx.Rngs,
    head_convolutions: int = 1,
    dropout: float = 0.0,
  ):
    self.input_scaling, self.dtype = input_scaling, dtype
    self.backbone = VGG16(_CLASSIFIER_BLOCKS, dtype=dtype, rngs=rngs)
    self.head = nnx.List([convolution(512, 512, dtype=dtype, rngs=rngs) for _ in range(head_convolutions)])
    self.hidden = dense((image_size // 2 ** (_CLASSIFIER_BLOCKS + 1)) ** 2 * 512, 4096, dtype=dtype, rngs=rngs)
    self.dropout = nnx.Dropout(dropout)
    self.out = output_layer(4096, num_outputs, rngs=rngs)

  def features(self, images: jax.Array) -> jax.Array:
    """The last map [B, S/16, S/16, 512], behind the convolutions of the head."""
    x = self.backbone(scale_levels(images, self.input_scaling, self.dtype))
    for layer in self.head:
      x = nnx.relu(layer(x))
    return x

  def classify(self, x: jax.Array, key: jax.Array | None = None) -> jax.Array:
    """Outputs of a map; `key` draws the dropout, where the network is in training mode."""
    x = max_pool(x)
    x = nnx.relu(self.hidden(x.reshape(x.shape[0], -1)))
    return self.out(self.dropout(x, rngs=key))

  def __call__(self, images: jax.Array, key: jax.Array | None = None) -> jax.Array:
    return self.classify(self.features(images), key)


_OPTIONS = ("head_convolutions", "dropout")
MODELS.register("vgg_scratch", Architecture(VGG, options=_OPTIONS))
MODELS.register("vgg_transfer", Architecture(VGG, "vgg16", _OPTIONS))
