"""How Keras names the weights of ResNet50, then and now."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from flax import nnx
from flax.typing import Dtype

from jaxdistort.models.probe import Features
from jaxdistort.models.resnet import EPSILON, ResNet50
from jaxdistort.models.weights.keras import THEANO_AXES, open_keras
from jaxdistort.models.weights.kinds import KINDS, Kind, Pretrained, Published, SourceName
from jaxdistort.models.weights.tensors import Tensors

OWN = r"(res|bn)\d\w+_branch|conv\d_block"
"""Names that only the layers of ResNet50 bear."""

_NEW = "conv1_conv/kernel"  # is there if the names are those of Keras since 2.2.5
_NEW_EPSILON = 1.001e-5  # of the batch normalisation in keras.applications since Keras 2.2.5
_BRANCHES = ("branch1", "branch2a", "branch2b", "branch2c")
_ROLES = {"scale": "gamma", "bias": "beta", "mean": "moving_mean", "var": "moving_variance"}


def _build(*, dtype: Dtype, rngs: nnx.Rngs, **options: Any) -> Features:
  return Features(ResNet50(dtype=dtype, rngs=rngs), dtype=dtype, **options)


def keras_names(tensors: Tensors) -> SourceName:
  """The names of the first Keras (res2a_branch2a), or those since Keras 2.2.5 (conv2_block1_1_conv)."""
  new = _NEW in tensors

  def named(name: str) -> str:
    *place, part, role = name.removeprefix("blocks.").split(".")
    role = _ROLES[role] if part == "norm" else role
    if place == ["stem"]:
      layer = {"conv": "conv1_conv" if new else "conv1", "norm": "conv1_bn" if new else "bn_conv1"}[part]
    elif new:
      (stage, letter), branch = place[0], _BRANCHES.index(place[1])
      layer = f"conv{stage}_block{'abcdef'.index(letter) + 1}_{branch}_{'conv' if part == 'conv' else 'bn'}"
    else:
      layer = f"{'res' if part == 'conv' else 'bn'}{place[0]}_{place[1]}"
    return f"{layer}/{role}"

  return named


def with_our_epsilon(tensors: Tensors, arrays: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
  """Lets the scale of each batch normalisation take up the difference between its epsilon and ours, exactly."""
  if _NEW not in tensors:
    return arrays

  def adapted(name: str) -> np.ndarray:
    if not name.endswith("norm.scale"):
      return arrays[name]
    variance = arrays[name.removesuffix("scale") + "var"].astype(np.float64)
    return (arrays[name] * np.sqrt((variance + EPSILON) / (variance + _NEW_EPSILON))).astype(np.float32)

  return {name: adapted(name) for name in arrays}


KINDS.register(
  "keras-resnet50",
  Kind(
    Pretrained("resnet50", _build),
    "keras",
    open_keras,
    keras_names,
    own=OWN,
    published=Published(
      "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
      "https://keras.io/api/applications/resnet",
      "https://github.com/fchollet/deep-learning-models/releases/download/v0.2/"
      "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
      ("md5", "a268eb855778b3df3c7506639542a6af"),
    ),
    other_axes=(THEANO_AXES,),
    adapt=with_our_epsilon,
  ),
)
