"""Folders that are written, and those that pictures are read from, apart."""

import os
from collections.abc import Iterable
from pathlib import Path

from jaxdistort.data.source import Source
from jaxdistort.errors import InputError
from jaxdistort.files import is_free, is_output, make_output


def make_output_for(sources: Iterable[Source], output: Path, what: str = "output") -> None:
  """Makes a folder for what comes of pictures; where it lies among them, they are listed without it from then on.

  Args:
    sources: that are read.
    output: the folder.
    what: it is called, for the message.

  Raises:
    InputError: it is the folder of the pictures, or one among them that holds something else.
    OSError: it cannot be made.
  """
  place = os.path.realpath(output)
  for root in {source.root for source in sources if source.root}:
    if place == root:
      raise InputError(f"{what} {output}: is the folder of the pictures; give another")
    within = os.path.commonpath([place, root]) == root
    if within and not is_free(Path(place)) and not is_output(output):
      raise InputError(f"{what} {output}: lies among the pictures, and is not empty; give another")
  make_output(output)
