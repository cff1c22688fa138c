"""What a network makes of the pictures of a protocol, before it answers: the mean of its last map."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from jaxdistort.data import CleanBatch, PictureSet, evaluation_batches, training_batches
from jaxdistort.errors import InputError, NothingReadable
from jaxdistort.evaluation.judging import SEED, OnBroken
from jaxdistort.inference import Recogniser, one_behind
from jaxdistort.models import merge_network
from jaxdistort.progress import SILENT, Bar, Progress
from jaxdistort.protocols import Protocol, distort_sharded
from jaxdistort.runtime.compilation import jit_inference
from jaxdistort.runtime.mesh import data_sharding, fill_devices

_DRAWN_SEED = SEED + 1  # of pictures to fit on: none of those that are judged


class Rows(NamedTuple):
  """Of N distorted pictures, on the host.

  Attributes:
    numbers: int64 [N], of the clean picture within its `PictureSet`.
    features: float32 [N, C], or what became of them.
    scores: float32 [N, W], of the network's own task; [N, 0] where they are not asked for.
    presence: bool [N, K], of the protocol's kinds.
    visibility: float32 [N, K], of the same.
  """

  numbers: np.ndarray
  features: np.ndarray
  scores: np.ndarray
  presence: np.ndarray
  visibility: np.ndarray


class Features:
  """Compiles once how a network sees the pictures of a protocol.

  Args:
    recogniser: a network with a last map (all but softmax); its task is of no matter unless `scores`.
    protocol: distorts.
    mesh: over whose devices batches are split.
    batch_size: distorted pictures a batch, about.
    workers: decoding processes, 0 for threads.
    on_broken: gets the numbers of pictures that could not be read, and of those with remarks.
    scores: whether to give them too.

  Raises:
    InputError: the network has no such map.
  """

  def __init__(
    self,
    recogniser: Recogniser,
    protocol: Protocol,
    mesh: Mesh,
    *,
    batch_size: int,
    workers: int,
    on_broken: OnBroken,
    scores: bool,
  ):
    name = recogniser.description.network.name
    if name == "softmax":
      raise InputError(f"{recogniser.path}: {name} has no map whose features could be taken; give another network")
    self._recogniser, self._period, self._mesh = recogniser, protocol.period, mesh
    self._originals = fill_devices(max(1, batch_size // protocol.period), mesh)
    self._side, self._workers, self._on_broken = protocol.clean_side(recogniser.image_size), workers, on_broken
    self._program = _program(recogniser, protocol, mesh, scores)
    self._repeat = jax.jit(
      lambda images: jnp.repeat(images, protocol.period, axis=0), out_shardings=data_sharding(mesh)
    )

  def drawn(self, pictures: PictureSet, count: int, progress: Progress = SILENT) -> Rows:
    """`count` distorted pictures (fewer by those that are broken) of clean ones in the order of a training.

    None of them is distorted as `of_all` does it.

    Raises:
      NothingReadable, InputError, KeyboardInterrupt: as `of_all`; InputError of a split that is empty, too.
    """
    size = self._originals * self._period
    batches, order = -(-count // size), pictures.order(_DRAWN_SEED)
    options: dict[str, Any] = {"batch_size": size, "workers": self._workers, "mesh": self._mesh}
    with (
      training_batches(pictures, order, side=self._side, **options) as endless,
      progress.bar(batches * size, unit="picture", title="taking features") as bar,
    ):
      taken = itertools.islice(endless, batches)
      rows = self._rows(pictures, taken, _DRAWN_SEED, 1, lambda features: features, bar, progress)
    return Rows(*(column[:count] for column in rows))

  def of_all(
    self, pictures: PictureSet, reduce: Callable[[np.ndarray], np.ndarray], progress: Progress = SILENT
  ) -> Rows:
    """Every picture in every slot of the protocol's period, distorted as every evaluation does it.

    Args:
      pictures: clean.
      reduce: features [n, C] of a batch -> what is kept of them, [n, ...].
      progress: counts clean pictures.

    Raises:
      NothingReadable: none of the pictures.
      InputError: a feature is no finite number.
      KeyboardInterrupt: `progress` asked to stop.
    """
    options = {"batch_size": self._originals, "workers": self._workers, "mesh": self._mesh}
    with (
      evaluation_batches(pictures, size=self._side, **options) as batches,
      progress.bar(len(pictures), unit="picture", title="evaluating") as bar,
    ):
      return self._rows(pictures, batches, SEED, self._period, reduce, bar, progress)

  def _rows(
    self,
    pictures: PictureSet,
    batches: Iterable[CleanBatch],
    seed: int,
    repeats: int,
    reduce: Callable[[np.ndarray], np.ndarray],
    bar: Bar,
    progress: Progress,
  ) -> Rows:
    key, size, parts = jax.random.key(seed), self._originals * self._period, []

    def dispatch(numbered: tuple[int, CleanBatch]) -> tuple[Any, ...]:
      index, batch = numbered
      images = batch.images if repeats == 1 else self._repeat(batch.images)
      return self._program(self._recogniser.variables, key, images, np.uint32(index * size))

    for (_, batch), outputs in one_behind(dispatch, enumerate(batches)):
      self._on_broken(pictures, *batch.to_list)
      valid = np.repeat((batch.numbers >= 0) & (batch.broken < 0), repeats)
      columns = np.repeat(batch.numbers, repeats), *jax.device_get(outputs)
      numbers, features, *rest = (column[valid] for column in columns)
      if not np.isfinite(features).all():
        raise InputError(f"{self._recogniser.path}: its features are no finite numbers; give another checkpoint")
      parts.append((numbers, reduce(features), *rest))
      bar.advance(int(np.sum(batch.numbers >= 0)))
      progress.check()
    if not sum(len(part[0]) for part in parts):
      raise NothingReadable(f"data source {pictures.spec}: none of its {len(pictures)} pictures here can be read")
    return Rows(*map(np.concatenate, zip(*parts, strict=True)))


def _program(recogniser: Recogniser, protocol: Protocol, mesh: Mesh, scores: bool) -> Callable[..., tuple[Any, ...]]:
  """`(variables, key, clean images, number of the first) -> (features, scores, presence, visibility)`."""
  distort = distort_sharded(protocol, mesh)

  @jit_inference
  def program(variables: Any, key: jax.Array, images: jax.Array, first: jax.Array) -> tuple[Any, ...]:
    samples = distort(key, images, first)
    network = merge_network(recogniser.structure, variables)
    network.eval()
    features = network.features(samples.images).astype(jnp.float32).mean((1, 2))
    own = recogniser.apply(variables, samples.images) if scores else features[:, :0]  # its maps are made once
    return features, own, samples.presence, samples.visibility

  return program
