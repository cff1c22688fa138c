"""Evaluation on databases of pictures that others distorted."""

import collections
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh
from scipy.special import log_softmax

from jaxdistort.training.checkpoints import TrainedModel
from jaxdistort.data.databases import Database
from jaxdistort.data.judging import ViewedPicture, viewed_pictures
from jaxdistort.distortions import jpeg
from jaxdistort.errors import InputError
from jaxdistort.models import Variables, run_network
from jaxdistort.runtime.mesh import data_sharding


class Verdicts(NamedTuple):
  """What a network says of the pictures of a database that can be read.

  Attributes:
    numbers: int64 [N], within `Database.pictures`.
    log_probabilities: view -> float32 [N, K].
    ssim: float [N], against the reference, at native size.
    psnr: float [N], dB.
    broken: number -> reason, of the pictures that cannot be read.
  """

  numbers: np.ndarray
  log_probabilities: dict[str, np.ndarray]
  ssim: np.ndarray
  psnr: np.ndarray
  broken: dict[int, str]


def judge_database(
  trained: TrainedModel,
  database: Database,
  views: tuple[str, ...],
  mesh: Mesh,
  *,
  jpeg_quality: int | None,
  batch_size: int,
  workers: int,
  on_progress: Callable[[int], Any] = lambda count: None,
) -> Verdicts:
  """Runs a network over every picture once, each view's squares in batches of one shape.

  The log-probabilities of a view's squares are averaged, and normalised again.

  Args:
    trained: the network.
    database: from `open_database`.
    views: names in `VIEWS`.
    mesh: over whose devices batches are split.
    jpeg_quality: of a JPEG step before the network, as in the training; None: no JPEG.
    batch_size: squares a batch, about.
    workers: decoding processes.
    on_progress: told the number of pictures done.

  Raises:
    InputError: none of the pictures can be read.
  """
  devices = mesh.devices.size
  batch_size = -(-batch_size // devices) * devices
  size = trained.config.data.image_size

  @jax.jit
  def predict(variables: Variables, images: jax.Array) -> jax.Array:
    if jpeg_quality is not None:
      images = jax.vmap(jpeg, (0, None))(images, float(jpeg_quality))
    logits, _ = run_network(trained.structure, variables, images)
    return jax.nn.log_softmax(logits)

  found: list[ViewedPicture] = []
  sums: dict[tuple[int, str], np.ndarray] = {}
  counts: collections.Counter[tuple[int, str]] = collections.Counter()

  def collect(owners: list[tuple[int, str]], outputs: jax.Array) -> None:
    for owner, row in zip(owners, np.asarray(outputs), strict=False):  # a sync point; the rest of the batch is filling
      sums[owner] = sums.get(owner, 0) + row
      counts[owner] += 1

  def squares(pictures: Iterator[ViewedPicture]) -> Iterator[tuple[tuple[int, str], np.ndarray]]:
    for picture in pictures:
      found.append(picture._replace(squares={}))
      for view, crops in picture.squares.items():
        for crop in crops:
          yield (picture.number, view), crop
      on_progress(1)

  pending = None
  with viewed_pictures(database, views, size=size, workers=workers) as pictures:
    for owners, images in _in_batches(squares(pictures), batch_size):
      outputs = predict(trained.variables, jax.device_put(images, data_sharding(mesh)))
      if pending:
        collect(*pending)  # one batch behind
      pending = owners, outputs
  if pending:
    collect(*pending)
  seen = [picture for picture in found if not picture.reason]
  if not seen:
    raise InputError(f"{database.root}: none of the {len(found)} pictures of {database.name} can be read")
  owners = {view: [(picture.number, view) for picture in seen] for view in views}
  means = {view: np.stack([sums[owner] / counts[owner] for owner in members]) for view, members in owners.items()}
  return Verdicts(
    np.array([picture.number for picture in seen]),
    {view: log_softmax(rows, axis=1) for view, rows in means.items()},
    np.array([picture.ssim for picture in seen]),
    np.array([picture.psnr for picture in seen]),
    {picture.number: picture.reason for picture in found if picture.reason},
  )


def _in_batches(
  squares: Iterator[tuple[tuple[int, str], np.ndarray]], size: int
) -> Iterator[tuple[list[tuple[int, str]], np.ndarray]]:
  """Batches of one shape, with the owners of their squares; the last one is filled with black."""
  owners: list[tuple[int, str]] = []
  images: list[np.ndarray] = []
  for owner, square in squares:
    owners.append(owner)
    images.append(square)
    if len(images) == size:
      yield owners, np.stack(images)
      owners, images = [], []
  if images:
    fill = [np.zeros_like(images[0])] * (size - len(images))
    yield owners, np.stack([*images, *fill])
