"""Reads MATLAB's files (before version 7.3), in the process that reads."""

import warnings
from pathlib import Path

import numpy as np
import scipy.io


class File:
  def __init__(self, path: Path):
    with warnings.catch_warnings():
      warnings.simplefilter("ignore")  # of a damaged file
      self._variables = scipy.io.loadmat(path, verify_compressed_data_integrity=True)

  def numbers(self, name: str) -> np.ndarray:
    """float64 [n]; empty if there is no such variable."""
    values = np.ravel(self._variables.get(name, ()))
    if values.size and values.dtype.kind not in "fiub":
      raise ValueError(f"{name} holds no numbers")
    return values.astype(np.float64)

  def texts(self, name: str) -> list[str] | None:
    """The texts of a cell array; None if there is no such variable."""
    if name not in self._variables:
      return None
    return [str(np.ravel(cell)[0]) if np.size(cell) else "" for cell in np.ravel(self._variables[name])]
