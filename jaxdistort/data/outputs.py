"""Folders that are written, and those that pictures are read from, apart."""

import os
from collections.abc import Iterable
from pathlib import Path

from jaxdistort.data.listing import list_pictures
from jaxdistort.data.source import Source
from jaxdistort.errors import InputError
from jaxdistort.files import is_output, make_output


def make_output_for(sources: Iterable[Source], output: Path, what: str = "output") -> None:
  """Makes a folder for what comes of pictures; wherever pictures are listed, it is left out from then on.

  Args:
    sources: that are read.
    output: the folder.
    what: it is called, for the message.

  Raises:
    InputError: it is the folder of the pictures, or holds others: among them, charts would be taken for photographs.
    OSError: it cannot be made.
  """
  place = os.path.realpath(output)
  for root in {source.root for source in sources if source.root}:
    if place == root:
      raise InputError(f"{what} {output}: is the folder of the pictures; give another")
  if output.is_dir() and not is_output(os.listdir(output)):
    pictures = list_pictures(place).names
    if pictures:
      raise InputError(f"{what} {output}: holds pictures, such as {pictures[0]}; give another, such as a new one in it")
  make_output(output, without_pictures=True)
