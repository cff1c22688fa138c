"""Reads pickles of PyTorch without carrying them out: what they would call becomes a record of the call."""

import itertools
import pickle
import pickletools
from collections import OrderedDict
from typing import Any, NamedTuple

from jaxdistort.models.weights.tensors import Damaged, foreign_parser

_MOST_STEPS = 20_000  # of a pickle: deep nesting would overflow the stack of the interpreter; a state dict has 1,500
_REBUILDERS = ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter")


class Refused(Damaged):
  """The file is whole, but asks for more than it should, or is another one."""


class StorageType(NamedTuple):
  """A class of PyTorch's, "FloatStorage" for one."""

  name: str


class Call(NamedTuple):
  """A function of torch._utils that a pickle would call, and with what."""

  name: str
  arguments: tuple[Any, ...]


class _Function(NamedTuple):
  name: str

  def __call__(self, *arguments: Any) -> Call:
    return Call(self.name, arguments)


class PersistentId(NamedTuple):
  """What a pickle says of an object that is stored outside of it."""

  content: Any


class Unpickler(pickle.Unpickler):
  """Reads a pickle of which nothing comes but plain values, dicts and the records above, none of them checked.

  No name is looked up outside this module. What runs while a file is parsed cannot fail by itself, so that whatever
  is raised there is the file's fault; what the records mean is the caller's business, afterwards.

  Raises:
    Refused: it has too many steps, or asks for another name.
    Damaged: it is no whole pickle.
  """

  def __init__(self, file: Any):
    start = file.tell()
    with foreign_parser():
      steps = list(itertools.islice(pickletools.genops(file), _MOST_STEPS))
    if len(steps) == _MOST_STEPS:
      raise Refused(f"a pickle of {_MOST_STEPS:,} steps or more, which no VGG16 needs")
    if any("PUT" in step.name and int(argument) > _MOST_STEPS for step, argument, _ in steps if argument is not None):
      raise Damaged("it remembers more than it has steps")  # for which gigabytes would be set aside
    file.seek(start)
    super().__init__(file)
    self.storages: list[PersistentId] = []

  def unpickle(self) -> Any:
    with foreign_parser():
      return self.load()

  def find_class(self, module: str, name: str) -> Any:
    if module == "torch" and name.endswith("Storage"):
      return StorageType(name)
    if (module, name) == ("collections", "OrderedDict"):
      return OrderedDict
    if module == "torch._utils" and name in _REBUILDERS:
      return _Function(name)
    raise Refused(f"holds Python objects ({module}.{name}), not only tensors; save the state_dict() of the model")

  def persistent_load(self, pid: Any) -> PersistentId:
    self.storages.append(PersistentId(pid))
    return self.storages[-1]
