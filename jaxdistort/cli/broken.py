"""Pictures that cannot be read, or not as they are meant: listed in a file, counted in a line."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_FILE = "broken_pictures.jsonl"


@contextmanager
def listed_broken(output: Path, image_size: int) -> Generator[Any]:
  """A new list below `output`, which is made if need be."""
  from jaxdistort.data import BrokenPictures

  output.mkdir(parents=True, exist_ok=True)
  (output / _FILE).unlink(missing_ok=True)
  yield BrokenPictures(output / _FILE, image_size)


def report_broken(count: int, remarked: int, where: str | Path) -> None:
  """A line each on pictures that could not be read and on those with remarks, if there are any: how many, and where."""
  if count:
    print(f"{count} pictures could not be read and were left out: {where}")
  if remarked:
    print(f"{remarked} pictures were used, with remarks: {where}")
