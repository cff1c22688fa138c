"""Turns weights of Keras, torchvision, timm and SGDNet's authors into our file."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxdistort.errors import InputError, choose
from jaxdistort.models import INPUT_SCALINGS, split_network
from jaxdistort.models.resnet import EPSILON, ResNet50
from jaxdistort.models.sgdnet import SGDNet
from jaxdistort.models.vgg import BLOCKS, VGG16
from jaxdistort.weights.file import WeightsFile, base_name, write_weights
from jaxdistort.weights.keras import open_keras
from jaxdistort.weights.tensors import Tensors
from jaxdistort.weights.torch import open_torch

_RESNET_LAYER = r"(res|bn)\d\w+_branch|conv\d_block"
_NEW_RESNET = "conv1_conv/kernel"  # is there if the names are those of Keras since 2.2.5
_BRANCHES = ("branch1", "branch2a", "branch2b", "branch2c")
_KERAS_ROLES = {"scale": "gamma", "bias": "beta", "mean": "moving_mean", "var": "moving_variance"}
_NEW_KERAS_EPSILON = 1.001e-5  # of the batch normalisation in keras.applications since Keras 2.2.5
_TORCH_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)  # their places in torchvision's `features`
_SGDNET_WIDTHS = (512, 1024)

SourceName = Callable[[str], str]
"""The name in a foreign file of an array of our network ("block1_conv1.kernel")."""


class Kind(NamedTuple):
  """A kind of foreign file.

  Attributes:
    architecture: vgg16, resnet50 or sgdnet.
    preprocessing: what its pictures went through, one of `INPUT_SCALINGS`.
    open: gives its tensors.
    names: gives the law of its names, having seen them.
    own: pattern of names that only the network's own layers bear: one too many, and it is another network.
    axes: order in which a kernel of four dimensions must be read to be [H, W, in, out].
  """

  architecture: str
  preprocessing: str
  open: Callable[[Path], AbstractContextManager[Tensors]]
  names: Callable[[Tensors], SourceName]
  own: str
  axes: tuple[int, int, int, int] = (0, 1, 2, 3)


def convert(kind: str, source: Path, output: Path, *, preprocessing: str | None = None) -> WeightsFile:
  """Converts a file of weights; writes `output` whole or not at all.

  Args:
    kind: one of `KINDS`.
    source: the foreign file.
    output: a safetensors file, overwritten if it exists.
    preprocessing: one of `INPUT_SCALINGS`, where it is not the kind's own.

  Raises:
    InputError: a wrong, damaged or mis-shaped file; names the tensor, what was expected and what found.
  """
  law = KINDS[choose("--from", kind, KINDS)]
  preprocessing = choose("preprocessing", preprocessing or law.preprocessing, INPUT_SCALINGS)
  if not source.is_file():
    raise InputError(f"{source}: {'is a folder' if source.is_dir() else 'no such file'}")
  if output.exists() and not output.is_file():
    raise InputError(f"{output}: --output must be a file, and this is none")
  if output.exists() and output.samefile(source):
    raise InputError(f"{output}: is the file to be converted; give another --output")
  with law.open(source) as tensors:
    named = law.names(tensors)
    shapes = expected_shapes(law.architecture, quality_width=_quality_width(tensors))
    wanted = {named(name): _stored_shape(shape, law.axes) for name, shape in shapes.items()}
    _check_network(source, tensors, wanted, law)
    arrays = {name: _read(source, tensors, named(name), wanted[named(name)]) for name in shapes}
    arrays = {name: array.transpose(law.axes) if array.ndim == 4 else array for name, array in arrays.items()}
    if _NEW_RESNET in tensors:
      arrays = dict(_with_our_epsilon(arrays))
  return write_weights(output, arrays, architecture=law.architecture, preprocessing=preprocessing, source=source)


def expected_shapes(architecture: str, *, quality_width: int = _SGDNET_WIDTHS[-1]) -> dict[str, tuple[int, ...]]:
  """The arrays that a file of an architecture holds: our name -> shape."""
  build = {
    "vgg16": lambda rngs: VGG16(dtype=jnp.float32, rngs=rngs),
    "resnet50": lambda rngs: ResNet50(dtype=jnp.float32, rngs=rngs),
    "sgdnet": lambda rngs: SGDNet(quality_width, dtype=jnp.float32, rngs=rngs),
  }[architecture]
  _, variables = split_network(nnx.eval_shape(lambda: build(nnx.Rngs(0))))
  leaves = [leaf for part in variables for leaf in jax.tree_util.tree_leaves_with_path(part)]
  return {base_name(".".join(str(part.key) for part in path)): leaf.shape for path, leaf in leaves}


def _check_network(source: Path, tensors: Tensors, wanted: Mapping[str, tuple[int, ...]], law: Kind) -> None:
  """Raises InputError if the file holds another network, smaller, larger or with other names."""
  if not wanted.keys() & tensors.keys():
    held = ", ".join(f"{name} {tensor.shape}" for name, tensor in list(tensors.items())[:2]) or "no tensors"
    name, shape = max(wanted.items(), key=lambda item: len(item[1]))
    raise InputError(f"{source}: holds no tensor of {law.architecture}: expected such as {name} {shape}, found {held}")
  for name, tensor in tensors.items():
    if re.match(law.own, name) and name not in wanted:
      raise InputError(f"{source}: tensor {name}: expected none, found shape {tensor.shape}: not {law.architecture}")


def _stored_shape(shape: tuple[int, ...], axes: Sequence[int]) -> tuple[int, ...]:
  """The shape in a foreign file of an array that has `shape` in ours."""
  return tuple(shape[axes.index(i)] for i in range(4)) if len(shape) == 4 else shape


def _read(source: Path, tensors: Tensors, name: str, expected: tuple[int, ...]) -> np.ndarray:
  """One array, checked, as float32."""
  tensor = tensors.get(name)
  if tensor is None:
    held = ", ".join(list(tensors)[:3]) or "no tensors"
    raise InputError(f"{source}: tensor {name} is missing: expected shape {expected}; the file holds {held}, ...")
  if tensor.shape != expected:
    raise InputError(f"{source}: tensor {name}: expected shape {expected}, found {tensor.shape}")
  try:
    array = tensor.read()
  except Exception as error:  # damage below: HDF5, zip and safetensors each raise their own
    raise InputError(f"{source}: tensor {name} cannot be read, the file is damaged ({error})") from error
  if not (np.issubdtype(array.dtype, np.floating) or array.dtype == jnp.bfloat16):
    raise InputError(f"{source}: tensor {name}: expected floating-point numbers, found {array.dtype}")
  with np.errstate(over="ignore"):  # becomes infinite, which is told
    array = array.astype(np.float32)
  if not np.isfinite(array).all():
    raise InputError(f"{source}: tensor {name}: {np.sum(~np.isfinite(array))} of its numbers are not finite")
  return array


def _keras_vgg_names(tensors: Tensors) -> SourceName:
  del tensors
  return lambda name: "/".join(name.split(".")[1:])  # layers.block1_conv1.kernel


def _torch_vgg_names(tensors: Tensors) -> SourceName:
  """torchvision's and timm's names; a wrapper may have put its own before them."""
  first = "features.0.weight"
  prefix = next((name.removesuffix(first) for name in tensors if name.endswith(first)), "")
  layers = [f"block{block}_conv{i}" for block, widths in enumerate(BLOCKS, 1) for i in range(1, len(widths) + 1)]
  places = dict(zip(layers, _TORCH_CONVOLUTIONS, strict=True))

  def named(name: str) -> str:
    _, layer, role = name.split(".")
    return f"{prefix}features.{places[layer]}.{'weight' if role == 'kernel' else role}"

  return named


def _keras_resnet_names(tensors: Tensors) -> SourceName:
  """The names of the first Keras (res2a_branch2a), or those since Keras 2.2.5 (conv2_block1_1_conv)."""
  new = _NEW_RESNET in tensors

  def named(name: str) -> str:
    *place, part, role = name.removeprefix("blocks.").split(".")
    role = _KERAS_ROLES[role] if part == "norm" else role
    if place == ["stem"]:
      layer = {"conv": "conv1_conv" if new else "conv1", "norm": "conv1_bn" if new else "bn_conv1"}[part]
    elif new:
      (stage, letter), branch = place[0], _BRANCHES.index(place[1])
      layer = f"conv{stage}_block{'abcdef'.index(letter) + 1}_{branch}_{'conv' if part == 'conv' else 'bn'}"
    else:
      layer = f"{'res' if part == 'conv' else 'bn'}{place[0]}_{place[1]}"
    return f"{layer}/{role}"

  return named


def _sgdnet_names(tensors: Tensors) -> SourceName:
  """Three layers have no name but their number, which depends on what else the program had built: go by their order."""
  numbered = {
    kind: sorted(
      {name.split("/")[0] for name in tensors if re.fullmatch(rf"{kind}(_\d+)?/kernel", name)},
      key=lambda layer: int(layer.removeprefix(kind).lstrip("_") or 0),
    )
    for kind in ("conv2d", "dense")
  }
  found = [*numbered["conv2d"], *numbered["dense"]]
  unnamed = found if (len(numbered["conv2d"]), len(found)) == (1, 3) else ["conv2d_1", "dense_1", "dense_2"]
  layers = dict(zip(("reduce", "squeeze", "excite"), unnamed, strict=True))
  backbone = _keras_resnet_names(tensors)

  def named(name: str) -> str:
    if name.startswith("backbone."):
      return backbone(name.removeprefix("backbone."))
    layer, role = name.removeprefix("quality.").split(".")
    return f"{layers.get(layer, layer)}/{role}"

  return named


def _quality_width(tensors: Tensors) -> int:
  """The width of SGDNet's dense layers in a file; the usual one if it is none of the two."""
  kernel = tensors.get("fc1/kernel")
  found = kernel.shape[-1] if kernel and kernel.shape else None
  return found if found in _SGDNET_WIDTHS else _SGDNET_WIDTHS[-1]


def _with_our_epsilon(arrays: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
  """Lets the scale of each batch normalisation take up the difference between its epsilon and ours, exactly."""
  for name, array in arrays.items():
    if name.endswith("norm.scale"):
      variance = arrays[name.removesuffix("scale") + "var"].astype(np.float64)
      yield name, (array * np.sqrt((variance + EPSILON) / (variance + _NEW_KERAS_EPSILON))).astype(np.float32)
    else:
      yield name, array


KINDS: Mapping[str, Kind] = MappingProxyType({
  "keras-vgg16": Kind("vgg16", "keras", open_keras, _keras_vgg_names, r"block\d+_conv\d+/"),
  "torchvision-vgg16": Kind("vgg16", "torchvision", open_torch, _torch_vgg_names, r"(.*\.)?features\.", (2, 3, 1, 0)),
  "keras-resnet50": Kind("resnet50", "keras", open_keras, _keras_resnet_names, _RESNET_LAYER),
  "sgdnet": Kind("sgdnet", "keras", open_keras, _sgdnet_names, _RESNET_LAYER),
})  # fmt: skip
"""Foreign files that can be converted: `--from` and what is known of them."""
