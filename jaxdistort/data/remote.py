"""Pictures of storages and servers, by their URLs, through fsspec."""

from jaxdistort.errors import raising_broken

NOT_FETCHED = "cannot be fetched"
FETCHING = f"{NOT_FETCHED} ({{}})"
"""What is said of a file that a storage does not give, see `raising_broken`."""


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

  with raising_broken(FETCHING), fsspec.open(url, "rb") as file:
    return file.read()
