"""Reads HDF5, in the process that reads."""

from pathlib import Path

import h5py
import numpy as np


class File:
  """Places are paths within the file, "" for its root."""

  def __init__(self, path: Path):
    self._file = h5py.File(path, "r")

  def shape(self, place: str) -> list[int] | str | None:
    """Of the array there; "group" if it is a group, None if there is nothing."""
    if place and place not in self._file:
      return None
    found = self._file[place or "/"]  # `get` would take what is broken for what is missing
    if isinstance(found, h5py.Dataset):
      return list(found.shape)
    return "group"

  def read(self, place: str) -> np.ndarray:
    array = np.asarray(self._file[place][()])
    if array.dtype.kind not in "fiub":
      raise ValueError(f"holds {array.dtype}, no numbers")
    return array

  def texts(self, place: str, attribute: str) -> list[str] | None:
    """An attribute that is a text or a list of texts; None if there is none of that name."""
    attributes = self._file[place or "/"].attrs
    if attribute not in attributes:
      return None
    values = np.ravel(attributes[attribute]).tolist()
    return [value.decode(errors="replace") if isinstance(value, bytes) else str(value) for value in values]
