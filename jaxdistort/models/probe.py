"""Networks from elsewhere: their last map as it is, and a dense layer on its mean (the study's SGDNet transfer)."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from flax.typing import Dtype

from jaxdistort.models.create import MODELS, Architecture
from jaxdistort.models.layers import output_layer, scale_levels
from jaxdistort.models.padding import mean_of_map, without_padding
from jaxdistort.models.resnet import ResNet50
from jaxdistort.models.sgdnet import SGDNetBackbone


class Features(nnx.Module):
  """A backbone as it is: uint8 [B, H, W, 3] to the last map of `backbone`."""

  def __init__(self, backbone: Any, *, input_scaling: str, dtype: Dtype):
    self.backbone, self.input_scaling, self.dtype = backbone, input_scaling, dtype

  def __call__(self, images: jax.Array, key: jax.Array | None = None) -> jax.Array:
    del key
    return self.backbone(scale_levels(images, self.input_scaling, self.dtype))


class Probe(nnx.Module):
  """uint8 [B, H, W, 3] of any size to float32 [B, outputs]: one dense layer on the mean of the backbone's last map.

  Args:
    backbone: kind of network. On SGDNet it is the study's transfer; ResNet50, on which SGDNet stands, shows
      beside it what SGDNet's own training adds.
    image_size: of no matter.
  """

  any_size = True

  def __init__(
    self,
    backbone: type[SGDNetBackbone] | type[ResNet50],
    image_size: int,
    num_outputs: int,
    *,
    input_scaling: str,
    dtype: Dtype,
    rngs: nnx.Rngs,
  ):
    del image_size
    self.input_scaling, self.dtype = input_scaling, dtype
    self.backbone = backbone(dtype=dtype, rngs=rngs)
    self.out = output_layer(backbone.channels, num_outputs, rngs=rngs)

  def features(self, images: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """The last map [B, ceil(H/32), ceil(W/32), C] of the backbone."""
    return self.backbone.features(without_padding(scale_levels(images, self.input_scaling, self.dtype), mask), mask)

  def classify(self, x: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """Outputs of a map."""
    return self.out(mean_of_map(x, mask, stride=self.backbone.stride, dtype=jnp.float32))

  def __call__(self, images: jax.Array, key: jax.Array | None = None, mask: jax.Array | None = None) -> jax.Array:
    del key
    return self.classify(self.features(images, mask), mask)


MODELS.register("sgdnet_transfer", Architecture(functools.partial(Probe, SGDNetBackbone), "sgdnet"))
MODELS.register("resnet_transfer", Architecture(functools.partial(Probe, ResNet50), "resnet50"))
