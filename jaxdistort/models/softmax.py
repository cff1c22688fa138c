"""The study's baseline: softmax regression on the pixels."""

import jax
import jax.numpy as jnp
from flax import nnx
from flax.typing import Dtype

from jaxdistort.models.create import MODELS, Architecture
from jaxdistort.models.layers import output_layer, scale_levels


class Softmax(nnx.Module):
  """One dense layer on the pixels: uint8 [B, S, S, 3] to float32 [B, outputs]."""

  any_size = False

  def __init__(self, image_size: int, num_outputs: int, *, input_scaling: str, dtype: Dtype, rngs: nnx.Rngs):
    del dtype  # a single float32 layer
    self.input_scaling = input_scaling
    self.out = output_layer(image_size * image_size * 3, num_outputs, rngs=rngs)

  def __call__(self, images: jax.Array, key: jax.Array | None = None) -> jax.Array:
    del key
    return self.out(scale_levels(images, self.input_scaling, jnp.float32).reshape(images.shape[0], -1))


MODELS.register("softmax", Architecture(Softmax))
