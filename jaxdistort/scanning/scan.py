"""A scan: every picture below a folder is judged once, and again when it has changed."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from jaxdistort.errors import InputError
from jaxdistort.files import write_whole
from jaxdistort.inference import Recogniser
from jaxdistort.inference.files import Judged, judge_files
from jaxdistort.inference.verdicts import record_of
from jaxdistort.progress import SILENT, Progress
from jaxdistort.scanning.places import Local, Place, place_of
from jaxdistort.scanning.sorting import sort_into
from jaxdistort.scanning.tables import Known, Row, State, Table
from jaxdistort.tasks import LabelSpace

PARQUET = ".parquet"
"""The suffix of a table that is made of another one, see `scan`."""


class Scanned(NamedTuple):
  """What a scan did.

  Attributes:
    pictures: rows of the table.
    judged: of these, in this call.
    broken: files of this call that could not be read.
    left_out: what of the folder was not looked at, and why; a line each.
  """

  pictures: int
  judged: int
  broken: int
  left_out: tuple[str, ...]


class Shard(NamedTuple):
  """One of several parts of a folder, for as many machines that share its pictures.

  Attributes:
    number: from 1 on.
    count: of the parts.
  """

  number: int
  count: int

  def of(self, names: list[str]) -> list[str]:
    """Its own of all names, one after the other; parts differ by one picture at most."""
    first, end = (len(names) * place // self.count for place in (self.number - 1, self.number))
    return names[first:end]


WHOLE = Shard(1, 1)


def scan(
  recogniser: Recogniser,
  folder: str | os.PathLike[str],
  output: Path,
  *,
  shard: Shard = WHOLE,
  sorted_into: Path | None = None,
  reported_to: Path | None = None,
  workers: int = 1,
  progress: Progress = SILENT,
) -> Scanned:
  """Judges all pictures below a folder, in the order of their names, and writes a row on each as soon as it is known.

  Stopped at any moment and called again it goes on, and ends with the rows of an unbroken call. Rows on files that are
  gone are thrown away; files that have changed since, and all if the recogniser is another one, are judged again.

  Args:
    recogniser: the network, on one device.
    folder: a path, or a URL that fsspec knows (s3://, gs://, hf://); its pictures are found by their suffixes.
    output: the table, with a suffix of `FORMATS`; or with `PARQUET`, which is written whole at the end, with the rows
      until then in OUTPUT.jsonl, by which the next call goes on.
    shard: which part of the pictures; the parts' rows one after the other are those of the whole.
    sorted_into: folder in which the pictures are linked by what was found, see `sort_into`; none if None.
    reported_to: HTML page on the collection, see `render_collection`; none if None.
    workers: threads that decode.
    progress: counts pictures; may ask to stop.

  Raises:
    InputError: there is no such folder, no picture in it, or a file at `output` that is no such table.
    ModuleNotFoundError: a page is wanted, and jinja2 is not there (the extra `report` brings it); a URL is given, and
      fsspec is not (`remote`); Parquet is wanted, and pyarrow is not (`parquet`).
    KeyboardInterrupt: `progress` asked to stop.
  """
  write_page = None if reported_to is None else _page_writer(reported_to)  # what lacks for it is said before the work
  write_parquet = _parquet_writer() if output.suffix == PARQUET else None
  place, model = place_of(folder), name_of(recogniser)
  if sorted_into is not None and not isinstance(place, Local):
    raise InputError(f"{folder}: is not on this machine; nothing there can be linked")
  listing = place.list()
  if not listing.names:
    raise InputError(f"{folder}: no pictures in this folder")
  states = {name: State(*own, model) for name in shard.of(listing.names) if (own := place.state(name))}
  table = Table(rows_of(output), recogniser.task.labels, states)
  try:
    done = _go_on(recogniser, place, table, states, workers, progress)
    if sorted_into is not None and isinstance(place, Local):
      sort_into(sorted_into, place.path(""), ((row.path, row.findings) for row in table.rows()))
    if write_parquet is not None:
      write_parquet(output, recogniser.task.labels, table.rows())
    if write_page is not None:
      write_page(place, table.rows())
    return done._replace(left_out=listing.left_out)
  finally:
    table.close()


def _go_on(
  recogniser: Recogniser,
  place: Place,
  table: Table,
  states: Mapping[str, State],
  workers: int,
  progress: Progress,
) -> Scanned:
  missing = [name for name in states if name not in table.done]
  broken = 0
  with progress.bar(len(states), unit="picture", title="scanning", done=len(table.done)) as bar:
    for judged in judge_files(recogniser, missing, read=place.read, native=False, workers=workers):
      table.add(_row(judged.path, states[judged.path], judged))
      broken += judged.answer is None
      bar.advance()
      progress.check()
  return Scanned(len(table.done), len(missing), broken, ())


def rows_of(output: Path) -> Path:
  """The table that is written row by row: Parquet cannot be, so it has one beside it."""
  return output.with_name(f"{output.name}.jsonl") if output.suffix == PARQUET else output


def _parquet_writer() -> Callable[[Path, LabelSpace, Iterable[Known]], None]:
  from jaxdistort.scanning.parquet import write_parquet

  return write_parquet


def _page_writer(path: Path) -> Callable[[Place, Iterable[Known]], None]:
  from jaxdistort.scanning.page import render_collection

  path.parent.mkdir(parents=True, exist_ok=True)
  return lambda place, rows: write_whole(path, render_collection(place, rows))


def _row(name: str, state: State, judged: Judged) -> Row:
  if judged.answer is None:
    return Row(name, state, judged.error, {})
  probabilities = {group.group: round(group.probability, 4) for group in judged.answer.groups}
  return Row(name, state, "", record_of(judged.answer) | {"probabilities": probabilities})


def name_of(recogniser: Recogniser) -> str:
  """The same for recognisers that answer alike: eight digits of a hash of weights and description."""
  content = hashlib.blake2b(json.dumps(recogniser.description.to_dict(), sort_keys=True).encode(), digest_size=4)
  for leaf in jax.tree.leaves(recogniser.variables):
    content.update(np.asarray(leaf).tobytes())
  return content.hexdigest()
