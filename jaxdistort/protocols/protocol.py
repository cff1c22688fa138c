"""A protocol: the distribution of distorted pictures, as a row of stages."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from jaxdistort.distortions import DISTORTIONS, jpeg
from jaxdistort.errors import InputError
from jaxdistort.protocols.stages import Kind, Stage
from jaxdistort.registry import Registry
from jaxdistort.runtime.mesh import DATA_AXES

_DRAWS_A_STAGE = 256  # random draws of a picture that belong to one stage


class LevelSpec(NamedTuple):
  """A column of `Samples.levels`."""

  kind: str
  parameter: str
  unit: str

  def __str__(self) -> str:
    return f"{self.kind}.{self.parameter}"


class Samples(NamedTuple):
  """Distorted pictures, with what was done to them.

  Attributes:
    images: uint8 [B, H, W, 3].
    presence: bool [B, K], which of the protocol's kinds are on the picture.
    severity: float32 [B, K], how strongly: 0 where nothing is changed (or the kind is absent), 1 at the far bound of
      the kind's first parameter, linear in it.
    levels: float32 [B, L], the parameters in their units, see `Protocol.level_specs`; NaN where the kind is absent.
  """

  images: jax.Array
  presence: jax.Array
  severity: jax.Array
  levels: jax.Array


@dataclasses.dataclass(frozen=True)
class Protocol:
  """A distribution of distorted pictures.

  Pictures are numbered in an endless stream. Each goes through the stages in their order, and in each gets one of the
  stage's kinds or none. Everything random of picture t comes from `fold_in(key, t)`, so it is the same picture in
  every division of the stream into batches, devices and runs.

  Attributes:
    name: as in `PROTOCOLS`.
    stages: in physical order (optics, motion, light, sensor, processing, compression).
    jpeg_quality: every picture, clean ones too, ends as a JPEG of this quality (the study's step), which is no label;
      None: no JPEG.

  Raises:
    InputError: an unknown kind or parameter, or a distribution that may leave the parameter's bounds.
  """

  name: str
  stages: tuple[Stage, ...]
  jpeg_quality: int | None = 75

  def __post_init__(self) -> None:
    if len(self.stages) > 1 and not all(stage.shuffled for stage in self.stages):
      raise InputError(f"protocol {self.name}: of several stages each must be shuffled, or they take turns together")
    if self.jpeg_quality is not None and self.jpeg_quality not in range(1, 101):
      message = f"jpeg quality must be within 1..100, got {self.jpeg_quality}; whole numbers only"
      raise InputError(f"protocol {self.name}: {message}")
    for stage in self.stages:
      for kind in stage.kinds:
        _check_kind(self.name, kind)

  @property
  def kinds(self) -> tuple[str, ...]:
    """The kinds of distortion, each once, in the order of the stages."""
    return tuple(dict.fromkeys(kind.name for stage in self.stages for kind in stage.kinds))

  @property
  def groups(self) -> tuple[str, ...]:
    """The group of each kind."""
    return tuple(DISTORTIONS[name].group for name in self.kinds)

  @property
  def level_specs(self) -> tuple[LevelSpec, ...]:
    """What the columns of `Samples.levels` are."""
    return tuple(
      LevelSpec(name, parameter.name, parameter.unit)
      for name in self.kinds
      for parameter in DISTORTIONS[name].parameters
    )

  @property
  def period(self) -> int:
    """Pictures in which every stage shows all of its kinds in their shares."""
    return max(stage.period for stage in self.stages)

  def distort(self, key: jax.Array, images: jax.Array, first: jax.Array | int = 0) -> Samples:
    """Distorts a run of the stream.

    Args:
      key: of the whole stream; picture t draws from `fold_in(key, t)`.
      images: clean pictures uint8 [B, H, W, 3].
      first: number t of the first picture; traced, int or uint32.

    Returns:
      `Samples` of B pictures in the same order.
    """
    count = images.shape[0]
    numbers = jnp.asarray(first).astype(jnp.uint32) + jnp.arange(count, dtype=jnp.uint32)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, numbers)
    presence = jnp.zeros((count, len(self.kinds)), bool)
    severity = jnp.zeros((count, len(self.kinds)), jnp.float32)
    levels = jnp.full((count, len(self.level_specs)), jnp.nan, jnp.float32)
    columns = [str(spec) for spec in self.level_specs]
    for turn, stage in enumerate(self.stages):
      choices = stage.choose(numbers, salt=turn)
      drawn = _draw(stage, keys, _DRAWS_A_STAGE * turn)
      op_keys = jax.vmap(jax.random.fold_in, (0, None))(keys, _DRAWS_A_STAGE * turn)
      images = stage.apply(op_keys, images, choices, drawn)
      for k, (kind, own) in enumerate(zip(stage.kinds, drawn, strict=True)):
        chosen, column = choices == k, self.kinds.index(kind.name)
        presence = presence.at[:, column].set(presence[:, column] | chosen)
        severity = severity.at[:, column].set(jnp.where(chosen, _severity(kind.name, own), severity[:, column]))
        for name, values in own.items():
          place = columns.index(f"{kind.name}.{name}")
          levels = levels.at[:, place].set(jnp.where(chosen, values, levels[:, place]))
    if self.jpeg_quality is not None:
      images = jax.vmap(jpeg, (0, None))(images, float(self.jpeg_quality))
    return Samples(images, presence, severity, levels)

  def describe(self) -> dict[str, Any]:
    """All that makes the protocol, ready for JSON."""
    return {
      "name": self.name,
      "kinds": list(self.kinds),
      "stages": [stage.describe() for stage in self.stages],
      "period": self.period,
      "jpeg_quality": self.jpeg_quality or 0,
    }


def _check_kind(protocol: str, kind: Kind) -> None:
  distortion = DISTORTIONS.find(kind.name, f"protocol {protocol}: kind")
  for name, distribution in kind.distributions.items():
    distortion.check(name, *distribution.support, f"protocol {protocol}", whole=distribution.whole)


def _draw(stage: Stage, keys: jax.Array, offset: int) -> list[dict[str, jax.Array]]:
  """For each kind of a stage: the parameters float32 [B] that pictures with keys [B] would get."""
  drawn = []
  for kind in stage.kinds:
    own = {}
    for position, parameter in enumerate(DISTORTIONS[kind.name].parameters):
      distribution = kind.distributions.get(parameter.name)
      if distribution is None:
        own[parameter.name] = jnp.full(keys.shape, parameter.default, jnp.float32)
      else:
        own_keys = jax.vmap(jax.random.fold_in, (0, None))(keys, offset + position + 1)
        own[parameter.name] = jax.vmap(distribution.draw)(own_keys)
    drawn.append(own)
  return drawn


def _severity(kind: str, levels: dict[str, jax.Array]) -> jax.Array:
  """0..1 float32 [B]: the place of the first parameter between where it changes nothing and its far bound."""
  parameter = DISTORTIONS[kind].parameters[0]
  reach = max(parameter.high - parameter.weakest, parameter.weakest - parameter.low)
  return jnp.clip(jnp.abs(levels[parameter.name] - parameter.weakest) / reach, 0, 1)


def distort_sharded(protocol: Protocol, mesh: Mesh) -> Callable[[jax.Array, jax.Array, jax.Array], Samples]:
  """`protocol.distort` with every device of `mesh` distorting its own share of the batch.

  The samples are those of one device, whatever their number.
  """

  def local(key: jax.Array, images: jax.Array, first: jax.Array) -> Samples:
    offset = jax.lax.axis_index(DATA_AXES).astype(jnp.uint32) * np.uint32(images.shape[0])
    return protocol.distort(key, images, first + offset)

  return jax.shard_map(local, mesh=mesh, in_specs=(P(), P(DATA_AXES), P()), out_specs=P(DATA_AXES), check_vma=False)


PROTOCOLS: Registry[Callable[..., Protocol]] = Registry("protocol")
"""Protocols by name: functions of `jpeg_quality` (1..100, None for no JPEG)."""
