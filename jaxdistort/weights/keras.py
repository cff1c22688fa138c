"""Reads weights that Keras 1, 2 or 3 wrote as HDF5."""

import itertools
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jaxdistort.errors import InputError
from jaxdistort.weights.tensors import Tensor, Tensors

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
    InputError: not HDF5, cut short, or not written by Keras.
  """
  try:
    import h5py
  except ImportError as error:
    raise InputError("HDF5 files need h5py: pip install 'jaxdistort[convert]'") from error
  try:
    file = h5py.File(path, "r")
  except OSError as error:
    raise InputError(f"{path}: not a whole HDF5 file ({error})") from error
  with file:
    try:
      nameless = "layers" in file and "layer_names" not in file.attrs
      tensors = {} if nameless else dict(_tensors(file.get("model_weights", file)))
    except Exception as error:  # whatever a damaged file makes of itself
      raise InputError(f"{path}: HDF5, but damaged or not laid out by Keras ({error})") from error
    if nameless:
      raise InputError(
        f"{path}: Keras 3's .weights.h5 form, which does not hold the layers' names; write it with model.save('x.h5')"
      )
    if not tensors:
      raise InputError(f"{path}: HDF5, but without weights as Keras writes them (layer_names, weight_names)")
    yield tensors


def _names(group: Any, attribute: str) -> list[str]:
  """A list of names; Keras cuts a long one into attributes with 0, 1, ... at their end."""
  numbered = (f"{attribute}{i}" for i in itertools.count())
  pieces = [attribute] if attribute in group.attrs else itertools.takewhile(lambda name: name in group.attrs, numbered)
  names = [name for piece in pieces for name in group.attrs[piece]]
  return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _tensors(group: Any) -> Iterator[tuple[str, Tensor]]:
  for layer in _names(group, "layer_names"):
    weights = _names(group[layer], "weight_names") if layer in group else []
    scopes = {weight.rpartition("/")[0] for weight in weights}
    for weight in weights:
      scope, _, last = weight.rpartition("/")
      # One scope is the layer's own, perhaps numbered anew by TensorFlow; several are those of a model's layers.
      owner = layer if len(scopes) == 1 else scope.rpartition("/")[2]
      ending = _ENDINGS.search(last)
      role = ending[1] if ending else last
      if weight in group[layer]:
        array = group[layer][weight]
        yield f"{owner}/{_ROLES.get(role, role)}", Tensor(tuple(array.shape), lambda array=array: array[()])
