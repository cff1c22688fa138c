"""Pictures of any size on their way through a network that sees squares: tiles in batches of one shape."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh

from jaxdistort.data.views import Tiles
from jaxdistort.inference.loop import one_behind
from jaxdistort.inference.recogniser import Recogniser
from jaxdistort.inference.tones import judged_whole, tells_all
from jaxdistort.runtime.mesh import data_sharding, fill_devices
from jaxdistort.tasks import FLAT

LEAST_SIDE = 32
"""Pixels of a picture's shorter side, below which it is too small to be judged."""


class TiledPicture(NamedTuple):
  """A picture, cut up.

  Attributes:
    owner: whatever names it.
    tiles: its squares; none for a picture that has no answer.
    gradients: of the tiles, float64 [n], where they are known already; else `gradients_of` them.
  """

  owner: Any
  tiles: Tiles
  gradients: np.ndarray | None = None


class ScoredPicture(NamedTuple):
  """What a network says of a picture: the task's scores, float32 [W]; None where there were no tiles."""

  owner: Any
  scores: np.ndarray | None


def gradients_of(tiles: Tiles) -> np.ndarray:
  """How much the levels of each tile change from pixel to pixel, float64 [n]; 0 of the overview.

  Mean absolute differences of neighbours along rows and columns, summed; of the green channel, or where that is flat
  all over the picture, of the one that changes most.
  """
  gradients = np.zeros(len(tiles.images))
  count = len(gradients) - tiles.has_overview
  gradients[:count] = _gradients(tiles, count, channel=1)
  if (gradients < FLAT).all():
    for channel in (0, 2):
      gradients[:count] = np.maximum(gradients[:count], _gradients(tiles, count, channel))
  return gradients


def cannot_tell(tiles: Tiles, gradients: np.ndarray) -> bool:
  """Whether nothing is shown by which a picture could be judged: it is too small, or flat everywhere."""
  return bool(tiles.extents.min() < LEAST_SIDE or not (gradients >= FLAT).any())


def _gradients(tiles: Tiles, count: int, channel: int) -> np.ndarray:
  height, width = tiles.extents[0]  # all tiles of a picture are padded alike
  levels = tiles.images[:count, :height, :width, channel].astype(np.int16)
  gradients = np.zeros(count)
  for along in (np.diff(levels, axis=axis) for axis in (1, 2)):
    if along.size:
      gradients += np.abs(along, out=along).sum(axis=(1, 2), dtype=np.int32) / along[0].size
  return gradients


class _Batch(NamedTuple):
  """Squares of several pictures; `owners` is shorter than the batch where the last places only fill it."""

  owners: list[int]
  images: np.ndarray
  extents: np.ndarray


def score_pictures(
  recogniser: Recogniser,
  pictures: Iterable[TiledPicture],
  mesh: Mesh,
  *,
  batch_size: int,
  jpeg_quality: int = 0,
) -> Iterator[ScoredPicture]:
  """Runs a network over the tiles by which its task tells, in batches of one shape, and combines those of each picture.

  Pictures come out in their order, each as soon as its last tile is done; no more are held than are under way.

  Args:
    recogniser: the network; its weights lie whole on every device of the mesh.
    pictures: in order; consumed one batch ahead.
    mesh: over whose devices batches are split.
    batch_size: squares a batch, rounded up to a multiple of the devices.
    jpeg_quality: of a JPEG step before the network; 0: none.
  """
  size = fill_devices(batch_size, mesh)
  program, place = recogniser.compiled(jpeg_quality=jpeg_quality), data_sharding(mesh)
  under_way: deque[tuple[Any, np.ndarray | None]] = deque()  # pictures whose scores are not out yet: owner, overview

  def announced() -> Iterator[tuple[int, Any, Any]]:
    for number, picture in enumerate(pictures):
      tiles = picture.tiles
      under_way.append((picture.owner, tiles.images[-1].copy() if tiles.has_overview else None))
      for place in _telling(recogniser, tiles, picture.gradients):
        yield number, tiles.images[place], tiles.extents[place]

  def dispatch(batch: _Batch) -> jax.Array:
    images, extents = jax.device_put((batch.images, batch.extents), place)
    return program(recogniser.variables, images, extents)

  done, rows = 0, []  # pictures that are out, and the scores of the next one's tiles so far
  for batch, outputs in one_behind(dispatch, _batches(announced(), size)):
    for number, row in zip(batch.owners, np.asarray(outputs), strict=False):
      while done < number:
        yield _combined(recogniser, *under_way.popleft(), rows)
        done, rows = done + 1, []
      rows.append(row)
  while under_way:
    yield _combined(recogniser, *under_way.popleft(), rows)
    rows = []


def _telling(recogniser: Recogniser, tiles: Tiles, gradients: np.ndarray | None) -> list[int]:
  """Places of the tiles to run; the overview is the last one, where it is run."""
  if not len(tiles.images):
    return []
  gradients = gradients_of(tiles) if gradients is None else gradients
  count = len(gradients) - tiles.has_overview
  chosen = np.flatnonzero(recogniser.task.tells_by(gradients[:count])).tolist()
  return [*chosen, count] if tiles.has_overview and not tells_all(recogniser.task) else chosen


def _combined(recogniser: Recogniser, owner: Any, overview: np.ndarray | None, rows: list[np.ndarray]) -> ScoredPicture:
  if not rows:
    return ScoredPicture(owner, None)
  task, scores = recogniser.task, np.stack(rows)
  if overview is None:
    return ScoredPicture(owner, task.combine(scores))
  combined = task.combine(scores) if tells_all(task) else task.combine(scores[:-1], scores[-1])
  return ScoredPicture(owner, judged_whole(task, combined, overview))


def _batches(tiles: Iterator[tuple[int, Any, Any]], size: int) -> Iterator[_Batch]:
  """Batches of `size` squares; the last one is filled with black."""
  owners: list[int] = []
  images: np.ndarray | None = None
  extents = np.zeros((size, 2), np.int32)
  for owner, image, extent in tiles:
    if images is None:
      images = np.zeros((size, *image.shape), np.uint8)
    images[len(owners)], extents[len(owners)] = image, extent
    owners.append(owner)
    if len(owners) == size:
      yield _Batch(owners, images, extents)
      owners, images, extents = [], np.zeros_like(images), np.zeros_like(extents)
  if images is not None and owners:
    extents[len(owners) :] = images.shape[1:3]
    yield _Batch(owners, images, extents)
