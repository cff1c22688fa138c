"""What is made of a finished table: links, a page, sidecars, Parquet.

A maker is made before the work, so that what it lacks is said then.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from jaxdistort.errors import InputError
from jaxdistort.files import write_whole
from jaxdistort.scanning.formats import Known
from jaxdistort.scanning.places import Local, Place
from jaxdistort.scanning.sidecars import write_sidecars
from jaxdistort.scanning.sorting import make_target, sort_into
from jaxdistort.tasks import LabelSpace

Maker = Callable[[Place, Iterable[Known]], Iterable[str]]
"""Makes something of a place's rows, and says what it left out."""


def links(target: Path) -> Maker:
  """Pictures linked below a folder by what was found, see `sort_into`; of this machine only.

  Raises:
    InputError: see `make_target`.
  """
  make_target(target)

  def make(place: Place, rows: Iterable[Known]) -> Iterable[str]:
    sort_into(target, _folder_of(place), ((row.path, row.findings) for row in rows))
    return ()

  return make


def sidecars() -> Maker:
  """An XMP file beside each picture, see `write_sidecars`; of this machine only."""
  return lambda place, rows: write_sidecars(_folder_of(place), rows)


def page(path: Path) -> Maker:
  """A page on the collection, see `render_collection`.

  Raises:
    ModuleNotFoundError: jinja2 is not there (the extra `report` brings it).
  """
  from jaxdistort.scanning.page import render_collection

  def make(place: Place, rows: Iterable[Known]) -> Iterable[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, render_collection(place, rows))
    return ()

  return make


def parquet(path: Path, labels: LabelSpace) -> Maker:
  """The table as Parquet, see `write_parquet`.

  Raises:
    ModuleNotFoundError: pyarrow is not there (the extra `parquet` brings it).
  """
  from jaxdistort.scanning.parquet import write_parquet

  def make(place: Place, rows: Iterable[Known]) -> Iterable[str]:
    del place
    write_parquet(path, labels, rows)
    return ()

  return make


def _folder_of(place: Place) -> Path:
  if not isinstance(place, Local):
    raise InputError(f"{place}: is not on this machine; nothing can be linked or written beside its pictures")
  return place.path("")
