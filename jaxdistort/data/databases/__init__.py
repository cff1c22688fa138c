"""Databases of pictures that people judged, read in place from their owners' layouts."""

import dataclasses
import os
from pathlib import Path

# Each registers itself.
from jaxdistort.data.databases import csiq, kadid, live, tid  # noqa: F401
from jaxdistort.data.databases.database import (
  DATABASES,
  REFERENCE,
  Database,
  DatabaseKind,
  JudgedPicture,
  Layout,
  register_database,
)
from jaxdistort.errors import InputError

__all__ = [
  "DATABASES",
  "REFERENCE",
  "Database",
  "DatabaseKind",
  "JudgedPicture",
  "Layout",
  "describe_databases",
  "is_database",
  "open_database",
  "register_database",
]


def is_database(spec: str) -> bool:
  """Whether a text such as `live:PATH` names a database."""
  prefix, colon, _ = spec.partition(":")
  return bool(colon) and prefix in DATABASES


def describe_databases(explained: bool = False) -> str:
  """How databases are named, for help and messages: one line, or a line of help for each."""
  kinds = sorted(DATABASES.values())
  if explained:
    width = max(len(kind.usage) for kind in kinds)
    return "\n".join(f"{kind.usage:{width}}  {kind.help}" for kind in kinds)
  return ", ".join(kind.usage for kind in kinds)


def open_database(spec: str) -> Database:
  """Reads the tables of a database; its pictures are read later.

  Args:
    spec: as `describe_databases` says: `live:PATH`, ...

  Raises:
    InputError: a part is missing or damaged; it names the part, and what the layout should be.
  """
  prefix, _, path = spec.partition(":")
  if not is_database(spec) or not path:
    raise InputError(f"database {spec!r}: expected one of {describe_databases()}")
  layout = Layout(spec, Path(os.path.expanduser(path)), DATABASES[prefix].layout)
  if not layout.root.is_dir():
    raise layout.error(f"is not a folder; expected one with {layout.expected}")
  database = DATABASES[prefix].open(layout)
  found = sum(picture.type != REFERENCE for picture in database.pictures)
  first = database.problems[0] if database.problems else ""
  if not database.pictures or (database.listed and not found):
    many = f"of the {database.listed:,} distorted pictures" if database.listed else "of the pictures"
    raise layout.error(f"none {many} that its tables name is there" + (f": {first}" if first else ""))
  if 2 * found < database.listed:
    line = f"only {found:,} of the {database.listed:,} distorted pictures that its tables name are there"
    return dataclasses.replace(database, problems=(f"{line}: all figures are of those", *database.problems))
  return database
