"""Where compiled programs are kept between processes: whole or not at all, with a checksum.

JAX's own cache keeps a damaged entry for ever (it compiles anew in every process, or crashes on one whose bytes were
changed), and a writer that is killed at the wrong moment stops all later ones from keeping anything.
"""

import contextlib
import hashlib
import importlib.abc
import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

_CACHE = "jax._src.compilation_cache"  # private; a test tells when it is another
_DIGEST = 32  # bytes
_SUFFIX = "-program"


class Programs:
  """The programs in a folder, in the form of JAX's cache; any number of processes may share it.

  A file is the checksum of a program, then the program; one that is damaged is removed when it is asked for. Where the
  folder cannot be read or written, or its disk is full, programs are compiled anew.

  Args:
    path: of the folder, made when the first program is kept.
    most: bytes; beyond, the programs that were not used for longest go. -1: no end.
  """

  def __init__(self, path: str | os.PathLike[str], most: int):
    self._path, self._most = Path(path), most

  def get(self, key: str) -> bytes | None:
    file = self._path / f"{key}{_SUFFIX}"
    try:
      content = file.read_bytes()
    except OSError:
      return None
    program = content[_DIGEST:]
    whole = content[:_DIGEST] == _digest(program)
    with contextlib.suppress(OSError):
      if whole:
        os.utime(file)  # when it was used last
      else:
        file.unlink()
    return program if whole else None

  def put(self, key: str, value: bytes) -> None:
    unfinished = self._path / f"{key}.{os.getpid()}{_SUFFIX}"
    try:
      self._path.mkdir(parents=True, exist_ok=True)
      if self._make_room(len(value)):
        unfinished.write_bytes(_digest(value) + value)
        unfinished.replace(self._path / f"{key}{_SUFFIX}")
    except OSError:
      with contextlib.suppress(OSError):
        unfinished.unlink()

  def _make_room(self, size: int) -> bool:
    """Removes programs, the oldest first, until another fits; False if it never will."""
    if self._most < 0:
      return True
    states = [(file.stat(), file) for file in self._path.glob(f"*{_SUFFIX}")]
    used = sum(state.st_size for state, _ in states)
    for state, file in sorted(states, key=lambda entry: entry[0].st_mtime_ns):
      if used + size <= self._most:
        break
      file.unlink(missing_ok=True)
      used -= state.st_size
    return used + size <= self._most


def _digest(program: bytes) -> bytes:
  return hashlib.blake2b(program, digest_size=_DIGEST).digest()


def keep_programs_whole() -> None:
  """Has JAX keep its programs so, wherever it is told to keep them; it need not be imported yet, nor is it here."""
  if _CACHE in sys.modules:
    _replace(sys.modules[_CACHE])
  elif not any(isinstance(finder, _WhenImported) for finder in sys.meta_path):
    sys.meta_path.insert(0, _WhenImported())


def _replace(module: ModuleType) -> None:
  def open_programs(path: str) -> tuple[Any, str]:
    return Programs(path, module.config.compilation_cache_max_size.value), path

  module.get_file_cache = open_programs  # ty: ignore[missing-attribute]


class _WhenImported(importlib.abc.MetaPathFinder):
  """Finds JAX's module as ever, and changes it once it is there."""

  def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
    if name != _CACHE:
      return None
    sys.meta_path.remove(self)
    spec = importlib.util.find_spec(name)
    if spec and spec.loader:
      execute = spec.loader.exec_module

      def execute_and_replace(module: ModuleType) -> None:
        execute(module)
        _replace(module)

      spec.loader.exec_module = execute_and_replace
    return spec
