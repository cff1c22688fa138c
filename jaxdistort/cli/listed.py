"""The pictures below the folders that a person names."""

import os
import sys


def names_below(folder: str | os.PathLike[str]) -> list[str]:
  """The names of all pictures below a folder, relative to it; what was left out, and why, is told on stderr."""
  from jaxdistort.data.listing import list_pictures

  names, left_out, _ = list_pictures(os.fspath(folder))
  for remark in left_out:
    complain(remark)
  return names


def complain(text: str) -> None:
  """A line on stderr on what is no reason to end."""
  from jaxdistort.errors import printable

  print(printable(text), file=sys.stderr)
