"""Views: the tiles of a picture of any size that a network looks at."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from jaxdistort.data.pictures import standardise
from jaxdistort.registry import Registry

VIEWS: Registry[Callable[[Image.Image, int], "Tiles"]] = Registry("view")
"""Views by name: functions of an RGB picture and the side S of the tiles in pixels, which workers can import."""

_MOST_PATCHES = 5  # along each side, evenly spread over larger pictures


class Tiles(NamedTuple):
  """The squares that are cut from one picture.

  Attributes:
    images: uint8 [n, S, S, 3].
    extents: int32 [n, 2], height and width of what is picture in each square, from the top left corner; the rest is
      padding, which networks of any size leave out.
  """

  images: np.ndarray
  extents: np.ndarray


def _full(images: np.ndarray) -> Tiles:
  """Squares without padding."""
  return Tiles(images, np.full((len(images), 2), images.shape[1], np.int32))


@VIEWS.register("pad")
def pad(picture: Image.Image, size: int) -> Tiles:
  """The paper's view of LIVE: the whole picture, black where it is no square, shrunk: one square.

  Scaled before it is padded, which blends no black into its edges. The black counts as picture, as in the paper.
  """
  return _full(np.asarray(ImageOps.pad(picture, (size, size), Image.Resampling.BICUBIC, color="black"))[None])


@VIEWS.register("center")
def center(picture: Image.Image, size: int) -> Tiles:
  """The standard form of the training: shorter side to `size`, one square."""
  return _full(standardise(picture, size)[None])


@VIEWS.register("patches")
def patches(picture: Image.Image, size: int) -> Tiles:
  """Squares at native size that cover the picture, and overlap as need be.

  At most 5 x 5, evenly spread over larger pictures. A picture with a side below `size` is enlarged to it.
  """
  scale = size / min(picture.size)
  if scale > 1:
    width, height = (min(max(size, round(side * scale)), 16 * size) for side in picture.size)
    picture = picture.resize((width, height), Image.Resampling.BICUBIC)
  pixels = np.asarray(picture)
  rows, columns = (
    np.linspace(0, side - size, min(-(-side // size), _MOST_PATCHES)).round().astype(int) for side in pixels.shape[:2]
  )
  return _full(np.stack([pixels[top : top + size, left : left + size] for top in rows for left in columns]))
