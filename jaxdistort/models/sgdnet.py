"""SGDNet (Yang, Jiang, Lin and Wang, ACM Multimedia 2019): picture quality, guided by where people look."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from flax.typing import Dtype

from jaxdistort.models.layers import convolution, dense, scale_levels
from jaxdistort.models.padding import mean_of_map, without_padding
from jaxdistort.models.resnet import ResNet50


class Attended(NamedTuple):
  """What SGDNet sees in pictures.

  Attributes:
    features: [B, ceil(H/32), ceil(W/32), 512], weighted by attention and saliency.
    saliency: [B, ceil(H/32), ceil(W/32)], at least 0, in no unit.
  """

  features: jax.Array
  saliency: jax.Array


class SGDNetBackbone(nnx.Module):
  """Scaled pictures [B, H, W, 3] of any size to `Attended`: SGDNet without the layers that make a score of it."""

  channels = 512
  stride = ResNet50.stride

  def __init__(self, *, dtype: Dtype, rngs: nnx.Rngs):
    self.resnet = ResNet50(dtype=dtype, rngs=rngs)
    self.reduce = convolution(2048, 512, size=1, bias=False, dtype=dtype, rngs=rngs)
    self.squeeze = dense(512, 512 // 4, dtype=dtype, rngs=rngs)
    self.excite = dense(512 // 4, 512, dtype=dtype, rngs=rngs)
    self.saliency = convolution(512, 1, size=1, bias=False, dtype=dtype, rngs=rngs)

  def __call__(self, x: jax.Array, mask: jax.Array | None = None) -> Attended:
    features = nnx.relu(self.reduce(self.resnet(x)))
    saliency = nnx.relu(self.saliency(features))
    pooled = mean_of_map(features, mask, stride=self.stride)
    attention = nnx.sigmoid(self.excite(nnx.relu(self.squeeze(pooled))))  # squeeze and excitation
    return Attended(features * attention[:, None, None, :] * saliency, saliency[..., 0])

  def features(self, x: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """The map [B, h, w, 512] whose mean the study's transfer learns from."""
    return self(x, mask).features


class QualityHead(nnx.Module):
  """Pooled features [B, 512] to a score [B]."""

  def __init__(self, width: int, *, dtype: Dtype, rngs: nnx.Rngs):
    self.fc1 = dense(SGDNetBackbone.channels, width, dtype=dtype, rngs=rngs)
    self.dropout = nnx.Dropout(0.5, deterministic=True)
    self.fc2 = dense(width, width, dtype=dtype, rngs=rngs)
    self.predictions = nnx.Linear(width, 1, dtype=jnp.float32, rngs=rngs)

  def __call__(self, pooled: jax.Array, key: jax.Array | None = None) -> jax.Array:
    x = self.dropout(nnx.relu(self.fc1(pooled)), rngs=key)
    return self.predictions(nnx.relu(self.fc2(x)))[:, 0]


class Quality(NamedTuple):
  """A judgement of SGDNet.

  Attributes:
    score: float32 [B], in the unit of the data that the weights were trained on (KonIQ-10k: MOS, high is good).
    saliency: [B, ceil(H/32), ceil(W/32)], at least 0.
    pooled: [B, 512], the mean of the weighted features, from which the score comes.
  """

  score: jax.Array
  saliency: jax.Array
  pooled: jax.Array


class SGDNet(nnx.Module):
  """SGDNet whole: uint8 [B, H, W, 3] to `Quality`.

  Args:
    width: of its two dense layers; the authors have 512 and 1024.
    input_scaling: one of `INPUT_SCALINGS`; the authors' is keras.
  """

  any_size = True

  def __init__(self, width: int = 1024, *, input_scaling: str = "keras", dtype: Dtype, rngs: nnx.Rngs):
    self.input_scaling, self.dtype = input_scaling, dtype
    self.backbone = SGDNetBackbone(dtype=dtype, rngs=rngs)
    self.quality = QualityHead(width, dtype=dtype, rngs=rngs)

  def __call__(self, images: jax.Array, key: jax.Array | None = None, mask: jax.Array | None = None) -> Quality:
    scaled = without_padding(scale_levels(images, self.input_scaling, self.dtype), mask)
    features, saliency = self.backbone(scaled, mask)
    pooled = mean_of_map(features, mask, stride=self.backbone.stride)
    return Quality(self.quality(pooled, key), saliency, pooled)
