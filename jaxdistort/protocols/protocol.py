"""Protocols: which distortions a data set draws, in which shares, with which laws for their parameters."""

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from jaxdistort.distortions import DISTORTIONS, jpeg
from jaxdistort.runtime.mesh import DATA_AXES


@dataclasses.dataclass(frozen=True)
class Constant:
  """Always `value`."""

  value: float

  def draw(self, key: jax.Array) -> jax.Array:
    del key
    return jnp.float32(self.value)


@dataclasses.dataclass(frozen=True)
class Uniform:
  """Uniform in [low, high)."""

  low: float
  high: float

  def draw(self, key: jax.Array) -> jax.Array:
    return jax.random.uniform(key, (), jnp.float32, self.low, self.high)


@dataclasses.dataclass(frozen=True)
class UniformInteger:
  """Uniform over the whole numbers low..high, both included."""

  low: int
  high: int

  def draw(self, key: jax.Array) -> jax.Array:
    return jax.random.randint(key, (), self.low, self.high + 1).astype(jnp.float32)


Law = Constant | Uniform | UniformInteger


@dataclasses.dataclass(frozen=True)
class PictureClass:
  """A class of a protocol.

  Attributes:
    name: the distortion's, or "reference".
    share: how many of the protocol's period of pictures belong to it.
    laws: parameter name -> law, for every parameter of the distortion; empty for the reference.
  """

  name: str
  share: int = 1
  laws: Mapping[str, Law] = dataclasses.field(default_factory=dict)


class Samples(NamedTuple):
  """Distorted pictures, with what was done to them.

  Attributes:
    images: uint8 [B, H, W, 3].
    labels: int32 [B], index of the class.
    parameters: "class.parameter" -> float32 [B], in the parameter's unit; NaN on pictures of other classes.
  """

  images: jax.Array
  labels: jax.Array
  parameters: dict[str, jax.Array]


