"""Tables of severities: the parameters of distortions, level by level, as some source has them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jaxdistort.distortions.distributions import Distribution
from jaxdistort.errors import InputError, choose
from jaxdistort.registry import Registry

TRUNCATION = 0.4
"""Levels that `gaussian_noise` loses of its standard deviation by truncating toward zero, where sources round."""

EVEN = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Severities of five levels that no perceptual scale puts in their order."""

Setting = Mapping[str, float | Distribution]
"""A value for every parameter of a distortion, or how it is drawn."""


class Entry(NamedTuple):
  """A distortion of a source.

  Attributes:
    distortion: its name in `DISTORTIONS`.
    levels: its parameters at severity 1, 2, ..., all of them at each.
    unchanged: severities at which nothing changes, though the source has pictures of them.
    severities: of the levels, rising within 0..1, where perceptual ones do not tell them apart; else none.
  """

  distortion: str
  levels: tuple[Setting, ...]
  unchanged: tuple[int, ...] = ()
  severities: tuple[float, ...] = ()


class SeverityTable(NamedTuple):
  """The parameters of distortions at the levels of severity of one source.

  Attributes:
    source: where the numbers come from.
    entries: by the source's own names, in its order.
  """

  source: str
  entries: Mapping[str, Entry]

  def entry(self, name: str) -> Entry:
    """An entry by the source's name, or by the name of the distortion where only one entry has it.

    Raises:
      InputError: the table does not have it.
    """
    own = [entry for entry in self.entries.values() if entry.distortion == name]
    if name not in self.entries and len(own) == 1:
      return own[0]
    return self.entries[choose("distortion of the severity table", name, self.entries)]

  def parameters(self, name: str, severity: int = 1) -> dict[str, float | Distribution]:
    """The parameters of a distortion at a severity, counted from 1.

    Raises:
      InputError: the table does not have the distortion, or not the severity.
    """
    levels = self.entry(name).levels
    if severity not in range(1, len(levels) + 1):
      raise InputError(f"severity of {name}: expected a whole number within 1..{len(levels)}, got {severity}")
    return dict(levels[severity - 1])


def levels_of(**parameters: float | Distribution | Sequence[float]) -> tuple[Setting, ...]:
  """Settings level by level, from a list of values for each parameter, or one value for all levels."""
  count = max(len(values) for values in parameters.values() if isinstance(values, Sequence))
  columns = {n: v if isinstance(v, Sequence) else [v] * count for n, v in parameters.items()}
  return tuple(dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


SEVERITY_TABLES: Registry[SeverityTable] = Registry("severity table")
"""Every table by name."""
