"""A softmax on the pooled features of a network from elsewhere: the paper's SGDNet transfer."""

import jax
import jax.numpy as jnp
from flax import nnx
from flax.typing import Dtype

from jaxdistort.models.layers import classifier, scale_levels
from jaxdistort.models.resnet import ResNet50
from jaxdistort.models.sgdnet import SGDNetBase


class Probe(nnx.Module):
  """uint8 [B, S, S, 3] to logits float32 [B, K]: one dense layer on the mean of the base's last map.

  Args:
    base: kind of network. On SGDNet it is the paper's transfer; ResNet50, on which SGDNet stands, shows
      beside it what SGDNet's own training adds.
    image_size: of no matter, pictures may have any size.
  """

  def __init__(
    self,
    base: type[SGDNetBase] | type[ResNet50],
    image_size: int,
    num_classes: int,
    *,
    input_scaling: str,
    dtype: Dtype,
    rngs: nnx.Rngs,
  ):
    del image_size
    self.input_scaling, self.dtype = input_scaling, dtype
    self.base = base(dtype=dtype, rngs=rngs)
    self.out = classifier(base.channels, num_classes, rngs=rngs)

  def features(self, images: jax.Array) -> jax.Array:
    """The last map [B, ceil(S/32), ceil(S/32), C] of the base."""
    return self.base.features(scale_levels(images, self.input_scaling, self.dtype))

  def classify(self, x: jax.Array) -> jax.Array:
    """Logits of a map."""
    return self.out(x.mean((1, 2), dtype=jnp.float32))

  def __call__(self, images: jax.Array, key: jax.Array | None = None) -> jax.Array:
    del key
    return self.classify(self.features(images))
