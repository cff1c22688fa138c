"""Pictures of a folder."""

import os
from pathlib import Path

import numpy as np

from jaxdistort.data.pictures import SUFFIXES, read_picture, standardise
from jaxdistort.data.source import Source, register_source
from jaxdistort.errors import InputError


class Folder(Source):
  """Every picture below a folder, in the order of their relative paths.

  Files without a picture's suffix, hidden files and hidden folders are ignored; a broken picture shows
  when it is loaded.

  Raises:
    InputError: no such folder, or no picture in it.
  """

  def __init__(self, path: str | os.PathLike[str]):
    self._root = os.path.realpath(os.path.expanduser(os.fspath(path)))
    if not os.path.isdir(self._root):
      kind = "is a file, not a folder" if os.path.exists(self._root) else "does not exist"
      raise InputError(f"data source folder:{path} {kind}")
    self._names = sorted(_picture_names(self._root))
    if not self._names:
      kinds = ", ".join(sorted(s[1:] for s in SUFFIXES))
      raise InputError(f"data source folder:{path}: no picture in it or below it ({kinds})")

  def __len__(self) -> int:
    return len(self._names)

  def __repr__(self) -> str:
    return f"folder:{self._root}"

  def file(self, index: int) -> str:
    return self.name(index)

  def name(self, index: int) -> str:
    return os.path.join(self._root, self._names[index])

  def original(self, index: int) -> str:
    return self._names[index]

  def load(self, index: int, size: int) -> np.ndarray:
    return standardise(read_picture(self.name(index)), size)


register_source("folder", Folder, "every picture below a folder", "PATH")


def _picture_names(root: str) -> list[str]:
  """Relative paths, with / between the parts on every system; links to folders are followed once."""
  found, visited = [], {root}
  for folder, subfolders, files in os.walk(root, followlinks=True):
    subfolders[:] = sorted(s for s in subfolders if not s.startswith("."))
    for subfolder in list(subfolders):
      place = os.path.realpath(os.path.join(folder, subfolder))
      if place in visited:
        subfolders.remove(subfolder)
      visited.add(place)
    relative = os.path.relpath(folder, root)
    for file in files:
      if not file.startswith(".") and os.path.splitext(file)[1].lower() in SUFFIXES:
        found.append(Path(relative, file).as_posix())
  return found
