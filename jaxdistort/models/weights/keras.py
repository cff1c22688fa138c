"""Reads weights that Keras 1, 2 or 3 wrote as HDF5."""

import functools
import importlib.util
import itertools
import math
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from jaxdistort.errors import InputError, MissingExtra
from jaxdistort.foreign.reading import Damaged, Reader, reading
from jaxdistort.models.weights.tensors import Tensor, Tensors

_ROLES = {
  "W": "kernel",
  "b": "bias",
  "running_mean": "moving_mean",
  "running_std": "moving_variance",  # Keras 1 called the variance so
}
_ENDINGS = re.compile(r"(kernel|bias|gamma|beta|moving_mean|moving_variance|running_mean|running_std|W|b)(_\d+)?(:0)?$")
_KERNELS = re.compile(r"(th|tf)_kernels")
THEANO_AXES = (2, 3, 1, 0)
"""Keras 1 with the dimensions in Theano's order has kernels [out, in, H, W]; all others [H, W, in, out]."""
_MOST_NAMES = 100_000  # of layers or weights


@contextmanager
def open_keras(path: Path) -> Generator[Tensors]:
  """The arrays of a Keras file of weights or whole model, as "layer/role": "block1_conv1/kernel".

  Roles are kernel, bias, gamma, beta, moving_mean and moving_variance, whatever the generation of Keras
  calls them (`block1_conv1/kernel`, `block1_conv1/kernel:0`, `block1_conv1_W_1:0`). Layers of a model
  within the model stand beside the others. Kernels of Keras under Theano are marked as flipped; in Keras 1 they may be
  [out, in, H, W] too.

  Raises:
    InputError: not HDF5, cut short, or not written by Keras; h5py is not installed.
  """
  if importlib.util.find_spec("h5py") is None:
    raise MissingExtra("h5py", "convert", str(path))
  with ExitStack() as stack:
    try:
      file = stack.enter_context(reading("hdf5", path))
    except Damaged as error:
      raise InputError(f"{path}: not a whole HDF5 file ({error})") from error
    try:
      nameless = file.call("shape", "layers") is not None and file.call("texts", "", "layer_names") is None
      group = "model_weights" if file.call("shape", "model_weights") else ""
      places = {} if nameless else dict(_places(file, group))
      backend = file.call("texts", group, "backend") or file.call("texts", "", "backend")
    except Damaged as error:
      raise InputError(f"{path}: HDF5, but damaged or not laid out by Keras ({error})") from error
    if nameless:
      raise InputError(
        f"{path}: Keras 3's .weights.h5 form, which does not hold the layers' names; write it with model.save('x.h5')"
      )
    if not places:
      raise InputError(f"{path}: HDF5, but without weights as Keras writes them (layer_names, weight_names)")
    flipped = _are_flipped(path, backend[0] if backend else "", places.values())
    yield {
      name: Tensor(shape, functools.partial(file.call, "read", place), flipped)
      for name, (place, shape) in places.items()
    }


_Place = tuple[str, tuple[int, ...]]  # of an array: its path within the file, and its shape


def _places(file: Reader, group: str) -> Iterator[tuple[str, _Place]]:
  for layer in _names(file, group, "layer_names"):
    content = f"{group}/{layer}".lstrip("/")
    weights = [] if file.call("shape", content) is None else _names(file, content, "weight_names")
    scopes = {weight.rpartition("/")[0] for weight in weights}
    for weight in weights:
      scope, _, last = weight.rpartition("/")
      # One scope is the layer's own, perhaps numbered anew by TensorFlow; several are those of a model's layers.
      owner = layer if len(scopes) == 1 else scope.rpartition("/")[2]
      ending = _ENDINGS.search(last)
      role = ending[1] if ending else last
      shape = file.call("shape", f"{content}/{weight}")
      if shape == "group":
        raise Damaged(f"{weight} is no array")
      if shape is not None:
        yield f"{owner}/{_ROLES.get(role, role)}", (f"{content}/{weight}", tuple(shape))


def _names(file: Reader, group: str, attribute: str) -> list[str]:
  """A list of names; Keras cuts a long one into attributes with 0, 1, ... at their end."""
  whole = file.call("texts", group, attribute)
  if whole is None:
    pieces = (file.call("texts", group, f"{attribute}{i}") for i in itertools.count())
    whole = [name for piece in itertools.takewhile(lambda piece: piece is not None, pieces) for name in piece or ()]
  if len(whole) > _MOST_NAMES:
    raise Damaged(f"{attribute} has {len(whole):,} names")
  return whole


def _are_flipped(path: Path, backend: str, arrays: Iterable[_Place]) -> bool:
  """Whether the kernels are those of Theano, which turns them by half a turn before it multiplies.

  Keras 2 and 3 say which backend wrote a file. Keras 1 did not, and had two: TensorFlow, which ends the names of
  weights in :0, and Theano, which alone has kernels [out, in, H, W] under names without. What was made for another
  backend than that which wrote it is called so (vgg16_weights_tf_dim_ordering_th_kernels.h5).

  Raises:
    InputError: the file does not say, or says both.
  """
  kernels = [(place, shape) for place, shape in arrays if len(shape) == 4]
  if not kernels:
    return False
  called = set(_KERNELS.findall(path.name.lower()))
  said = {"th" if backend.lower() == "theano" else "tf"} if backend else set()
  if len(called | said) == 2:
    raise InputError(
      f"{path}: by its name it holds {'_ and '.join(sorted(called))}_kernels, by its attribute backend those of "
      f"{backend or 'none'}: which way round they are cannot be known; rename it as what they are made for"
    )
  if called | said:
    return "th" in called | said
  if all(place.endswith(":0") for place, _ in kernels):
    return False
  place, shape = max(kernels, key=lambda kernel: math.prod(kernel[1]))
  if not place.endswith(":0") and max(shape[:2]) > max(shape[2:]):
    return True
  raise InputError(
    f"{path}: does not say which backend of Keras wrote it (attribute backend): kernels of Theano are turned by half a "
    "turn; write th_kernels (Theano) or tf_kernels (any other) into the file's name"
  )
