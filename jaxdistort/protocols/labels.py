"""What is known of distorted pictures: which kinds they have, how strongly, how visibly, at which levels."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxdistort.distortions import GROUPS
from jaxdistort.protocols.stages import Stage
from jaxdistort.protocols.visibility import loss_of, share_left, visibility_of


class LevelSpec(NamedTuple):
  """A column of `Samples.levels`."""

  kind: str
  parameter: str
  unit: str

  def __str__(self) -> str:
    return f"{self.kind}.{self.parameter}"


class Labels:
  """The labels of a picture: `add` tells what each stage did to it, in order.

  Args:
    kinds: of the protocol, K.
    specs: of the columns of the levels, L.
  """

  def __init__(self, kinds: Sequence[str], specs: Sequence[LevelSpec]):
    self._kinds, self._columns = list(kinds), [str(spec) for spec in specs]
    self.presence = jnp.zeros(len(kinds), bool)
    self.severity = jnp.zeros(len(kinds), jnp.float32)
    self.levels = jnp.full(len(specs), jnp.nan, jnp.float32)
    self._loss = jnp.zeros(len(kinds), jnp.float32)

  def add(self, stage: Stage, choice: jax.Array, drawn: Sequence[tuple[dict[str, jax.Array], jax.Array]]) -> None:
    """What a stage did.

    Args:
      stage: that did it.
      choice: int32 [], of `stage.choose`.
      drawn: of each of its kinds, of `Kind.draw`.
    """
    strength, group = jnp.float32(0), jnp.int32(0)
    for k, (kind, (_, own)) in enumerate(zip(stage.kinds, drawn, strict=True)):
      strength = jnp.where(choice == k, own, strength)
      group = jnp.where(choice == k, GROUPS.index(kind.distortion.group), group)
    self._loss *= share_left(self._kinds, self.severity, group, strength)
    for k, (kind, (levels, own)) in enumerate(zip(stage.kinds, drawn, strict=True)):
      chosen, column = choice == k, self._kinds.index(kind.name)
      self.presence = self.presence.at[column].set(self.presence[column] | chosen)
      self.severity = self.severity.at[column].set(jnp.where(chosen, own, self.severity[column]))
      self._loss = self._loss.at[column].set(jnp.where(chosen, loss_of(own), self._loss[column]))
      for name, value in levels.items():
        place = self._columns.index(f"{kind.name}.{name}")
        self.levels = self.levels.at[place].set(jnp.where(chosen, value, self.levels[place]))

  @property
  def visibility(self) -> jax.Array:
    """float32 [K]."""
    return jnp.where(self.presence, visibility_of(self._kinds, self._loss), 0)
