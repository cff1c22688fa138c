"""Pictures that cannot be read, or not as they are meant: listed in a file, counted in a line."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_FILE = "broken_pictures.jsonl"


@contextmanager
def listed_broken(output: Path, data: str, image_size: int) -> Generator[Any]:
  """A new list below `output`, which is made if need be, for the pictures of `data` (lists them)."""
  from jaxdistort.data import BrokenPictures, make_output_for, parse_sources
  from jaxdistort.errors import NothingReadable

  make_output_for([source for source, _ in parse_sources(data)], output)
  (output / _FILE).unlink(missing_ok=True)
  try:
    yield BrokenPictures(output / _FILE, image_size)
  except NothingReadable as error:
    raise NothingReadable(f"{error}; reasons in {output / _FILE}") from error


def report_broken(count: int, remarked: int, where: str | Path) -> None:
  """A line each on pictures that could not be read and on those with remarks, if there are any: how many, and where."""
  if count:
    print(f"{count} pictures could not be read and were left out: {where}")
  if remarked:
    print(f"{remarked} pictures were used, with remarks: {where}")
