"""Severity sweeps: the same pictures at every level of a distortion, made, measured and named on the device."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from jaxdistort.data import CleanBatch, PictureSet, evaluation_batches
from jaxdistort.distortions import DISTORTIONS, jpeg
from jaxdistort.errors import InputError
from jaxdistort.evaluation.judging import SEED, OnBroken
from jaxdistort.inference import Recogniser, one_behind
from jaxdistort.metrics.similarity import psnr, ssim
from jaxdistort.models import Variables
from jaxdistort.progress import SILENT, Progress
from jaxdistort.runtime.compilation import jit_inference
from jaxdistort.runtime.mesh import DATA_AXES, fill_devices
from jaxdistort.tasks import Task

_LEVELS = 12  # unless others are given
_MOST_LEVELS = 1000


@dataclasses.dataclass(frozen=True)
class Sweep:
  """The levels of one parameter of a distortion, the weakest to the strongest or the other way.

  Attributes:
    distortion, parameter: names in `DISTORTIONS`.
    levels: ascending, in the parameter's unit.

  Raises:
    InputError: an unknown name, or a level that the distortion does not take as it is.
  """

  distortion: str
  parameter: str
  levels: tuple[float, ...]

  def __post_init__(self) -> None:
    known = DISTORTIONS.find(self.distortion)
    for level in self.levels:
      known.check(self.parameter, level, level, "sweep")

  @property
  def unit(self) -> str:
    return DISTORTIONS[self.distortion].parameter(self.parameter).unit

  @property
  def fixed(self) -> dict[str, float]:
    """The other parameters: their defaults, which are the study's constants where it has some."""
    return {name: value for name, value in DISTORTIONS[self.distortion].defaults.items() if name != self.parameter}


class Answers(NamedTuple):
  """What one network says.

  Attributes:
    task: of the network.
    scores: float32 [N, L, W].
    undistorted: float32 [N, W], of the pictures with no more than the JPEG step.
  """

  task: Task
  scores: np.ndarray
  undistorted: np.ndarray


class SweepOutcome(NamedTuple):
  """What came of a sweep.

  Attributes:
    sweep: over L levels.
    originals: int64 [N], the same for pictures that show the same original.
    ssim: float32 [N, L], against the clean picture.
    psnr: float32 [N, L], dB.
    answers: of each network.
  """

  sweep: Sweep
  originals: np.ndarray
  ssim: np.ndarray
  psnr: np.ndarray
  answers: list[Answers]


def parse_sweep(name: str, levels: str | None = None) -> Sweep:
  """Reads a sweep from text.

  Args:
    name: a distortion, whose first parameter is swept, or DISTORTION.PARAMETER.
    levels: START:STOP:COUNT, both ends included, or levels with commas between; None: twelve over the parameter's
      range, from 0 where that is inside it.

  Raises:
    InputError: an unknown name, or levels that are no such text, beyond the parameter's range, or fractions
      where it takes whole numbers.
  """
  distortion, _, parameter = name.partition(".")
  known = DISTORTIONS.find(distortion)
  chosen = known.parameter(parameter) if parameter else known.parameters[0]
  if levels is None:
    found = np.linspace(0 if chosen.low < 0 < chosen.high else chosen.low, chosen.high, _LEVELS)
    found = np.round(found) if chosen.whole else found
  else:
    found = _read_levels(levels)
  return Sweep(distortion, chosen.name, tuple(np.unique(found).tolist()))


def _read_levels(text: str) -> np.ndarray:
  ranged = ":" in text
  *parts, count = text.split(":") if ranged else [*text.split(","), "1"]
  try:
    numbers, many = [float(part) for part in parts], int(count)
  except ValueError:
    numbers, many = [], 0
  if not numbers or not np.isfinite(numbers).all() or many < 1 or (ranged and len(numbers) != 2):
    raise InputError(f"levels {text!r}: expected START:STOP:COUNT, such as 0.5:11:22, or numbers such as 1,2,4,8")
  if max(many, len(numbers)) > _MOST_LEVELS:
    raise InputError(f"levels {text!r}: more than {_MOST_LEVELS}; give fewer")
  return np.linspace(numbers[0], numbers[1], many) if ranged else np.array(numbers)


Step = Callable[[tuple[Variables, ...], jax.Array, jax.Array, jax.Array], tuple[jax.Array, ...]]


