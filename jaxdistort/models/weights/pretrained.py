"""Networks from elsewhere as they are: features, saliency, quality."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from flax.typing import Dtype

from jaxdistort.models.layers import freeze
from jaxdistort.models.network import Variables, merge_network, split_network
from jaxdistort.models.weights.file import WeightsFile, backbone_name, load_tensors, open_weights, stored_shapes
from jaxdistort.models.weights.kinds import find_pretrained


def load_pretrained(path: str | Path, *, dtype: Dtype = jnp.float32) -> Any:
  """Loads a converted network whole, onto the first device, frozen, with its own preprocessing.

  Returns:
    A module that takes uint8 [B, H, W, 3] in RGB order: an `SGDNet`, or `Features` of VGG16 (behind its
    fifth pool) or ResNet50.

  Raises:
    InputError: not a whole file that `convert` wrote.
  """
  file = open_weights(path)
  structure, like = split_network(nnx.eval_shape(lambda: _build(file, dtype)))
  device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
  frozen = load_tensors(file.path, like.frozen, device, backbone_name)
  network = merge_network(structure, Variables({}, {}, frozen))
  network.eval()
  return network


def _build(file: WeightsFile, dtype: Dtype) -> nnx.Module:
  pretrained = find_pretrained(file.architecture)
  options = pretrained.options(stored_shapes(file.path).get)
  network = pretrained.build(input_scaling=file.preprocessing, dtype=dtype, rngs=nnx.Rngs(0), **options)
  freeze(network, dtype)
  return network
