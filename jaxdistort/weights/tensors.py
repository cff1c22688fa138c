"""What the readers of foreign files give: arrays by name, read one at a time, when they are wanted."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np


class Tensor(NamedTuple):
  """An array in a file.

  Attributes:
    shape: of the array.
    read: returns it; raises what the library below raises on damage.
  """

  shape: tuple[int, ...]
  read: Callable[[], np.ndarray]


Tensors = Mapping[str, Tensor]
