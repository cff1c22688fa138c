"""Pictures of a folder."""

import functools
import os

import numpy as np

from jaxdistort.data.identity import identify
from jaxdistort.data.listing import list_pictures
from jaxdistort.data.pictures import SUFFIXES, read_picture, standardise
from jaxdistort.data.source import Source, register_source
from jaxdistort.errors import InputError
from jaxdistort.progress import SILENT, Progress


class Folder(Source):
  """Every picture below a folder, in an order that depends on the pictures alone, not on what they are called.

  What is listed is told at `list_pictures`, what makes a picture the same one at `identify`; a broken picture shows
  when it is loaded. Copies of a picture are one original.

  Raises:
    InputError: no such folder, or no picture in it.
  """

  def __init__(self, path: str | os.PathLike[str]):
    self._root = os.path.realpath(os.path.expanduser(os.fspath(path)))
    if not os.path.isdir(self._root):
      kind = "is a file, not a folder" if os.path.exists(self._root) else "does not exist"
      raise InputError(f"data source folder:{path} {kind}")
    self._listed, self._left_out, _ = list_pictures(self._root)
    if not self._listed:
      kinds = ", ".join(sorted(s[1:] for s in SUFFIXES))
      why = f"; {self._left_out[0]}" if self._left_out else ""
      raise InputError(f"data source folder:{path}: no picture in it or below it ({kinds}){why}")

  def __len__(self) -> int:
    return len(self._listed)

  def __repr__(self) -> str:
    return f"folder:{self._root}"

  @property
  def root(self) -> str:
    return self._root

  def file(self, index: int) -> str:
    return self.name(index)

  def name(self, index: int) -> str:
    return os.path.join(self._root, self.short_name(index))

  def short_name(self, index: int) -> str:
    return self._pictures[0][index]

  def original(self, index: int) -> str:
    return self._pictures[1][index].tobytes().hex()

  def load(self, index: int, size: int) -> np.ndarray:
    return standardise(read_picture(self.name(index)), size)

  @functools.cached_property
  def _pictures(self) -> tuple[list[str], np.ndarray]:
    """Names and identities in their order."""
    return self._identified(SILENT)

  def _identified(self, progress: Progress) -> tuple[list[str], np.ndarray]:
    identities = identify([os.path.join(self._root, name) for name in self._listed], self._root, progress)
    order = np.lexsort(identities.T[::-1])  # stable: copies of a picture in the order of their names
    return [self._listed[i] for i in order], identities[order]

  def identify(self, progress: Progress) -> None:
    if "_pictures" not in vars(self):
      vars(self)["_pictures"] = self._identified(progress)

  def remarks(self) -> tuple[str, ...]:
    return self._left_out


register_source("folder", Folder, "every picture below a folder", "PATH")
