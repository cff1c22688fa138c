"""Reads weights that PyTorch wrote: .safetensors, and .pth without torch and without trusting it."""

import functools
import itertools
import math
import pickle
import pickletools
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import jax.numpy as jnp
import numpy as np
from safetensors import safe_open

from jaxdistort.errors import InputError
from jaxdistort.weights.tensors import Tensor, Tensors

_MOST_STEPS = 20_000  # of a pickle: deep nesting would overflow the stack of the interpreter; a state dict has 1,500
_LEGACY_BEGINNING = (0x1950A86A20F9469CFC6C, 1001)  # the first two pickles of files of before PyTorch 1.6

_STORAGES: Mapping[str, Any] = {
  "DoubleStorage": np.float64,
  "FloatStorage": np.float32,
  "HalfStorage": np.float16,
  "BFloat16Storage": jnp.bfloat16,
  "LongStorage": np.int64,
  "IntStorage": np.int32,
  "ShortStorage": np.int16,
  "CharStorage": np.int8,
  "ByteStorage": np.uint8,
  "BoolStorage": np.bool_,
}


@contextmanager
def open_torch(path: Path) -> Generator[Tensors]:
  """The arrays of a state dict by name, in PyTorch's layout (a convolution is [out, in, H, W]).

  Reads .safetensors, and .pth or .pt in both of its forms. Of a pickle only what a state dict is made of
  is carried out, dicts and arrays; whatever else it asks for is refused.

  Raises:
    InputError: not such a file, cut short, or a pickle that asks for more.
  """
  with ExitStack() as stack:
    file = stack.enter_context(path.open("rb"))
    try:
      tensors = _open(path, file, stack)
    except _Refused as error:
      raise InputError(f"{path}: {error}") from error
    except Exception as error:  # whatever a damaged file makes of itself
      raise InputError(f"{path}: not a whole file of PyTorch ({type(error).__name__}: {error})") from error
    yield tensors


def _open(path: Path, file: BinaryIO, stack: ExitStack) -> Tensors:
  start = file.read(9)
  file.seek(0)
  if start[8:] == b"{":
    arrays = stack.enter_context(safe_open(path, "flax"))  # numpy has no bfloat16
    return {name: _safetensor(arrays, name) for name in arrays.keys()}  # noqa: SIM118  # not a dict
  if start.startswith(b"PK\x03\x04"):
    return _zip_tensors(stack.enter_context(zipfile.ZipFile(file)))
  if start.startswith(b"\x80"):
    return _legacy_tensors(file)
  raise _Refused(f"neither .safetensors nor .pth (it begins with {start[:4]!r})")


def _safetensor(arrays: Any, name: str) -> Tensor:
  return Tensor(tuple(arrays.get_slice(name).get_shape()), lambda: np.asarray(arrays.get_tensor(name)))


def _zip_tensors(archive: zipfile.ZipFile) -> Tensors:
  """The form since PyTorch 1.6: a pickle, and a member of the archive for each storage."""
  pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
  if len(pickles) != 1:
    raise _Refused("a zip archive, but not PyTorch's")
  folder = pickles[0].removesuffix("data.pkl")
  with archive.open(pickles[0]) as file:
    content = _Unpickler(file).load()
  return _state_dict(content, lambda storage: archive.read(f"{folder}data/{storage.key}"))


def _legacy_tensors(file: BinaryIO) -> Tensors:
  """The form before: four pickles, the storages' keys in a fifth, then size and bytes of each."""
  if tuple(_Unpickler(file).load() for _ in range(2)) != _LEGACY_BEGINNING:
    raise _Refused("a pickle, but not PyTorch's")
  _Unpickler(file).load()  # about the machine that wrote it
  unpickler = _Unpickler(file)
  content = unpickler.load()
  places = {}
  for key in _Unpickler(file).load():
    (count,) = struct.unpack("<q", file.read(8))
    places[key] = file.tell(), count * unpickler.storages[key].dtype.itemsize
    file.seek(places[key][1], 1)

  def read(storage: "_Storage") -> bytes:
    place, size = places[storage.key]
    file.seek(place)
    return file.read(size)

  return _state_dict(content, read)


class _Storage(NamedTuple):
  dtype: np.dtype
  key: str


class _View(NamedTuple):
  """A tensor: a window on a storage, in elements."""

  storage: _Storage
  offset: int
  shape: tuple[int, ...]
  strides: tuple[int, ...]

  def of(self, content: bytes) -> np.ndarray:
    elements = np.frombuffer(content, self.storage.dtype)
    last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
    if math.prod(self.shape) and not 0 <= last < len(elements):
      raise ValueError(f"{len(elements)} values are stored, number {last} is wanted")
    strides = [step * elements.itemsize for step in self.strides]
    return np.lib.stride_tricks.as_strided(elements[self.offset :], self.shape, strides)


class _Refused(Exception):
  """The file is not what it should be."""


class _Unpickler(pickle.Unpickler):
  """Carries out a pickle as far as dicts and arrays go: no name is looked up outside the table here."""

  def __init__(self, file: Any):
    start = file.tell()
    if sum(1 for _ in itertools.islice(pickletools.genops(file), _MOST_STEPS)) == _MOST_STEPS:
      raise _Refused(f"a pickle of {_MOST_STEPS:,} steps or more, which no VGG16 needs")
    file.seek(start)
    super().__init__(file)
    self.storages: dict[str, _Storage] = {}

  def find_class(self, module: str, name: str) -> Any:
    if module == "torch" and name in _STORAGES:
      return np.dtype(_STORAGES[name])
    if (module, name) == ("collections", "OrderedDict"):
      return OrderedDict
    try:
      return functools.partial(_ALLOWED[module, name])  # a fresh one, that the pickle may do with as it likes
    except KeyError:
      raise _Refused(
        f"holds Python objects ({module}.{name}), not only tensors; save the state_dict() of the model"
      ) from None

  def persistent_load(self, pid: Any) -> _Storage:
    kind, dtype, key = pid[:3]
    if kind != "storage" or not isinstance(dtype, np.dtype) or pid[5:] not in ((), (None,)):
      raise _Refused("holds objects that are no plain storages")
    return self.storages.setdefault(key, _Storage(dtype, key))


def _rebuild_tensor(storage: _Storage, offset: int, shape: Any, strides: Any, *more: Any) -> _View:
  del more  # requires_grad, hooks
  if not all(isinstance(n, int) and n >= 0 for n in (offset, *shape, *strides)):
    raise ValueError("a tensor whose shape is not made of whole numbers")
  return _View(storage, offset, tuple(shape), tuple(strides))


def _rebuild_parameter(tensor: _View, *more: Any) -> _View:
  del more
  return tensor


_ALLOWED: Mapping[tuple[str, str], Callable[..., Any]] = {
  ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
  ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
  ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
}


def _state_dict(content: Any, read: Callable[[_Storage], bytes]) -> Tensors:
  """The tensors of a dict, or of the dict under "state_dict" or the like in it, as training scripts save it."""
  for name in ("state_dict", "model_state_dict", "model"):
    if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
      content = content[name]
  if not isinstance(content, Mapping):
    raise _Refused(f"holds a {type(content).__name__}, not a dict of tensors")
  views = {str(name): view for name, view in content.items() if isinstance(view, _View)}
  return {name: Tensor(view.shape, functools.partial(lambda view: view.of(read(view.storage)), view))
          for name, view in views.items()}  # fmt: skip
