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
from jaxdistort.distortions.backend import one_by_one
from jaxdistort.errors import InputError
from jaxdistort.protocols.labels import Labels, LevelSpec
from jaxdistort.protocols.nuisance import Nuisance
from jaxdistort.protocols.stages import Stage
from jaxdistort.registry import Registry
from jaxdistort.runtime.mesh import DATA_AXES

_DRAWS_A_STAGE = 256  # random draws of a picture that belong to one stage
_OF_NUISANCE = 2**20


class Samples(NamedTuple):
  """Distorted pictures, with what was done to them.

  Attributes:
    images: uint8 [B, H, W, 3].
    clean: uint8 [B, H, W, 3], the pictures before the stages.
    presence: bool [B, K], which of the protocol's kinds are on the picture.
    severity: float32 [B, K], how strongly, 0..1: the perceptual severity (`distortions.severities.perceptual`), unless
      the kind's levels have severities of their own; 0 where the kind is absent.
    visibility: float32 [B, K], how much of it can be seen, 0..1: little where it is slight, or hidden by what came
      later (`protocols.visibility`); 0 where the kind is absent.
    levels: float32 [B, L], the parameters in their units, see `Protocol.level_specs`; NaN where the kind is absent.
  """

  images: jax.Array
  clean: jax.Array
  presence: jax.Array
  severity: jax.Array
  visibility: jax.Array
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
    nuisance: what else befalls every picture, before, between and after the stages, and is no label either.

  Raises:
    InputError: an unknown kind or parameter, or a distribution that may leave the parameter's bounds.
  """

  name: str
  stages: tuple[Stage, ...]
  jpeg_quality: int | None = 75
  nuisance: Nuisance | None = None

  def __post_init__(self) -> None:
    if len(self.stages) > 1 and not all(stage.shuffled for stage in self.stages):
      raise InputError(f"protocol {self.name}: of several stages each must be shuffled, or they take turns together")
    if self.jpeg_quality is not None and self.jpeg_quality not in range(1, 101):
      message = f"jpeg quality must be within 1..100, got {self.jpeg_quality}; whole numbers only"
      raise InputError(f"protocol {self.name}: {message}")
    for stage in self.stages:
      for kind in stage.kinds:
        kind.check(self.name)

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

  def clean_side(self, side: int) -> int:
    """The side of the clean pictures, px, from which distorted ones of `side` px are made."""
    return side if self.nuisance is None else self.nuisance.clean_side(side)

  def distort(self, key: jax.Array, images: jax.Array, first: jax.Array | int = 0) -> Samples:
    """Distorts a run of the stream.

    Args:
      key: of the whole stream; picture t draws from `fold_in(key, t)`.
      images: clean pictures uint8 [B, H, W, 3], of the sides that `clean_side` says.
      first: number t of the first picture; traced, int or uint32.

    Returns:
      `Samples` of B pictures in the same order.
    """
    count = images.shape[0]
    numbers = jnp.asarray(first).astype(jnp.uint32) + jnp.arange(count, dtype=jnp.uint32)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, numbers)
    of_nuisance = _keys_of(keys, _OF_NUISANCE)
    if self.nuisance is not None:
      images = self.nuisance.before(of_nuisance, images)
    clean = images
    choices = [stage.choose(numbers, salt=turn) for turn, stage in enumerate(self.stages)]
    drawn, labels = one_by_one(self._draw, keys, choices)
    for turn, stage in enumerate(self.stages):
      if self.nuisance is not None and turn == self.nuisance.camera_before:
        images = self.nuisance.camera(of_nuisance, images)
      images = stage.apply(_keys_of(keys, _DRAWS_A_STAGE * turn), images, choices[turn], drawn[turn])
    if self.nuisance is not None:
      images, clean = self.nuisance.cut_off(of_nuisance, self.nuisance.after(of_nuisance, images), clean)
    if self.jpeg_quality is not None:
      images = jax.vmap(jpeg, (0, None))(images, float(self.jpeg_quality))
    return Samples(images, clean, *labels)

  def _draw(self, key: jax.Array, choices: list[jax.Array]) -> tuple[list[list[dict[str, jax.Array]]], Any]:
    """Of a picture: the parameters float32 [] of each kind of each stage, and its labels as in `Samples`.

    Args:
      key: of the picture.
      choices: int32 [], of each stage.
    """
    levels, labels = [], Labels(self.kinds, self.level_specs)
    for turn, (stage, choice) in enumerate(zip(self.stages, choices, strict=True)):
      drawn = [kind.draw(key, _DRAWS_A_STAGE * turn) for kind in stage.kinds]
      labels.add(stage, choice, drawn)
      levels.append([own for own, _ in drawn])
    return levels, (labels.presence, labels.severity, labels.visibility, labels.levels)

  def describe(self) -> dict[str, Any]:
    """All that makes the protocol, ready for JSON."""
    return {
      "name": self.name,
      "kinds": list(self.kinds),
      "stages": [stage.describe() for stage in self.stages],
      "period": self.period,
      "jpeg_quality": self.jpeg_quality or 0,
      "nuisance": None if self.nuisance is None else self.nuisance.describe(),
    }


def _keys_of(keys: jax.Array, draw: int) -> jax.Array:
  return jax.vmap(jax.random.fold_in, (0, None))(keys, draw)


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
