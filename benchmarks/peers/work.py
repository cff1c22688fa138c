"""What is asked of a library, and what a library is."""

from typing import NamedTuple, Protocol

import numpy as np

from benchmarks.timing import Turn


class Work(NamedTuple):
  """What every library is asked for.

  Attributes:
    name: of the row.
    distortion: a name in `DISTORTIONS`.
    parameters: float32 [B] each, a value for every picture.
    corruption: imagecorruptions' name of it, and the severity, in the rows that set its corruptions beside ours.
  """

  name: str
  distortion: str
  parameters: dict[str, np.ndarray]
  corruption: tuple[str, int] | None = None


class Library(Protocol):
  """One that can be timed.

  Attributes:
    name: of its column.
    device: that it computes on.
  """

  name: str
  device: str

  def turn(self, work: Work) -> Turn | None:
    """Calls that distort all pictures; None where the library has no such distortion."""
    ...

  def note(self, work: Work) -> str:
    """How its work differs from ours, if it does."""
    ...
