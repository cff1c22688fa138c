"""The list of pictures that could not be read."""

import json
from pathlib import Path

import numpy as np

from jaxdistort.data.picture_set import PictureSet
from jaxdistort.files import complete_rows, named, write_whole


class BrokenPictures:
  """Lists pictures that could not be read in a file, once each, with the reason.

  Args:
    path: broken_pictures.jsonl; made when the first picture fails.
    image_size: at which pictures are read again to learn the reason.
  """

  def __init__(self, path: Path, image_size: int):
    self.path, self._size = path, image_size
    rows = complete_rows(path)
    if rows:
      write_whole(path, "".join(f"{row}\n" for row in rows))  # the next row must not join one that was cut short
    self._known = {json.loads(row)["picture"] for row in rows}

  def __len__(self) -> int:
    return len(self._known)

  def add(self, pictures: PictureSet, numbers: np.ndarray) -> None:
    for number in numbers.tolist():
      name = pictures.name(number)
      if name not in self._known:
        self._known.add(name)
        with named(self.path), self.path.open("a") as file:
          file.write(json.dumps({"picture": name, "reason": pictures.why_broken(number, self._size)}) + "\n")