def make_sweep_step(sweep: Sweep | None, networks: Sequence[Recogniser], mesh: Mesh, *, jpeg_quality: int) -> Step:
  """Builds a jitted function `(variables, images, first, level)` that serves all levels with one compilation.

  It gives SSIM [B], PSNR [B] and, for each network, scores [B, W], of clean pictures uint8 [B, S, S, 3]
  numbered from `first` (uint32) on. A picture draws the same random numbers at every level.

  Args:
    sweep: its distortion and parameter; None: nothing but the JPEG step, whatever the level.
    networks: of one image size.
    mesh: over whose devices batches are split.
    jpeg_quality: of the last step, 0 for no JPEG.
  """

  def distort(images: jax.Array, first: jax.Array, level: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    offset = jax.lax.axis_index(DATA_AXES).astype(jnp.uint32) * np.uint32(len(images))
    numbers = first + offset + jnp.arange(len(images), dtype=jnp.uint32)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(SEED), numbers)
    distorted = images
    if sweep:
      distortion, fixed = DISTORTIONS[sweep.distortion], jax.tree.map(jnp.float32, sweep.fixed)
      own = {name: jnp.broadcast_to(value, len(images)) for name, value in {**fixed, sweep.parameter: level}.items()}
      distorted = jax.vmap(lambda key, image, own: distortion(key, image, **own))(keys, images, own)
    if jpeg_quality:
      distorted = jax.vmap(jpeg, (0, None))(distorted, float(jpeg_quality))
    return distorted, jax.vmap(ssim)(images, distorted), jax.vmap(psnr)(images, distorted)

  distort_sharded = jax.shard_map(
    distort, mesh=mesh, in_specs=(P(DATA_AXES), P(), P()), out_specs=P(DATA_AXES), check_vma=False
  )

  @jit_inference
  def step(
    variables: tuple[Variables, ...], images: jax.Array, first: jax.Array, level: jax.Array
  ) -> tuple[jax.Array, ...]:
    distorted, *similarity = distort_sharded(images, first, level)
    scores = [network.apply(own, distorted) for network, own in zip(networks, variables, strict=True)]
    return (*similarity, *scores)

  return step


def run_sweeps(
  sweeps: Sequence[Sweep],
  networks: Sequence[Recogniser],
  pictures: PictureSet,
  mesh: Mesh,
  *,
  jpeg_quality: int,
  batch_size: int,
  workers: int,
  on_broken: OnBroken,
  progress: Progress = SILENT,
) -> list[SweepOutcome]:
  """Sweeps over pictures, each decoded once for all sweeps, levels and networks.

  Args:
    sweeps: one compilation each.
    networks: of one image size.
    pictures: clean.
    mesh: over whose devices batches are split.
    jpeg_quality: of the last step, 0 for no JPEG.
    batch_size: pictures a batch, about.
    workers: decoding processes.
    on_broken: gets the numbers of pictures that could not be read and are left out, and of those with remarks.
    progress: counts clean pictures.

  Raises:
    InputError: none of the pictures can be read.
    KeyboardInterrupt: `progress` asked to stop.
  """
  batch_size = fill_devices(batch_size, mesh)
  runs = [*((sweep, sweep.levels) for sweep in sweeps), (None, (0.0,))]  # what is made of each batch
  steps = [make_sweep_step(sweep, networks, mesh, jpeg_quality=jpeg_quality) for sweep, _ in runs]
  variables = tuple(network.variables for network in networks)
  table = _Table(pictures, [len(levels) for _, levels in runs])

  def dispatch(numbered: tuple[int, CleanBatch]) -> list[list[tuple[jax.Array, ...]]]:
    index, batch = numbered
    first = jnp.uint32(index * batch_size)
    return [
      [step(variables, batch.images, first, jnp.float32(level)) for level in levels]
      for step, (_, levels) in zip(steps, runs, strict=True)
    ]

  options = {"batch_size": batch_size, "workers": workers, "mesh": mesh}
  with (
    evaluation_batches(pictures, size=networks[0].image_size, **options) as batches,
    progress.bar(len(pictures), unit="picture", title="sweeping") as bar,
  ):
    for (_, batch), outputs in one_behind(dispatch, enumerate(batches)):
      on_broken(pictures, *batch.to_list)
      table.add(batch, outputs)
      bar.advance(int(np.sum(batch.numbers >= 0)))
      progress.check()
  return table.outcomes(sweeps, [network.task for network in networks])


class _Table:
  """What a sweep measures, as it comes: for each run, columns [pictures, levels, ...]."""

  def __init__(self, pictures: PictureSet, levels: Sequence[int]):
    self._pictures = pictures
    self._numbers: list[np.ndarray] = []
    self._parts: list[list[list[np.ndarray]]] = [[] for _ in levels]  # run -> batch -> columns

  def add(self, batch: CleanBatch, outputs: list[list[tuple[jax.Array, ...]]]) -> None:
    valid = (batch.numbers >= 0) & (batch.broken < 0)
    self._numbers.append(batch.numbers[valid])
    for parts, levels in zip(self._parts, jax.device_get(outputs), strict=True):  # a sync point
      parts.append([np.stack(values, axis=1)[valid] for values in zip(*levels, strict=True)])

  def outcomes(self, sweeps: Sequence[Sweep], tasks: Sequence[Task]) -> list[SweepOutcome]:
    rows = np.concatenate(self._numbers)
    if not len(rows):
      count = len(self._pictures)
      raise InputError(f"data source {self._pictures.spec}: none of its {count} pictures here can be read")
    originals = self._pictures.originals()[rows]
    *found, (_, _, *clean) = [[np.concatenate(column) for column in zip(*parts, strict=True)] for parts in self._parts]
    outcomes = []
    for sweep, (similarity, noise_ratio, *scores) in zip(sweeps, found, strict=True):
      answers = [Answers(*each[:2], each[2][:, 0]) for each in zip(tasks, scores, clean, strict=True)]
      outcomes.append(SweepOutcome(sweep, originals, similarity, noise_ratio, answers))
    return outcomes
