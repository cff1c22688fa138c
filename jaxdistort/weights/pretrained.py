"""Networks from elsewhere as they are: features, saliency, quality."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from flax.typing import Dtype

from jaxdistort.models import Variables, merge_network, split_network
from jaxdistort.models.layers import freeze, scale_levels
from jaxdistort.models.resnet import ResNet50
from jaxdistort.models.sgdnet import SGDNet
from jaxdistort.models.vgg import VGG16
from jaxdistort.weights.file import WeightsFile, base_name, load_tensors, open_weights, stored_shapes


class Features(nnx.Module):
  """VGG16 or ResNet50: uint8 [B, H, W, 3] to the last map of `base`, [B, H/32, W/32, C]."""

  def __init__(self, base: VGG16 | ResNet50, *, input_scaling: str, dtype: Dtype):
    self.base, self.input_scaling, self.dtype = base, input_scaling, dtype

  def __call__(self, images: jax.Array) -> jax.Array:
    return self.base(scale_levels(images, self.input_scaling, self.dtype))


def load_pretrained(path: str | Path, *, dtype: Dtype = jnp.float32) -> Any:
  """Loads a converted network whole, onto the first device, frozen, with its own preprocessing.

  Returns:
    A module that takes uint8 [B, H, W, 3] in RGB order: an `SGDNet`, or `Features` of VGG16 (behind its
    fifth pool) or ResNet50.

  Raises:
    InputError: not a whole file of `scripts/convert_weights.py`.
  """
  file = open_weights(path)
  structure, like = split_network(nnx.eval_shape(lambda: _build(file, dtype)))
  device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
  frozen = load_tensors(file, like.frozen, device, base_name)
  network = merge_network(structure, Variables({}, {}, frozen))
  network.eval()
  return network


def _build(file: WeightsFile, dtype: Dtype) -> nnx.Module:
  scaling, rngs = file.preprocessing, nnx.Rngs(0)
  if file.architecture == "sgdnet":
    width = stored_shapes(file).get("quality.fc1.kernel", (0, 1024))[-1]
    network: nnx.Module = SGDNet(width, input_scaling=scaling, dtype=dtype, rngs=rngs)
  else:
    base = {"vgg16": VGG16, "resnet50": ResNet50}[file.architecture](dtype=dtype, rngs=rngs)
    network = Features(base, input_scaling=scaling, dtype=dtype)
  freeze(network, dtype)
  return network
