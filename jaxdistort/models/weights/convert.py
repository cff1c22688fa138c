"""Turns weights of Keras, torchvision, timm and SGDNet's authors into our file."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxdistort.errors import InputError, choose
from jaxdistort.models.layers import INPUT_SCALINGS
from jaxdistort.models.network import split_network
from jaxdistort.models.weights.file import WeightsFile, backbone_name, write_weights
from jaxdistort.models.weights.kinds import KINDS, Kind, Pretrained
from jaxdistort.models.weights.tensors import Damaged, Tensors


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
  form = KINDS.find(kind)
  preprocessing = choose("preprocessing", preprocessing or form.preprocessing, INPUT_SCALINGS)
  if not source.is_file():
    raise InputError(f"{source}: {'is a folder' if source.is_dir() else 'no such file'}")
  if output.exists() and not output.is_file():
    raise InputError(f"{output}: the output must be a file, and this is none")
  if output.exists() and output.samefile(source):
    raise InputError(f"{output}: is the file to be converted; the output must be another one")
  with form.open(source) as tensors:
    arrays = _arrays(source, tensors, form)
  return write_weights(output, arrays, architecture=form.network.name, preprocessing=preprocessing, source=source)


def expected_shapes(network: Pretrained, **options: Any) -> dict[str, tuple[int, ...]]:
  """The arrays that our file of a network holds: our name -> shape."""
  build = lambda: network.build(input_scaling="raw", dtype=jnp.float32, rngs=nnx.Rngs(0), **options)  # noqa: E731
  _, variables = split_network(nnx.eval_shape(build))
  leaves = [leaf for part in variables for leaf in jax.tree_util.tree_leaves_with_path(part)]
  return {backbone_name(".".join(str(part.key) for part in path)): leaf.shape for path, leaf in leaves}


def _arrays(source: Path, tensors: Tensors, form: Kind) -> Mapping[str, np.ndarray]:
  """The network's arrays by our names, in our layout."""
  named = form.names(tensors)

  def shape_of(name: str) -> tuple[int, ...] | None:
    tensor = tensors.get(named(name))
    return tensor.shape if tensor else None

  shapes = expected_shapes(form.network, **form.network.options(shape_of))
  stored = {axes: {named(name): _stored_shape(shape, axes) for name, shape in shapes.items()} for axes in form.orders}
  axes = max(stored, key=lambda axes: _fits(tensors, stored[axes]))  # the first of those that fit alike
  wanted = stored[axes]
  _check_network(source, tensors, wanted, form)
  arrays = {}
  for name in shapes:
    array = _read(source, tensors, named(name), wanted[named(name)])
    if array.ndim == 4:
      array = array.transpose(axes)
      array = array[::-1, ::-1] if tensors[named(name)].flipped else array
    arrays[name] = array
  return form.adapt(tensors, arrays) if form.adapt else arrays


def _fits(tensors: Tensors, shapes: Mapping[str, tuple[int, ...]]) -> bool:
  """Whether all kernels of a file that is there have these shapes."""
  return all(tensors[name].shape == shape for name, shape in shapes.items() if len(shape) == 4 and name in tensors)


def _check_network(source: Path, tensors: Tensors, wanted: Mapping[str, tuple[int, ...]], form: Kind) -> None:
  """Raises InputError if the file holds another network, smaller, larger or with other names."""
  network = form.network.name
  if not wanted.keys() & tensors.keys():
    held = ", ".join(f"{name} {tensor.shape}" for name, tensor in list(tensors.items())[:2]) or "no tensors"
    name, shape = max(wanted.items(), key=lambda item: len(item[1]))
    raise InputError(f"{source}: holds no tensor of {network}: expected such as {name} {shape}, found {held}")
  for name, tensor in tensors.items():
    if re.match(form.own, name) and name not in wanted:
      raise InputError(f"{source}: tensor {name}: expected none, found shape {tensor.shape}: not {network}")


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
  except Damaged as error:
    raise InputError(f"{source}: tensor {name} cannot be read, the file is damaged ({error})") from error
  if not (np.issubdtype(array.dtype, np.floating) or array.dtype == jnp.bfloat16):
    raise InputError(f"{source}: tensor {name}: expected floating-point numbers, found {array.dtype}")
  with np.errstate(over="ignore"):  # becomes infinite, which is reported
    array = array.astype(np.float32)
  if not np.isfinite(array).all():
    raise InputError(f"{source}: tensor {name}: {np.sum(~np.isfinite(array))} of its numbers are not finite")
  return array
