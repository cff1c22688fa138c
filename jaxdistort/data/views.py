"""Views: the tiles of a picture of any size that a network looks at."""

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from jaxdistort.data.pictures import standardise
from jaxdistort.registry import Registry

VIEWS: Registry[Callable[[Image.Image, int], Any]] = Registry("view")
"""Views by name: functions of an RGB picture and the side of the tiles in pixels, which workers can import."""

_MOST_PATCHES = 5  # along each side, evenly spread over larger pictures


@VIEWS.register("pad")
def pad(picture: Image.Image, size: int) -> np.ndarray:
  """The paper's view of LIVE: the whole picture, black where it is no square, shrunk. uint8 [1, size, size, 3].

  Scaled before it is padded, which blends no black into its edges.
  """
  return np.asarray(ImageOps.pad(picture, (size, size), Image.Resampling.BICUBIC, color="black"))[None]


@VIEWS.register("center")
def center(picture: Image.Image, size: int) -> np.ndarray:
  """The standard form of the training: shorter side to `size`, central square. uint8 [1, size, size, 3]."""
  return standardise(picture, size)[None]


@VIEWS.register("patches")
def patches(picture: Image.Image, size: int) -> np.ndarray:
  """Squares at native size that cover the picture, and overlap as need be. uint8 [n, size, size, 3].

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
  return np.stack([pixels[top : top + size, left : left + size] for top in rows for left in columns])
