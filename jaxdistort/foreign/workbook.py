"""Reads workbooks of Excel, in the process that reads."""

import warnings
from pathlib import Path
from typing import Any

import openpyxl


class File:
  def __init__(self, path: Path):
    with warnings.catch_warnings():
      warnings.simplefilter("ignore")  # of styles and extensions, of no matter here
      self._book = openpyxl.load_workbook(path, read_only=True, data_only=True)

  def rows(self, sheet: str) -> list[list[Any]]:
    """The cells of the sheet of this name, or of the first one, as text, numbers or None."""
    found = self._book[sheet] if sheet in self._book.sheetnames else self._book.worksheets[0]
    found.reset_dimensions()  # what a file says of its extent may be wrong, and rows beyond it would be left out
    plain = (str, int, float, type(None))
    return [
      [cell if isinstance(cell, plain) else str(cell) for cell in row] for row in found.iter_rows(values_only=True)
    ]
