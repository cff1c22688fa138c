"""What the readers of foreign files give: arrays by name, read one at a time, when they are wanted."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from jaxdistort.foreign.reading import Damaged


class Tensor(NamedTuple):
  """An array in a file.

  Attributes:
    shape: of the array.
    read: returns it; raises Damaged where the file is.
    flipped: whether a kernel is upside down, left to right as well: for convolution, as Theano computes it, in place of
      correlation, which other libraries call so.
  """

  shape: tuple[int, ...]
  read: Callable[[], np.ndarray]
  flipped: bool = False


Tensors = Mapping[str, Tensor]


@contextmanager
def foreign_parser() -> Generator[None]:
  """Around calls of a library that parses a file, and nothing else: whatever a damaged file makes of it is Damaged.

  Such libraries raise anything. What our own code raises stands outside, and stays what it is: a bug.
  """
  try:
    yield
  except Damaged:
    raise
  except Exception as error:
    raise Damaged(f"{type(error).__name__}: {error}") from error
