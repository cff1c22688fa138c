"""The list of pictures that could not be read, or not in every way as they are meant."""

import json
from pathlib import Path

import numpy as np

from jaxdistort.data.picture_set import PictureSet
from jaxdistort.files import named, read_rows, write_rows


class BrokenPictures:
  """Lists pictures in a file, once each: those that could not be read, with the reason, and those with remarks.

  A row says in `used` whether the picture was used nevertheless.

  Args:
    path: broken_pictures.jsonl; made when the first picture is listed.
    image_size: at which pictures are read again to learn the reason.
  """

  def __init__(self, path: Path, image_size: int):
    self.path, self._size = path, image_size
    rows = [row for row in read_rows(path) if isinstance(row.get("picture"), str)]
    if path.exists():
      write_rows(path, rows)  # the next row must not join one that was cut short
    self._used = {row["picture"]: bool(row.get("used")) for row in rows}

  def __len__(self) -> int:
    """How many could not be read."""
    return len(self._used) - self.remarked

  @property
  def remarked(self) -> int:
    """How many were used, with remarks."""
    return sum(self._used.values())

  def add(self, pictures: PictureSet, broken: np.ndarray, remarked: np.ndarray) -> None:
    """Lists pictures by their numbers: those that could not be read, and those that were used, with remarks."""
    for numbers, used in ((broken, False), (remarked, True)):
      for number in numbers.tolist():
        name = pictures.name(number)
        if name not in self._used:
          self._used[name] = used
          row = {"picture": name, "reason": pictures.what_is_wrong(number, self._size), "used": used}
          with named(self.path), self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")
