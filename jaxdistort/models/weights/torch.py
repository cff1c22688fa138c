"""Reads weights that PyTorch wrote: .safetensors, and .pth without torch and without trusting it."""

import functools
import io
import math
import zipfile
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import jax.numpy as jnp
import numpy as np
from safetensors import safe_open

from jaxdistort.errors import InputError
from jaxdistort.models.weights.tensors import Damaged, Tensor, Tensors, foreign_parser
from jaxdistort.models.weights.torch_pickle import Call, PersistentId, Refused, StorageType, Unpickler

_LEGACY_BEGINNING = (0x1950A86A20F9469CFC6C, 1001)  # the first two pickles of files of before PyTorch 1.6

_MOST_PACKED = 20  # bytes of a byte: PyTorch packs nothing, and weights hardly get smaller

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
  is read, dicts and arrays, and nothing is carried out; whatever else it asks for is refused.

  Raises:
    InputError: not such a file, cut short, or a pickle that asks for more.
  """
  with ExitStack() as stack:
    file = stack.enter_context(path.open("rb"))
    try:
      tensors = _open(path, file, stack)
    except Refused as error:
      raise InputError(f"{path}: {error}") from error
    except Damaged as error:
      raise InputError(f"{path}: not a whole file of PyTorch ({error})") from error
    yield tensors


def _open(path: Path, file: BinaryIO, stack: ExitStack) -> Tensors:
  start = file.read(9)
  file.seek(0)
  if start[8:] == b"{":
    with foreign_parser():
      arrays = stack.enter_context(safe_open(path, "flax"))  # numpy has no bfloat16
      shapes = {name: tuple(arrays.get_slice(name).get_shape()) for name in arrays.keys()}  # noqa: SIM118  # not a dict
    return {name: Tensor(shape, functools.partial(_read_safetensor, arrays, name)) for name, shape in shapes.items()}
  if start.startswith(b"PK\x03\x04"):
    with foreign_parser():
      archive = stack.enter_context(zipfile.ZipFile(file))
      members = archive.namelist()
    return _zip_tensors(archive, members)
  if start.startswith(b"\x80"):
    return _legacy_tensors(file)
  raise Refused(f"neither .safetensors nor .pth (it begins with {start[:4]!r})")


def _read_safetensor(arrays: Any, name: str) -> np.ndarray:
  with foreign_parser():
    return np.asarray(arrays.get_tensor(name))


def _zip_tensors(archive: zipfile.ZipFile, members: list[str]) -> Tensors:
  """The form since PyTorch 1.6: a pickle, and a member of the archive for each storage."""
  pickles = [name for name in members if name.endswith("/data.pkl")]
  if len(pickles) != 1:
    raise Refused("a zip archive, but not PyTorch's")
  folder = pickles[0].removesuffix("data.pkl")

  def read(name: str) -> bytes:
    with foreign_parser():
      member = archive.getinfo(name)
      if member.file_size > _MOST_PACKED * member.compress_size:
        raise Damaged(f"{name} would unpack to {member.file_size:,} bytes")
      return archive.read(name)

  content = Unpickler(io.BytesIO(read(pickles[0]))).unpickle()
  return _state_dict(content, lambda storage: read(f"{folder}data/{storage.key}"))


def _legacy_tensors(file: BinaryIO) -> Tensors:
  """The form before: four pickles, the storages' keys in a fifth, then size and bytes of each."""
  if tuple(Unpickler(file).unpickle() for _ in range(2)) != _LEGACY_BEGINNING:
    raise Refused("a pickle, but not PyTorch's")
  Unpickler(file).unpickle()  # about the machine that wrote it
  unpickler = Unpickler(file)
  content = unpickler.unpickle()
  storages = {storage.key: storage for storage in map(_storage, unpickler.storages)}
  keys = Unpickler(file).unpickle()
  places = {}
  for key in keys if isinstance(keys, list) else ():
    size = file.read(8)
    if len(size) < 8 or not isinstance(key, str) or key not in storages:
      raise Damaged(f"storage {key!r} is cut short or belongs to no tensor")
    length = int.from_bytes(size, "little") * storages[key].dtype.itemsize
    places[key] = file.tell(), length
    if length > file.seek(0, 2) - places[key][0]:
      raise Damaged(f"storage {key} is cut short")
    file.seek(places[key][0] + length)

  def read(storage: _Storage) -> bytes:
    if storage.key not in places:
      raise Damaged(f"storage {storage.key} is missing")
    place, length = places[storage.key]
    file.seek(place)
    return file.read(length)

  return _state_dict(content, read)


class _Storage(NamedTuple):
  dtype: np.dtype
  key: str


def _storage(pid: PersistentId) -> _Storage:
  """What a pickle says of a storage, checked: "storage", type, key, device, number of elements and perhaps None."""
  match pid.content:
    case ("storage", StorageType(name), str(key), _, _, *view) if view in ([], [None]) and name in _STORAGES:
      return _Storage(np.dtype(_STORAGES[name]), key)
  raise Refused("holds objects that are no plain storages")


class _View(NamedTuple):
  """A tensor: a window on a storage, in elements."""

  storage: _Storage
  offset: int
  shape: tuple[int, ...]
  strides: tuple[int, ...]

  def of(self, content: bytes) -> np.ndarray:
    if len(content) % self.storage.dtype.itemsize:
      raise Damaged(f"{len(content)} bytes are no whole number of {self.storage.dtype}")
    elements = np.frombuffer(content, self.storage.dtype)
    last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
    if math.prod(self.shape) and last >= len(elements):
      raise Damaged(f"{len(elements)} values are stored, number {last} is wanted")
    strides = [step * elements.itemsize for step in self.strides]
    return np.lib.stride_tricks.as_strided(elements[self.offset :], self.shape, strides)


def _view(value: Any) -> _View | None:
  """The tensor that a pickle would build, checked; None for other values."""
  match value:
    case Call("_rebuild_parameter", (tensor, *_)):
      value = tensor
  match value:
    case Call(name, (PersistentId() as pid, offset, tuple(shape), tuple(strides), *_)) if name != "_rebuild_parameter":
      if len(shape) != len(strides) or not all(type(n) is int and n >= 0 for n in (offset, *shape, *strides)):
        raise Damaged("a tensor whose shape is not made of whole numbers")
      return _View(_storage(pid), offset, shape, strides)
    case Call(name):
      raise Damaged(f"a tensor that {name} cannot have made")
  return None


def _state_dict(content: Any, read: Callable[[_Storage], bytes]) -> Tensors:
  """The tensors of a dict, or of the dict under "state_dict" or the like in it, as training scripts save it."""
  for name in ("state_dict", "model_state_dict", "model"):
    if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
      content = content[name]
  if not isinstance(content, Mapping):
    raise Refused(f"holds a {type(content).__name__}, not a dict of tensors")
  views = {str(name): view for name, value in content.items() if (view := _view(value))}
  return {name: Tensor(view.shape, functools.partial(lambda view: view.of(read(view.storage)), view))
          for name, view in views.items()}  # fmt: skip
