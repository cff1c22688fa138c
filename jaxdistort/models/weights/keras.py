"""Reads weights that Keras 1, 2 or 3 wrote as HDF5."""

import itertools
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from jaxdistort.errors import InputError, MissingExtra
from jaxdistort.models.weights.tensors import Damaged, Tensor, Tensors, foreign_parser

_ROLES = {
  "W": "kernel",
  "b": "bias",
  "running_mean": "moving_mean",
  "running_std": "moving_variance",  # Keras 1 called the variance so
}
_ENDINGS = re.compile(r"(kernel|bias|gamma|beta|moving_mean|moving_variance|running_mean|running_std|W|b)(_\d+)?(:0)?$")


@contextmanager
def open_keras(path: Path) -> Generator[Tensors]:
  """The arrays of a Keras file of weights or whole model, as "layer/role": "block1_conv1/kernel".

  Roles are kernel, bias, gamma, beta, moving_mean and moving_variance, whatever the generation of Keras
  calls them (`block1_conv1/kernel`, `block1_conv1/kernel:0`, `block1_conv1_W_1:0`). Layers of a model
  within the model stand beside the others.

  Raises:
    InputError: not HDF5, cut short, or not written by Keras; h5py is not installed.
  """
  try:
    import h5py
  except ImportError as error:
    raise MissingExtra("h5py", "convert", str(path)) from error
  try:
    with foreign_parser():
      file = h5py.File(path, "r")
  except Damaged as error:
    raise InputError(f"{path}: not a whole HDF5 file ({error})") from error
  with file:
    try:
      nameless = _child(file, "layers") is not None and _listed(file, "layer_names") is None
      tensors = {} if nameless else dict(_tensors(_child(file, "model_weights") or file))
    except Damaged as error:
      raise InputError(f"{path}: HDF5, but damaged or not laid out by Keras ({error})") from error
    if nameless:
      raise InputError(
        f"{path}: Keras 3's .weights.h5 form, which does not hold the layers' names; write it with model.save('x.h5')"
      )
    if not tensors:
      raise InputError(f"{path}: HDF5, but without weights as Keras writes them (layer_names, weight_names)")
    yield tensors


def _tensors(group: Any) -> Iterator[tuple[str, Tensor]]:
  for layer in _names(group, "layer_names"):
    content = _child(group, layer)
    weights = [] if content is None else _names(content, "weight_names")
    scopes = {weight.rpartition("/")[0] for weight in weights}
    for weight in weights:
      scope, _, last = weight.rpartition("/")
      # One scope is the layer's own, perhaps numbered anew by TensorFlow; several are those of a model's layers.
      owner = layer if len(scopes) == 1 else scope.rpartition("/")[2]
      ending = _ENDINGS.search(last)
      role = ending[1] if ending else last
      array = _child(content, weight)
      if array is not None:
        yield f"{owner}/{_ROLES.get(role, role)}", _tensor(weight, array)


def _names(group: Any, attribute: str) -> list[str]:
  """A list of names; Keras cuts a long one into attributes with 0, 1, ... at their end."""
  whole = _listed(group, attribute)
  if whole is not None:
    return whole
  pieces = (_listed(group, f"{attribute}{i}") for i in itertools.count())
  return [name for piece in itertools.takewhile(lambda piece: piece is not None, pieces) for name in piece or ()]


def _listed(group: Any, attribute: str) -> list[str] | None:
  """An attribute that lists names; None if there is none of that name."""
  with foreign_parser():
    values = list(group.attrs[attribute]) if attribute in group.attrs else None
  if values is None:
    return None
  return [value.decode(errors="replace") if isinstance(value, bytes) else str(value) for value in values]


def _child(group: Any, name: str) -> Any:
  """What lies in a group under a name; None if there is nothing."""
  with foreign_parser():
    if name in group:
      return group[name]  # `get` would take what is broken for what is missing
    return None


def _tensor(name: str, array: Any) -> Tensor:
  if not hasattr(array, "shape"):
    raise Damaged(f"{name} is no array")

  def read() -> np.ndarray:
    with foreign_parser():
      return np.asarray(array[()])

  with foreign_parser():
    return Tensor(tuple(array.shape), read)
