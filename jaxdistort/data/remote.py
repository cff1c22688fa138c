"""Pictures of storages and servers, by their URLs, through fsspec."""

from collections.abc import Generator
from contextlib import contextmanager

from jaxdistort.errors import BrokenPicture, reason_of


def is_remote(path: str) -> bool:
  """Whether a path is a URL: `https://`, `s3://`, `gs://`, `hf://` and whatever else fsspec knows."""
  return "://" in path


def fetch(url: str) -> bytes:
  """The content of a file.

  Raises:
    ModuleNotFoundError: fsspec is not there (the extra `remote` brings it).
    BrokenPicture: it cannot be had.
  """
  import fsspec

  with raising_broken(), fsspec.open(url, "rb") as file:
    return file.read()


@contextmanager
def raising_broken() -> Generator[None]:
  """Turns what storages raise into `BrokenPicture`: one file that cannot be had is no reason to end."""
  try:
    yield
  except Exception as error:  # each storage has errors of its own
    raise BrokenPicture(f"cannot be fetched ({reason_of(error)})") from error
