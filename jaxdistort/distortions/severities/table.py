"""Tables of severities: the parameters of distortions, level by level, as some source has them."""

from collections.abc import Mapping
from typing import NamedTuple

from jaxdistort.errors import InputError, choose
from jaxdistort.registry import Registry


class SeverityTable(NamedTuple):
  """The parameters of distortions at the levels of severity of one source.

  Attributes:
    source: where the numbers come from.
    levels: distortion name -> its parameters at severity 1, 2, ..., each a mapping of all parameters to values.
  """

  source: str
  levels: Mapping[str, tuple[Mapping[str, float], ...]]

  def parameters(self, distortion: str, severity: int = 1) -> dict[str, float]:
    """The parameters of a distortion at a severity, counted from 1.

    Raises:
      InputError: the table does not have the distortion, or not the severity.
    """
    levels = self.levels[choose("distortion of the severity table", distortion, self.levels)]
    if severity not in range(1, len(levels) + 1):
      raise InputError(f"severity of {distortion}: expected a whole number within 1..{len(levels)}, got {severity}")
    return dict(levels[severity - 1])


SEVERITY_TABLES: Registry[SeverityTable] = Registry("severity table")
"""Every table by name."""
