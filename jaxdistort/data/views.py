"""Views: the tiles of a picture of any size that a network looks at."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from jaxdistort.data.pictures import standardise
from jaxdistort.registry import Registry


class Tiles(NamedTuple):
  """The tiles of one picture.

  Attributes:
    images: uint8 [n, S, S, 3], n at least 1.
    extents: int32 [n, 2], height and width of what is picture in each, from its top left corner; the rest is padding.
    has_overview: whether the last one is the whole picture, squeezed into a square, by which light and colour are told.
  """

  images: np.ndarray
  extents: np.ndarray
  has_overview: bool = False

  @classmethod
  def whole(cls, images: np.ndarray) -> "Tiles":
    """Tiles without padding."""
    return cls(images, np.full((len(images), 2), images.shape[1], np.int32))


VIEWS: Registry[Callable[[Image.Image, int], Tiles]] = Registry("view")
"""Views by name: functions of an RGB picture and the side of the tiles in pixels, which workers can import."""

_MOST_PATCHES = 5  # along each side, evenly spread over larger pictures
_BLOCK = 8  # pixels, of a JPEG
VIEWING = 640
"""Pixels along the longer side of a picture as people look at it: about a photograph on a telephone."""


@VIEWS.register("pad")
def pad(picture: Image.Image, size: int) -> Tiles:
  """The study's view of LIVE: the whole picture, black where it is no square, shrunk. One tile.

  Scaled before it is padded, which blends no black into its edges. The black counts as picture, as it did there.
  """
  return Tiles.whole(np.asarray(ImageOps.pad(picture, (size, size), Image.Resampling.BICUBIC, color="black"))[None])


@VIEWS.register("center")
def center(picture: Image.Image, size: int) -> Tiles:
  """The standard form of the training: shorter side to `size`, central square. One tile."""
  return Tiles.whole(standardise(picture, size)[None])


@VIEWS.register("patches")
def patches(picture: Image.Image, size: int) -> Tiles:
  """Squares at native size that cover the picture, and overlap as need be.

  At most 5 x 5, evenly spread over larger pictures. A picture with a side below `size` is enlarged to it.
  """
  scale = size / min(picture.size)
  if scale > 1:
    width, height = (min(max(size, round(side * scale)), 16 * size) for side in picture.size)
    picture = picture.resize((width, height), Image.Resampling.BICUBIC)
  return Tiles.whole(_spread(np.asarray(picture), size, _MOST_PATCHES))


@VIEWS.register("native")
def native(picture: Image.Image, size: int) -> Tiles:
  """The same without enlarging anything: where a side is below `size`, the tile is padded with black.

  For networks of pictures of any size, which leave the padding out; others see it.
  """
  return _padded(np.asarray(picture), size, _MOST_PATCHES)


@VIEWS.register("viewing")
def viewing(picture: Image.Image, size: int) -> Tiles:
  """The whole picture at the scale at which it is looked at: longer side shrunk to 640 px where it is larger.

  Squares cover it all, and overlap as need be; the last one is the whole picture. Whether a picture is blurred depends
  on the size at which it is seen: the pixels of cameras are soft by nature.
  """
  picture = at_viewing_scale(picture)
  tiles, extents, _ = _padded(np.asarray(picture), size, VIEWING)
  overview = overview_of(picture, size)
  return Tiles(
    np.concatenate([tiles, overview[None]]), np.concatenate([extents, np.full((1, 2), size, np.int32)]), True
  )


def overview_of(picture: Image.Image, size: int) -> np.ndarray:
  """The whole picture squeezed into a square, uint8 [size, size, 3]; its tones are looked at, not its detail."""
  return np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=1.5))


def at_viewing_scale(picture: Image.Image) -> Image.Image:
  """The picture with its longer side shrunk to 640 px; a smaller one as it is."""
  scale = VIEWING / max(picture.size)
  if scale >= 1:
    return picture
  sides = [max(1, round(side * scale)) for side in picture.size]
  return picture.resize(sides, Image.Resampling.BICUBIC, reducing_gap=3.0)


def _padded(pixels: np.ndarray, size: int, most: int) -> Tiles:
  """Squares of levels [H, W, 3], at most `most` along each side, padded with black where a side is below `size`."""
  extent = [min(side, size) for side in pixels.shape[:2]]
  missing = [max(size - side, 0) for side in pixels.shape[:2]]
  tiles = _spread(np.pad(pixels, [(0, missing[0]), (0, missing[1]), (0, 0)]), size, most)
  return Tiles(tiles, np.tile(np.array(extent, np.int32), (len(tiles), 1)))


def _spread(pixels: np.ndarray, size: int, most: int) -> np.ndarray:
  """Squares uint8 [n, size, size, 3] of levels [H, W, 3], both sides at least `size`."""
  rows, columns = (starts(side, size, min(-(-side // size), most)) for side in pixels.shape[:2])
  return np.stack([pixels[top : top + size, left : left + size] for top in rows for left in columns])


def starts(side: int, size: int, count: int) -> np.ndarray:
  """Where squares begin, int [count]: evenly spread, on the grid of JPEG blocks but for the last, which ends the side.

  At the corner of a square a network knows that grid best: half of the training's pictures begin there.
  """
  spread = np.linspace(0, side - size, count)
  block = math.gcd(size, _BLOCK)  # of which a side is a multiple: so that no pixel is left out
  spread[:-1] = np.minimum(np.ceil(spread[:-1] / block) * block, side - size)
  return spread.round().astype(int)
