"""Databases of pictures that people judged, read in place from their owners' layouts."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from jaxdistort.data.databases.csiq import open_csiq
from jaxdistort.data.databases.database import REFERENCE, Database, JudgedPicture
from jaxdistort.data.databases.kadid import open_kadid10k
from jaxdistort.data.databases.live import open_live
from jaxdistort.data.databases.tid import open_tid2008, open_tid2013
from jaxdistort.errors import InputError

__all__ = ["DATABASES", "REFERENCE", "Database", "JudgedPicture", "is_database", "open_database"]

DATABASES: Mapping[str, Callable[[str, Path], Database]] = MappingProxyType(
  {
    "live": open_live,
    "tid2008": open_tid2008,
    "tid2013": open_tid2013,
    "csiq": open_csiq,
    "kadid10k": open_kadid10k,
  }
)
"""Readers by the name before the colon."""


def is_database(spec: str) -> bool:
  """Whether a text such as `live:PATH` names a database."""
  kind, colon, _ = spec.partition(":")
  return bool(colon) and kind in DATABASES


def open_database(spec: str) -> Database:
  """Reads the tables of a database; its pictures are read later.

  Args:
    spec: live:PATH, tid2008:PATH, tid2013:PATH, csiq:PATH or kadid10k:PATH.

  Raises:
    InputError: a part is missing or damaged; it names the part, and what the layout should be.
  """
  kind, _, path = spec.partition(":")
  if not is_database(spec) or not path:
    raise InputError(f"database {spec!r}: expected one of {', '.join(f'{name}:PATH' for name in DATABASES)}")
  database = DATABASES[kind](spec, Path(path).expanduser())
  if not database.pictures:
    raise InputError(f"{spec}: none of the pictures that its tables name is there")
  return database
