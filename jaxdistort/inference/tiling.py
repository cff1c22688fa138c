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
from jaxdistort.runtime.mesh import data_sharding, fill_devices


class TiledPicture(NamedTuple):
  """A picture, cut up.

  Attributes:
    owner: whatever names it.
    tiles: its squares; none for a picture that has no answer.
    weights: of the tiles, float32 [n], where they are known already; else `texture_of` them.
  """

  owner: Any
  tiles: Tiles
  weights: np.ndarray | None = None


class ScoredPicture(NamedTuple):
  """What a network says of a picture: the task's scores, float32 [W]; None where there were no tiles."""

  owner: Any
  scores: np.ndarray | None


_LEAST_GRADIENT = 1.5  # levels from pixel to pixel, on average: below it a tile shows nothing to judge by


def shows_something(tiles: Tiles) -> np.ndarray:
  """Which tiles are not flat, bool [n]; never the overview."""
  return _gradients(tiles) >= _LEAST_GRADIENT


def texture_of(tiles: Tiles) -> np.ndarray:
  """What each tile weighs, float32 [n]: 1 for the half with the strongest gradients, 0 for the others.

  A sky is smooth in any picture: where most is to be seen, most can be told. Flat tiles weigh nothing even among the
  stronger half, and neither does the overview.
  """
  gradients = _gradients(tiles)
  if not len(gradients):
    return np.empty(0, np.float32)
  typical = np.median(gradients[: len(gradients) - tiles.has_overview])
  return (gradients >= max(_LEAST_GRADIENT, typical)).astype(np.float32)


def _gradients(tiles: Tiles) -> np.ndarray:
  """Of each tile, float64 [n]; 0 of the overview."""
  gradients = np.array([_gradient(*tile) for tile in zip(tiles.images, tiles.extents, strict=True)])
  if tiles.has_overview:
    gradients[-1] = 0
  return gradients


def _gradient(image: np.ndarray, extent: np.ndarray) -> float:
  """Mean absolute differences of neighbours along rows and columns, summed; of the green channel."""
  green = image[: extent[0], : extent[1], 1].astype(np.int16)
  return sum(float(np.abs(np.diff(green, axis=axis)).mean()) for axis in (0, 1) if green.shape[axis] > 1)


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
  """Runs a network over all tiles, in batches of one shape, and combines those of each picture.

  The scores of a picture are those of its tiles, combined as its task says. Pictures come out in their order, each as
  soon as its last tile is done; no more are held than are under way.

  Args:
    recogniser: the network; its weights lie whole on every device of the mesh.
    pictures: in order; consumed one batch ahead.
    mesh: over whose devices batches are split.
    batch_size: squares a batch, rounded up to a multiple of the devices.
    jpeg_quality: of a JPEG step before the network; 0: none.
  """
  size = fill_devices(batch_size, mesh)
  program, place = recogniser.compiled(jpeg_quality=jpeg_quality), data_sharding(mesh)
  under_way: deque[Any] = deque()  # pictures whose scores are not out yet: owner, weights of the tiles, overview or not

  def announced() -> Iterator[tuple[int, Any, Any]]:
    for number, picture in enumerate(pictures):
      tiles = picture.tiles
      weights = texture_of(tiles) if picture.weights is None else picture.weights
      under_way.append((picture.owner, weights, tiles.has_overview))
      for image, extent in zip(tiles.images, tiles.extents, strict=True):
        yield number, image, extent

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


def _combined(
  recogniser: Recogniser, owner: Any, weights: np.ndarray, has_overview: bool, rows: list[np.ndarray]
) -> ScoredPicture:
  if not rows:
    return ScoredPicture(owner, None)
  overview = rows[-1] if has_overview else None
  return ScoredPicture(owner, recogniser.task.combine(np.stack(rows), weights, overview))


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
