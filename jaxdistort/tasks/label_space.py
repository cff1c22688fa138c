"""The names that a network answers with."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxdistort.errors import InputError

CLEAN = "clean"
"""The name of pictures to which nothing was done."""


@dataclasses.dataclass(frozen=True)
class LabelSpace:
  """Kinds of distortion in the order of a network's outputs. It is written into every checkpoint and model file.

  Attributes:
    kinds: K names.
    groups: the group of each (blur, noise, ...).
  """

  kinds: tuple[str, ...]
  groups: tuple[str, ...]

  @property
  def classes(self) -> tuple[str, ...]:
    """The K + 1 classes of pictures with at most one distortion: clean, then the kinds."""
    return (CLEAN, *self.kinds)

  @property
  def group_names(self) -> tuple[str, ...]:
    """The groups, each once, in the order of their first kinds."""
    return tuple(dict.fromkeys(self.groups))

  def of_groups(self, columns: Any) -> Any:
    """The largest of each group's columns, [..., K] to [..., G], of JAX or numpy."""
    stack = jnp.stack if isinstance(columns, jax.Array) else np.stack
    return stack([columns[..., own].max(axis=-1) for own in self._members], axis=-1)

  @functools.cached_property
  def _members(self) -> tuple[np.ndarray, ...]:
    """Places of the kinds of each group."""
    return tuple(np.flatnonzero([own == name for own in self.groups]) for name in self.group_names)

  def places(self, kinds: Sequence[str], what: str) -> list[int]:
    """Where other kinds stand here, such as those of another protocol.

    Raises:
      InputError: one of them is not among these; `what` names them.
    """
    for kind in kinds:
      if kind not in self.kinds:
        raise InputError(f"{what}: the network does not know {kind}, only {', '.join(self.kinds)}")
    return [self.kinds.index(kind) for kind in kinds]

  def to_dict(self) -> dict[str, Any]:
    return {"kinds": list(self.kinds), "groups": list(self.groups)}

  @classmethod
  def from_dict(cls, values: Mapping[str, Any]) -> "LabelSpace":
    return cls(tuple(values["kinds"]), tuple(values["groups"]))
