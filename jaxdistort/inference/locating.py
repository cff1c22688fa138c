"""Where in a picture a distortion is: the answers of its tiles, as maps."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from jaxdistort.data.views import Tiles, at_viewing_scale, starts
from jaxdistort.errors import InputError
from jaxdistort.inference.predicting import mesh_of, to_picture
from jaxdistort.inference.recogniser import Recogniser
from jaxdistort.inference.tiling import TiledPicture, gradients_of, score_pictures
from jaxdistort.tasks import FLAT, Recognition

_STRIDES_A_TILE = 3  # tiles overlap by two thirds


class Maps(NamedTuple):
  """What a recogniser says of the places of a picture.

  Attributes:
    groups: names of the groups, G.
    kinds: names of the kinds, K.
    of_groups: probabilities float32 [h, w, G]; NaN where the picture is flat.
    of_kinds: probabilities float32 [h, w, K], likewise.
    severities: float32 [h, w, K], likewise.
    centres: float32 [h, w, 2], row and column of each place, in shares of the picture's height and width.
  """

  groups: tuple[str, ...]
  kinds: tuple[str, ...]
  of_groups: np.ndarray
  of_kinds: np.ndarray
  severities: np.ndarray
  centres: np.ndarray

  def of(self, name: str) -> np.ndarray:
    """The map float32 [h, w] of a group or a kind.

    Raises:
      InputError: there is none of this name.
    """
    for names, maps in ((self.groups, self.of_groups), (self.kinds, self.of_kinds)):
      if name in names:
        return maps[..., names.index(name)]
    raise InputError(f"map: {name!r} is none of {', '.join((*self.groups, *self.kinds))}")


def locate(recogniser: Recogniser, image: Any, *, batch_size: int = 32) -> Maps:
  """Where in a picture each distortion is, at the scale at which it is looked at.

  Args:
    recogniser: whose task is recognition, on one device.
    image: a picture, see `predict`.
    batch_size: tiles a batch.

  Raises:
    BrokenPicture: a file cannot be read as a picture.
    InputError: another task, or something that is no picture.
  """
  task = check_maps(recogniser)
  tiles, centres = _overlapping(at_viewing_scale(to_picture(image)), recogniser.image_size)

  gradients = gradients_of(tiles)

  def single() -> Iterator[TiledPicture]:
    for place in range(len(gradients)):  # each tile is a picture of its own
      own = slice(place, place + 1)
      yield TiledPicture(None, Tiles(tiles.images[own], tiles.extents[own]), gradients[own])

  found = score_pictures(recogniser, single(), mesh_of(recogniser), batch_size=batch_size)
  scores = np.stack([scores for _, scores in found if scores is not None])
  is_shown = (gradients >= FLAT)[:, None]

  def as_map(columns: np.ndarray) -> np.ndarray:
    shown = np.where(is_shown, columns, np.nan)
    return shown.reshape(*centres.shape[:2], -1).astype(np.float32)

  answers = task.group_probabilities(scores), task.probabilities(scores), task.severities(scores)
  return Maps(task.labels.group_names, task.labels.kinds, *map(as_map, answers), centres)


def check_maps(recogniser: Recogniser) -> Recognition:
  """The task of a recogniser that has maps; InputError for another."""
  if not isinstance(recogniser.task, Recognition):
    raise InputError(f"{recogniser.path}: its task is {recogniser.task.name}; only a recognition has maps")
  return recogniser.task


def _overlapping(picture: Image.Image, size: int) -> tuple[Tiles, np.ndarray]:
  """Squares that overlap, row by row, and their centres float32 [h, w, 2]; padded where the picture is smaller."""
  pixels = np.asarray(picture)
  height, width = pixels.shape[:2]
  extent = np.array([min(height, size), min(width, size)], np.int32)
  padded = np.pad(pixels, [(0, size - extent[0]), (0, size - extent[1]), (0, 0)])
  step = size // _STRIDES_A_TILE
  rows, columns = (
    starts(side, int(own), 1 + -(-(side - own) // step)) for side, own in zip((height, width), extent, strict=True)
  )
  squares = np.stack([padded[top : top + size, left : left + size] for top in rows for left in columns])
  centres = np.stack(np.meshgrid((rows + extent[0] / 2) / height, (columns + extent[1] / 2) / width, indexing="ij"), -1)
  return Tiles(squares, np.tile(extent, (len(squares), 1))), centres.astype(np.float32)
