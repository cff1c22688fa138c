"""The truth about pictures with any number of distortions."""

from typing import Any, NamedTuple

import numpy as np

VISIBLE = 0.5
"""The visibility from which a kind that is present must be found; below it is left out of its figures."""


class Presence(NamedTuple):
  """The truth of pictures, float32 [B, K] each.

  Attributes:
    presence: 0 or 1.
    severity: 0..1, NaN where it is not known.
    visibility: 0..1, of what is present: how much of it can be seen.
  """

  presence: Any
  severity: Any
  visibility: Any


def counted(targets: Presence) -> np.ndarray:
  """Which kinds of which pictures count in figures, bool [N, K]: those that are absent, and those that can be seen."""
  return (targets.presence == 0) | (targets.visibility >= VISIBLE)
