"""Squares of a camera's own pixels, cut from large pictures."""

import os

import numpy as np
from PIL import Image

from jaxdistort.data.folder import Folder
from jaxdistort.data.pictures import read_picture, standardise
from jaxdistort.data.source import register_source

_CUTS = 8  # of a picture: half of them at its own pixels, half at two pixels in one


class Cuts(Folder):
  """Eight squares of every picture below a folder: four of native pixels, four shrunk to a half.

  Pictures shrunk to a small square are sharper, and less noisy, than what cameras give; a network for pictures of any
  size must have seen both. A square lies where the picture's identity says, always in the same place; a picture too
  small for one is used whole. All squares of a picture are one original.
  """

  def __len__(self) -> int:
    return _CUTS * super().__len__()

  def __repr__(self) -> str:
    return f"cuts:{self.root}"

  def file(self, index: int) -> str:
    return os.path.join(self.root, self._pictures[0][index // _CUTS])

  def name(self, index: int) -> str:
    return f"{self.file(index)}#{index % _CUTS}"

  def short_name(self, index: int) -> str:
    return f"{self._pictures[0][index // _CUTS]}#{index % _CUTS}"

  def original(self, index: int) -> str:
    return super().original(index // _CUTS)

  def load(self, index: int, size: int) -> np.ndarray:
    picture = read_picture(self.file(index))
    side = size * (1 + index % 2)
    if min(picture.size) < side:
      return standardise(picture, size)
    rng = np.random.default_rng([int(self.original(index)[:12], 16), index % _CUTS])
    left, top = (int(rng.integers(0, extent - side + 1)) for extent in picture.size)
    square = picture.crop((left, top, left + side, top + side))
    return np.asarray(square if side == size else square.resize((size, size), Image.Resampling.BICUBIC))


register_source("cuts", Cuts, "squares of native pixels of every picture below a folder", "PATH")
