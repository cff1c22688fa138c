"""From severities 0..1 to the levels of a table, and back."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxdistort.distortions.registry import DISTORTIONS
from jaxdistort.distortions.severities.perceptual import severity_of
from jaxdistort.distortions.severities.table import Entry, SeverityTable


def severities_of(entry: Entry) -> np.ndarray:
  """The severity of each level, float32 [levels]: the table's own, or the perceptual one."""
  if entry.severities:
    return np.array(entry.severities, np.float32)
  name = DISTORTIONS[entry.distortion].graded[0]
  values = jnp.asarray([own[name] for own in entry.levels], jnp.float32)
  return np.asarray(severity_of(entry.distortion, {name: values}))


def nearest_level(table: SeverityTable, name: str, severity: Any) -> np.ndarray:
  """The levels whose severities are nearest to given ones, such as those that a recogniser estimates.

  Levels at which nothing changes count for none. Of levels that are equally near, such as those beyond the end of the
  perceptual scale, it is the lowest.

  Args:
    table: of the levels.
    name: of a distortion, the source's or ours; where several entries are of ours, the nearest of all their levels.
    severity: 0..1, of any shape.

  Returns:
    int32 of the same shape, counted from 1.

  Raises:
    InputError: the table does not have the distortion.
  """
  own = [table.entries[name]] if name in table.entries else []
  entries = own or [e for e in table.entries.values() if e.distortion == name] or [table.entry(name)]
  pairs = sorted(
    (level, float(place))
    for entry in entries
    for level, place in enumerate(severities_of(entry), 1)
    if level not in entry.unchanged
  )
  levels, places = np.array([level for level, _ in pairs], np.int32), np.array([place for _, place in pairs])
  return levels[np.argmin(np.abs(np.asarray(severity, np.float64)[..., None] - places), axis=-1)]