@dataclasses.dataclass(frozen=True)
class Protocol:
  """A law of distorted pictures.

  Pictures are numbered in an endless stream. The classes take turns in it, each `share` times a
  period: any run of pictures is stratified to within one period, whatever the batch size and the
  number of devices, and picture t is the same picture in every division of the stream.

  Attributes:
    name: as in `PROTOCOLS`.
    classes: in the order of their labels.
    jpeg_quality: every picture, references too, ends as a JPEG of this quality (the paper's step); None: no JPEG.
  """

  name: str
  classes: tuple[PictureClass, ...]
  jpeg_quality: int | None = 75

  @property
  def class_names(self) -> tuple[str, ...]:
    return tuple(c.name for c in self.classes)

  @property
  def pattern(self) -> np.ndarray:
    """Labels int32 [period] of one period."""
    return np.repeat(np.arange(len(self.classes), dtype=np.int32), [c.share for c in self.classes])

  @property
  def period(self) -> int:
    return len(self.pattern)

  def distort(self, key: jax.Array, images: jax.Array, first: jax.Array | int = 0) -> Samples:
    """Distorts a run of the stream.

    Each op runs on the pictures of its own class only: the run is laid out in whole periods, of which
    the slots of a class are fixed. A run that begins or ends inside a period costs that period's
    empty slots (at most one period less one picture).

    Args:
      key: of the whole batch; picture t draws from `fold_in(key, t)`.
      images: clean pictures uint8 [B, H, W, 3].
      first: number t of the first picture; traced, int or uint32.

    Returns:
      `Samples` of B pictures in the same order.
    """
    first = jnp.asarray(first).astype(jnp.uint32)
    count, period = images.shape[0], self.period
    numbers = first + jnp.arange(count, dtype=jnp.uint32)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, numbers)
    phase = (first % np.uint32(period)).astype(jnp.int32)
    slot = phase + jnp.arange(count)  # of each picture, counted from the start of the first period
    labels = jnp.asarray(self.pattern)[slot % period]
    parameters = self._draw(keys, labels)

    periods = -(-(count + period - 1) // period)
    slots_of_class = [np.flatnonzero(np.tile(self.pattern, periods) == c) for c in range(len(self.classes))]
    groups = []
    for picture_class, slots in zip(self.classes, slots_of_class, strict=True):
      members = jnp.clip(slots - phase, 0, count - 1)
      own = {n: parameters[f"{picture_class.name}.{n}"][members] for n in picture_class.laws}
      groups.append(_distort_class(picture_class, keys[members], images[members], own))
    place_of_slot = np.argsort(np.concatenate(slots_of_class))
    distorted = jnp.concatenate(groups)[jnp.asarray(place_of_slot)[slot]]
    if self.jpeg_quality is not None:
      distorted = jax.vmap(jpeg, (0, None))(distorted, float(self.jpeg_quality))
    return Samples(distorted, labels, parameters)

  def _draw(self, keys: jax.Array, labels: jax.Array) -> dict[str, jax.Array]:
    """The parameters of every picture, drawn from keys [B]."""
    parameters = {}
    for label, picture_class in enumerate(self.classes):
      for position, (name, law) in enumerate(picture_class.laws.items()):
        drawn = jax.vmap(lambda key, law=law, position=position: law.draw(jax.random.fold_in(key, position + 1)))(keys)
        parameters[f"{picture_class.name}.{name}"] = jnp.where(labels == label, drawn, jnp.nan)
    return parameters


def _distort_class(
  picture_class: PictureClass, keys: jax.Array, images: jax.Array, parameters: dict[str, jax.Array]
) -> jax.Array:
  if picture_class.name == "reference":
    return images
  distortion = DISTORTIONS[picture_class.name]
  # Empty slots hold a picture of another class, whose parameters are NaN: any valid value will do there.
  parameters = {n: jnp.where(jnp.isnan(v), picture_class.laws[n].draw(keys[0]), v) for n, v in parameters.items()}
  op_keys = jax.vmap(jax.random.fold_in, (0, None))(keys, 0)
  return jax.vmap(lambda key, image, own: distortion(key, image, **own))(op_keys, images, parameters)


def distort_sharded(protocol: Protocol, mesh: Mesh) -> Callable[[jax.Array, jax.Array, jax.Array], Samples]:
  """`protocol.distort` with every device of `mesh` distorting its own share of the batch.

  The samples are those of one device, whatever their number.
  """

  def local(key: jax.Array, images: jax.Array, first: jax.Array) -> Samples:
    offset = jax.lax.axis_index(DATA_AXES).astype(jnp.uint32) * np.uint32(images.shape[0])
    return protocol.distort(key, images, first + offset)

  return jax.shard_map(local, mesh=mesh, in_specs=(P(), P(DATA_AXES), P()), out_specs=P(DATA_AXES), check_vma=False)


def six(jpeg_quality: int | None = 75) -> Protocol:
  """The paper's first data set: the reference and six distortions with constant parameters, in equal parts."""
  names = ("gaussian_blur", "motion_blur", "gaussian_noise", "monochrome_noise", "marble", "twirl")
  constants = {n: {p: Constant(v) for p, v in DISTORTIONS[n].paper_constants.items()} for n in names}
  distorted = (PictureClass(name, laws=constants[name]) for name in names)
  return Protocol("six", (PictureClass("reference"), *distorted), jpeg_quality)


def variable(jpeg_quality: int | None = 75) -> Protocol:
  """The paper's second data set: reference, Gaussian blur and noise of varying strength, 1 : 4 : 4."""
  blur = {"radius": Uniform(1, 11)}
  noise = {"amount": UniformInteger(1, 26), "density": Uniform(0.1, 1.1)}
  classes = (
    PictureClass("reference"),
    PictureClass("gaussian_blur", 4, blur),
    PictureClass("gaussian_noise", 4, noise),
  )
  return Protocol("variable", classes, jpeg_quality)


PROTOCOLS: Mapping[str, Callable[..., Protocol]] = MappingProxyType({"six": six, "variable": variable})
"""Protocols by name: functions of `jpeg_quality`."""
