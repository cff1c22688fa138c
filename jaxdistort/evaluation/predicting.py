"""What a network says of distorted pictures: every original in every class of the protocol, once."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.sharding import Mesh

from jaxdistort.data import CleanBatch, PictureSet, evaluation_batches
from jaxdistort.errors import InputError
from jaxdistort.metrics.similarity import measure_sharded
from jaxdistort.models import Variables, run_network
from jaxdistort.protocols import Protocol, distort_sharded
from jaxdistort.runtime.mesh import put_rows, replicated

_EXAMPLES = 28

SEED = 20_000_003
"""Of every evaluation and sweep: all networks are judged on the same distorted pictures."""
MOST_MISTAKES = 20
"""That are shown."""


class Predictions(NamedTuple):
  """One row per distorted picture.

  Attributes:
    numbers: int64 [N], of the clean picture within the `PictureSet`, or of the picture within a `Database`.
    originals: int64 [N], the same for pictures that show the same original.
    labels: int32 [N].
    log_probabilities: float32 [N, K].
    parameters: "class.parameter" -> float32 [N], NaN on other classes.
    ssim: float [N], against the clean picture; NaN where it is not known.
    psnr: float [N], dB; likewise.
  """

  numbers: np.ndarray
  originals: np.ndarray
  labels: np.ndarray
  log_probabilities: np.ndarray
  parameters: dict[str, np.ndarray]
  ssim: np.ndarray
  psnr: np.ndarray

  @property
  def answers(self) -> np.ndarray:
    """The most probable class, int64 [N]."""
    return np.argmax(self.log_probabilities, axis=1)

  @property
  def losses(self) -> np.ndarray:
    """Cross entropy, float32 [N]."""
    return -self.log_probabilities[np.arange(len(self.labels)), self.labels]


class Shown(NamedTuple):
  """A predicted picture to look at.

  Attributes:
    row: its place in the `Predictions`.
    image: as the network saw it, uint8 [S, S, 3].
    reference: the clean picture, uint8 [S, S, 3].
  """

  row: int
  image: np.ndarray
  reference: np.ndarray


class Outcome(NamedTuple):
  """What a predictor gives.

  Attributes:
    predictions: on every picture.
    first: the first few pictures.
    worst: those that were named wrongly and the most surely so, the worst first; one of a class of an original.
  """

  predictions: Predictions
  first: list[Shown]
  worst: list[Shown]


Predictor = Callable[[Variables, PictureSet, Callable[[int], Any]], Outcome]


def make_predictor(
  structure: nnx.GraphDef,
  protocol: Protocol,
  mesh: Mesh,
  *,
  image_size: int,
  batch_size: int,
  workers: int,
  on_broken: Callable[[PictureSet, np.ndarray], None],
  measure: bool = False,
  labels: np.ndarray | None = None,
) -> Predictor:
  """Builds a function `(variables, pictures, on_progress)` that compiles once and gives an `Outcome`.

  Each original is decoded once and appears once per slot of the protocol's period, so the classes
  stand in the protocol's shares and every picture counts; broken ones are left out. `on_progress` is
  told how many originals a batch held, when it is done.

  It raises InputError if none of the pictures can be read.

  Args:
    structure: of the network.
    protocol: distorts.
    mesh: over whose devices batches are split.
    image_size: side of the pictures in pixels.
    batch_size: distorted pictures a batch, about.
    workers: decoding processes.
    on_broken: told the numbers of pictures that could not be read.
    measure: SSIM and PSNR too, at the cost of some 3 ms a picture of 224 px on two CPU cores.
    labels: int, the network's number of each of the protocol's classes; the same numbers if None.
  """
  numbers = jnp.asarray(np.arange(len(protocol.classes)) if labels is None else labels, jnp.int32)
  distort, quality, in_sight = distort_sharded(protocol, mesh), measure_sharded(mesh), _in_sight_of_all(mesh)
  devices = mesh.devices.size
  originals = -(-max(1, batch_size // protocol.period) // devices) * devices

  @jax.jit
  def predict_batch(variables: Variables, images: jax.Array, broken: jax.Array, first: jax.Array) -> tuple[Any, ...]:
    clean = jnp.repeat(images, protocol.period, axis=0)
    samples = distort(jax.random.key(SEED), clean, first * jnp.uint32(protocol.period))
    logits, _ = run_network(structure, variables, samples.images)
    unknown = jnp.full(len(clean), jnp.nan, jnp.float32)
    similarity = quality(clean, samples.images) if measure else (unknown, unknown)
    columns = (numbers[samples.labels], jax.nn.log_softmax(logits), samples.parameters, *similarity)
    return in_sight((images, samples.images, broken, columns))

  def predict(
    variables: Variables, pictures: PictureSet, on_progress: Callable[[int], Any] = lambda count: None
  ) -> Outcome:
    rows = _Rows(pictures, protocol.period)
    pending = None

    def collect(own: CleanBatch, clean: jax.Array, distorted: jax.Array, broken: jax.Array, columns: Any) -> None:
      on_broken(pictures, own.broken[own.broken >= 0])
      rows.add(CleanBatch(clean, own.numbers, np.asarray(broken)), distorted, jax.device_get(columns))
      on_progress(int(np.sum(own.numbers >= 0)))

    options = {"size": image_size, "batch_size": originals, "workers": workers, "mesh": mesh}
    with evaluation_batches(pictures, **options) as batches:
      for index, batch in enumerate(batches):
        broken = put_rows(mesh, batch.broken)
        outputs = predict_batch(variables, batch.images, broken, np.uint32(index * originals))
        if pending:
          collect(*pending)  # a sync point, one batch behind, so that the device never waits for the host
        pending = batch, *outputs
    if pending:
      collect(*pending)
    return rows.outcome()

  return predict


def _in_sight_of_all(mesh: Mesh) -> Callable[[Any], Any]:
  """Where several processes share the work, copies results to all of them, inside the program that makes them."""
  if jax.process_count() == 1:
    return lambda arrays: arrays
  return lambda arrays: jax.lax.with_sharding_constraint(arrays, replicated(mesh))


class _Rows:
  """Predictions as they come, batch by batch, with the pictures to look at."""

  def __init__(self, pictures: PictureSet, period: int):
    self.pictures, self.period = pictures, period
    self.originals = pictures.originals()
    self.parts: list[Predictions] = []
    self.count = 0
    self.first: list[Shown] = []
    self.worst: dict[tuple[int, int], tuple[float, Shown]] = {}  # (original, class) -> loss; the worst first

  def add(self, batch: CleanBatch, images: jax.Array, columns: tuple[Any, ...]) -> None:
    numbers = np.repeat(batch.numbers, self.period)
    valid = np.flatnonzero((numbers >= 0) & np.repeat(batch.broken < 0, self.period))
    everything = Predictions(numbers, self.originals[numbers], *columns)
    part: Predictions = jax.tree.map(lambda x: x[valid], everything)
    losses = np.where(part.answers == part.labels, 0, part.losses)
    least = list(self.worst.values())[-1][0] if len(self.worst) == MOST_MISTAKES else 0.0
    early, worse = range(min(len(valid), _EXAMPLES - len(self.first))), np.flatnonzero(losses > least).tolist()
    if early or len(worse):
      images_here, clean = np.asarray(images), np.asarray(batch.images)  # a copy of the batch, on accelerators

      def show(row: int) -> Shown:
        place = valid[row]
        return Shown(self.count + row, images_here[place].copy(), clean[place // self.period].copy())

      self.first += [show(row) for row in early]
      for row in worse:
        owner = int(part.originals[row]), int(part.labels[row])
        if owner not in self.worst or self.worst[owner][0] < losses[row]:
          self.worst[owner] = float(losses[row]), show(row)
      ranked = sorted(self.worst.items(), key=lambda entry: -entry[1][0])
      self.worst = dict(ranked[:MOST_MISTAKES])
    self.parts.append(part)
    self.count += len(valid)

  def outcome(self) -> Outcome:
    if not self.count:
      raise InputError(f"data source {self.pictures.spec}: none of its {len(self.pictures)} pictures here can be read")
    predictions = jax.tree.map(lambda *parts: np.concatenate(parts), *self.parts)
    return Outcome(predictions, self.first, [shown for _, shown in self.worst.values()])
