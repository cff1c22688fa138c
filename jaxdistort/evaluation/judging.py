"""Clean pictures that a protocol distorts: every original in every slot of its period, judged once."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from jaxdistort.data import CleanBatch, PictureSet, evaluation_batches
from jaxdistort.errors import NothingReadable
from jaxdistort.inference import Recogniser, one_behind
from jaxdistort.metrics.predictions import Predictions
from jaxdistort.metrics.similarity import measure_sharded
from jaxdistort.models import Variables
from jaxdistort.progress import SILENT, Progress
from jaxdistort.protocols import Protocol, distort_sharded
from jaxdistort.runtime.compilation import jit_inference
from jaxdistort.runtime.mesh import fill_devices, put_rows, replicated

SEED = 20_000_003
"""Of every evaluation and sweep: all networks are judged on the same distorted pictures."""
MOST_EXAMPLES = 28
MOST_MISTAKES = 20
"""That are shown."""


class Shown(NamedTuple):
  """A judged picture to look at.

  Attributes:
    row: its place in the `Predictions`.
    image: as the network saw it, uint8 [S, S, 3].
    clean: the clean picture, uint8 [S, S, 3].
  """

  row: int
  image: np.ndarray
  clean: np.ndarray


class Outcome(NamedTuple):
  """What a judge gives.

  Attributes:
    predictions: on every picture.
    first: the first few pictures.
    worst: those with the greatest loss among the wrong answers, the worst first; one of a truth of an original.
  """

  predictions: Predictions
  first: list[Shown]
  worst: list[Shown]


OnBroken = Callable[[PictureSet, np.ndarray, np.ndarray], None]


class Judge:
  """Compiles once how a network answers to the pictures of a protocol, and judges as often as it is called.

  Each original is decoded once and appears once per slot of the protocol's period, so the kinds stand in the
  protocol's shares and every picture counts; broken ones are left out.

  Args:
    recogniser: the network; its variables are an argument of each call.
    protocol: distorts; of kinds that the network knows.
    mesh: over whose devices batches are split.
    batch_size: distorted pictures a batch, about.
    workers: decoding processes.
    on_broken: gets the numbers of pictures that could not be read, and of those with remarks.
    measure: SSIM and PSNR too, at the cost of some 3 ms a picture of 224 px on two CPU cores.

  Raises:
    InputError: the network does not know a kind of the protocol, or its task cannot be asked of these pictures.
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
    measure: bool = False,
  ):
    recogniser.task.check(protocol)
    self._recogniser, self._protocol, self._mesh = recogniser, protocol, mesh
    self._workers, self._on_broken = workers, on_broken
    self._originals = fill_devices(max(1, batch_size // protocol.period), mesh)
    self._program = _program(recogniser, protocol, mesh, measure)

  def __call__(self, variables: Variables, pictures: PictureSet, progress: Progress = SILENT) -> Outcome:
    """Judges pictures, with weights that lie on the devices of the mesh.

    Raises:
      NothingReadable: none of the pictures.
      KeyboardInterrupt: `progress` asked to stop.
    """
    rows = _Rows(self._recogniser, self._protocol, pictures)
    options = {"batch_size": self._originals, "workers": self._workers, "mesh": self._mesh}

    def dispatch(numbered: tuple[int, CleanBatch]) -> tuple[jax.Array, ...]:
      index, batch = numbered
      broken = put_rows(self._mesh, batch.broken)
      return self._program(variables, batch.images, broken, np.uint32(index * self._originals))

    with (
      evaluation_batches(pictures, size=self._protocol.clean_side(self._recogniser.image_size), **options) as batches,
      progress.bar(len(pictures), unit="picture", title="evaluating") as bar,
    ):
      for (_, own), (clean, distorted, broken, columns) in one_behind(dispatch, enumerate(batches)):
        self._on_broken(pictures, *own.to_list)
        rows.add(own._replace(images=clean, broken=np.asarray(broken)), distorted, jax.device_get(columns))
        bar.advance(int(np.sum(own.numbers >= 0)))
        progress.check()
    return rows.outcome()


def _program(recogniser: Recogniser, protocol: Protocol, mesh: Mesh, measure: bool) -> Callable[..., Any]:
  """`(variables, clean images, broken, number of the first original) -> (both images, broken, columns)`."""
  distort, similarity = distort_sharded(protocol, mesh), measure_sharded(mesh)

  @jit_inference
  def program(variables: Variables, images: jax.Array, broken: jax.Array, first: jax.Array) -> tuple[Any, ...]:
    clean = jnp.repeat(images, protocol.period, axis=0)
    samples = distort(jax.random.key(SEED), clean, first * jnp.uint32(protocol.period))
    scores = recogniser.apply(variables, samples.images)
    targets = recogniser.task.targets(samples, protocol.kinds)
    unknown = jnp.full(len(clean), jnp.nan, jnp.float32)
    measured = similarity(samples.clean, samples.images) if measure else (unknown, unknown)
    outputs = images, samples.images, broken, (targets, scores, samples.levels, *measured)
    if jax.process_count() > 1:  # copied to all processes inside the program that makes them
      outputs = jax.lax.with_sharding_constraint(outputs, replicated(mesh))
    return outputs

  return program


class _Rows:
  """Predictions as they come, batch by batch, with the pictures to look at."""

  def __init__(self, recogniser: Recogniser, protocol: Protocol, pictures: PictureSet):
    self.task, self.protocol, self.pictures = recogniser.task, protocol, pictures
    self.originals = pictures.originals()
    self.parts: list[tuple[Any, ...]] = []
    self.count = 0
    self.first: list[Shown] = []
    self.worst: dict[tuple[int, str], tuple[float, Shown]] = {}  # (original, truth) -> loss; the worst first

  def add(self, batch: CleanBatch, images: jax.Array, columns: tuple[Any, ...]) -> None:
    period = self.protocol.period
    numbers = np.repeat(batch.numbers, period)
    valid = np.flatnonzero((numbers >= 0) & np.repeat(batch.broken < 0, period))
    part = jax.tree.map(lambda x: np.asarray(x)[valid], (numbers, self.originals[numbers], *columns))
    _, originals, targets, scores, *_ = part
    losses = np.where(self.task.mistaken(scores, targets), self.task.score_losses(scores, targets), 0)
    least = list(self.worst.values())[-1][0] if len(self.worst) == MOST_MISTAKES else 0.0
    early, worse = range(min(len(valid), MOST_EXAMPLES - len(self.first))), np.flatnonzero(losses > least).tolist()
    if early or worse:
      images_here, clean = np.asarray(images), np.asarray(batch.images)  # a copy of the batch, on accelerators

      def show(row: int) -> Shown:
        place = valid[row]
        return Shown(self.count + row, images_here[place].copy(), clean[place // period].copy())

      self.first += [show(row) for row in early]
      truths = self.task.truth_in_words(targets)
      for row in worse:
        owner = int(originals[row]), truths[row]
        if owner not in self.worst or self.worst[owner][0] < losses[row]:
          self.worst[owner] = float(losses[row]), show(row)
      ranked = sorted(self.worst.items(), key=lambda entry: -entry[1][0])
      self.worst = dict(ranked[:MOST_MISTAKES])
    self.parts.append(part)
    self.count += len(valid)

  def outcome(self) -> Outcome:
    if not self.count:
      count = len(self.pictures)
      raise NothingReadable(f"data source {self.pictures.spec}: none of its {count} pictures here can be read")
    numbers, originals, targets, scores, levels, ssim, psnr = jax.tree.map(
      lambda *parts: np.concatenate(parts), *self.parts
    )
    specs = self.protocol.level_specs
    names, units = tuple(map(str, specs)), tuple(spec.unit for spec in specs)
    predictions = Predictions(numbers, originals, targets, scores, levels, names, units, ssim, psnr)
    return Outcome(predictions, self.first, [shown for _, shown in self.worst.values()])


def slots(numbers: np.ndarray) -> Iterator[int]:
  """For each row of predictions, which picture of its original's it is: 0, 1, ... in the order of the protocol."""
  seen: dict[int, int] = {}
  for number in numbers.tolist():
    seen[number] = seen.get(number, -1) + 1
    yield seen[number]
