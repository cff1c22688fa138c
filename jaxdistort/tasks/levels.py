"""From an estimated severity to a level in its unit, with the error that was measured."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

BINS = 4  # of the severity, equally wide, in which errors are measured
_LEAST_EXAMPLES = 10  # of a bin


class Level(NamedTuple):
  """How strong a distortion is, as its parameter says.

  Attributes:
    parameter: sigma, quality, ...
    value: in its unit; lengths in pixels of the picture as it was looked at.
    unit: px, levels, ...; "" for mere numbers.
    error: mean absolute error of such values on pictures of the calibration; None where there were too few.
  """

  parameter: str
  value: float
  unit: str
  error: float | None


@dataclasses.dataclass(frozen=True)
class LevelScale:
  """What the severities of a kind mean.

  Attributes:
    parameter: the first of those that grow with the severity.
    unit: of it.
    severities: rising, from 0.
    values: of the parameter at them.
    errors: mean absolute error in each of `BINS` bins of the estimated severity; None where too few were measured.
  """

  parameter: str
  unit: str
  severities: tuple[float, ...]
  values: tuple[float, ...]
  errors: tuple[float | None, ...] = (None,) * BINS

  def values_at(self, severities: Any) -> Any:
    """float [N] of estimated severities [N], or one of one."""
    return np.interp(severities, self.severities, self.values)

  def level(self, severity: float) -> Level:
    """The level of one estimated severity."""
    error = self.errors[min(int(severity * BINS), BINS - 1)]
    return Level(self.parameter, float(self.values_at(severity)), self.unit, error)

  def measured(self, severities: np.ndarray, levels: np.ndarray) -> "LevelScale":
    """The same with the errors of estimated severities [N] against true levels [N]."""
    wrong = np.abs(self.values_at(severities) - levels)
    bins = np.minimum((severities * BINS).astype(int), BINS - 1)
    own = [wrong[bins == place] for place in range(BINS)]
    errors = tuple(float(part.mean()) if len(part) >= _LEAST_EXAMPLES else None for part in own)
    return dataclasses.replace(self, errors=errors)

  def to_dict(self) -> dict[str, Any]:
    return dataclasses.asdict(self)

  @classmethod
  def from_dict(cls, values: Mapping[str, Any]) -> "LevelScale":
    columns = (tuple(values[name]) for name in ("severities", "values", "errors"))
    return cls(values["parameter"], values["unit"], *columns)
