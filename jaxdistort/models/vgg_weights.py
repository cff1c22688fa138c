"""How Keras, torchvision and timm name the weights of VGG16."""

from typing import Any

from flax import nnx
from flax.typing import Dtype

from jaxdistort.models.probe import Features
from jaxdistort.models.vgg import BLOCKS, VGG16
from jaxdistort.models.weights.keras import THEANO_AXES, open_keras
from jaxdistort.models.weights.kinds import KINDS, Kind, Pretrained, Published, SourceName
from jaxdistort.models.weights.tensors import Tensors
from jaxdistort.models.weights.torch import open_torch

_TORCH_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)  # their places in torchvision's `features`


def _build(*, dtype: Dtype, rngs: nnx.Rngs, **options: Any) -> Features:
  return Features(VGG16(dtype=dtype, rngs=rngs), dtype=dtype, **options)


def _keras_names(tensors: Tensors) -> SourceName:
  del tensors
  return lambda name: "/".join(name.split(".")[1:])  # layers.block1_conv1.kernel


def _torch_names(tensors: Tensors) -> SourceName:
  """torchvision's and timm's names; a wrapper may have put its own before them."""
  first = "features.0.weight"
  prefix = next((name.removesuffix(first) for name in tensors if name.endswith(first)), "")
  layers = [f"block{block}_conv{i}" for block, widths in enumerate(BLOCKS, 1) for i in range(1, len(widths) + 1)]
  places = dict(zip(layers, _TORCH_CONVOLUTIONS, strict=True))

  def named(name: str) -> str:
    _, layer, role = name.split(".")
    return f"{prefix}features.{places[layer]}.{'weight' if role == 'kernel' else role}"

  return named


_VGG16 = Pretrained("vgg16", _build)

KINDS.register(
  "keras-vgg16",
  Kind(
    _VGG16,
    "keras",
    open_keras,
    _keras_names,
    own=r"block\d+_conv\d+/",
    published=Published(
      "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
      "https://keras.io/api/applications/vgg",
      "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
      "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
      ("md5", "6d6bbae143d832006294945121d1f1fc"),
    ),
    other_axes=(THEANO_AXES,),
  ),
)
KINDS.register(
  "torchvision-vgg16",
  Kind(
    _VGG16,
    "torchvision",
    open_torch,
    _torch_names,
    own=r"(.*\.)?features\.",
    published=Published(
      "vgg16-397923af.pth",
      "https://docs.pytorch.org/vision/stable/models/vgg.html",
      "https://download.pytorch.org/models/vgg16-397923af.pth",
      ("sha256", "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"),
    ),
    axes=(2, 3, 1, 0),
  ),
)
