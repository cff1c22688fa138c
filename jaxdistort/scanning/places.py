"""Where the pictures of a scan lie: a folder of this machine, or one of a storage that fsspec knows."""

import os
import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote
from zlib import crc32

from PIL import Image

from jaxdistort.data.listing import Listing, list_pictures
from jaxdistort.data.pictures import SUFFIXES, read_picture
from jaxdistort.data.remote import FETCHING, is_remote
from jaxdistort.errors import InputError, raising_broken, reason_of

_CHANGES = ("mtime", "LastModified", "last_modified", "updated", "ETag", "etag", "md5Hash", "blob_id", "oid")


class Place(Protocol):
  """A folder of pictures that have names relative to it."""

  def list(self) -> Listing:
    """The pictures in it and below it.

    Raises:
      InputError: there is no such folder.
    """
    ...

  def state(self, name: str) -> tuple[int, int] | None:
    """Size of a file in bytes, and a number that is another one when it has changed; None if it has gone.

    Raises:
      OSError: that cannot be told now.
    """
    ...

  def read(self, name: str) -> Image.Image:
    """The picture, as `read_picture` says."""
    ...

  def uri(self, name: str) -> str:
    """By which a browser finds the file."""
    ...


def place_of(folder: str | os.PathLike[str]) -> Place:
  """The place that a path or a URL names."""
  text = os.fspath(folder)
  return Remote(text) if is_remote(text) else Local(Path(text))


class Local:
  """A folder of this machine."""

  def __init__(self, folder: Path):
    self._folder = folder

  def __str__(self) -> str:
    return str(self._folder)

  def list(self) -> Listing:
    if not self._folder.is_dir():
      raise InputError(f"{self._folder}: no such folder")
    return list_pictures(os.fspath(self._folder))

  def state(self, name: str) -> tuple[int, int] | None:
    try:
      status = os.stat(self.path(name))
    except (FileNotFoundError, NotADirectoryError):
      return None
    return status.st_size, status.st_mtime_ns

  def read(self, name: str) -> Image.Image:
    return read_picture(self.path(name))

  def uri(self, name: str) -> str:
    return self.path(name).absolute().as_uri()

  def path(self, name: str) -> Path:
    return self._folder / name


class Remote:
  """A folder of a storage, by its URL.

  Raises:
    ModuleNotFoundError: fsspec is not there (the extra `remote` brings it).
    InputError: fsspec does not know the storage, or lacks the package for it.
  """

  def __init__(self, url: str):
    import fsspec

    self._url = url.rstrip("/")
    try:
      self._storage, self._root = fsspec.core.url_to_fs(self._url)
    except (ValueError, ImportError) as error:
      raise InputError(f"{url}: {reason_of(error)}") from error
    self._states: dict[str, tuple[int, int]] = {}

  def __str__(self) -> str:
    return self._url

  def list(self) -> Listing:
    try:
      found = self._storage.find(self._root, detail=True)
    except Exception as error:  # storages raise anything
      raise InputError(f"{self._url}: cannot be listed ({reason_of(error)})") from error
    if not found:
      raise InputError(f"{self._url}: no such folder, or nothing in it")
    for path, about in found.items():
      name = posixpath.relpath(path, self._root)
      hidden = any(part.startswith(".") for part in name.split("/"))
      if not hidden and posixpath.splitext(name)[1].lower() in SUFFIXES:
        self._states[name] = int(about.get("size") or 0), _change(about)
    return Listing(sorted(self._states), ())

  def state(self, name: str) -> tuple[int, int] | None:
    return self._states.get(name)

  def read(self, name: str) -> Image.Image:
    with raising_broken(FETCHING):
      content = self._storage.cat_file(f"{self._root}/{name}")
    return read_picture(content)

  def uri(self, name: str) -> str:
    return f"{self._url}/{quote(os.fsencode(name))}"


def _change(about: Mapping[str, Any]) -> int:
  """A number that stands for what a storage says of a file's state."""
  told = [str(about[key]) for key in _CHANGES if about.get(key) is not None]
  return crc32("\n".join(told).encode())
