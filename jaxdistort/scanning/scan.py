"""A scan: every picture below a folder is judged once, and again when it has changed."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from jaxdistort.errors import InputError
from jaxdistort.inference import Recogniser, direction, tones
from jaxdistort.progress import SILENT, Progress
from jaxdistort.scanning.formats import Known, Row, State
from jaxdistort.scanning.judging import Judgement, judge_here
from jaxdistort.scanning.makers import Maker
from jaxdistort.scanning.places import Place, place_of
from jaxdistort.scanning.tables import Table
from jaxdistort.tasks import Recognition


class Scanned(NamedTuple):
  """What a scan did.

  Attributes:
    pictures: rows of the table.
    judged: of these, in this call.
    broken: files of this call that could not be read.
    remarks: what of the folder was not looked at or not written to, and why; a line each.
  """

  pictures: int
  judged: int
  broken: int
  remarks: tuple[str, ...]


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
  then: Sequence[Maker] = (),
  judge: Callable[[list[str]], Iterable[Judgement]] | None = None,
  workers: int = 1,
  progress: Progress = SILENT,
) -> Scanned:
  """Judges all pictures below a folder, in the order of their names, and writes a row on each as soon as it is known.

  Stopped at any moment and called again it goes on, and ends with the rows of an unbroken call. Rows on files that are
  gone are thrown away; files that have changed since, and all if the recogniser is another one, are judged again. Rows
  on files that cannot be looked at now, or in folders that cannot be listed, stay.

  Args:
    recogniser: the network, on one device.
    folder: a path, or a URL that fsspec knows (s3://, gs://, hf://); its pictures are found by their suffixes.
    output: the table, with a suffix of `FORMATS`.
    shard: which part of the pictures; the parts' rows one after the other are those of the whole.
    then: what is made of the table once it is finished, see `scanning.makers`.
    judge: who judges the files of these names, in their order, such as a cluster; this process if None.
    workers: threads that decode, in this process.
    progress: counts pictures; may ask to stop.

  Raises:
    InputError: there is no such folder, no picture in it, or a file at `output` that is no such table.
    ModuleNotFoundError: a URL is given, and fsspec is not there (the extra `remote` brings it).
    WorkFailed: the table cannot be written; what is there is kept.
    KeyboardInterrupt: `progress` asked to stop.
  """
  place, model = place_of(folder), name_of(recogniser)
  listing = place.list()
  if not listing.names:
    raise InputError(f"{folder}: no pictures in this folder")
  wanted = shard.of(listing.names)
  states, hidden = _states(place, wanted, model)
  folders = tuple(f"{unlisted}/" for unlisted in listing.unlisted)

  def stays(known: Known) -> bool:
    return (known.path in hidden or known.path.startswith(folders)) and known.state.model == model

  table = Table(output, recogniser.task.labels, states, stays)
  try:
    names = [name for name in states if name not in table.done]
    judged = judge(names) if judge and names else judge_here(recogniser, place, names, workers=workers)
    done = _go_on(judged, table, place, states, progress)
    remarks = [*listing.left_out, *_out_of_reach(wanted, states), *done.remarks]
    for make in then:
      remarks += make(place, table.rows())
    return done._replace(remarks=tuple(remarks))
  finally:
    table.close()


def _states(place: Place, names: Iterable[str], model: str) -> tuple[dict[str, State], set[str]]:
  """Of the files that can be looked at; and the names of those that are there, maybe, but cannot be now."""
  states, hidden = {}, set()
  for name in names:
    try:
      own = place.state(name)
    except OSError:
      hidden.add(name)
      continue
    if own is not None:
      states[name] = State(*own, model)
  return states, hidden


def _is_gone(place: Place, name: str) -> bool:
  try:
    return place.state(name) is None
  except OSError:
    return True


def _out_of_reach(names: Sequence[str], states: Mapping[str, State]) -> list[str]:
  missing = [name for name in names if name not in states]
  if not missing:
    return []
  return [f"{len(missing)} files are listed but cannot be looked at, such as {missing[0]}: there is no row on them"]


def _go_on(
  judged: Iterable[Judgement], table: Table, place: Place, states: Mapping[str, State], progress: Progress
) -> Scanned:
  count = broken = gone = 0
  done = sum(name in table.done for name in states)  # of others there may be rows, too
  with progress.bar(len(states), unit="picture", title="scanning", done=done) as bar:
    for own in judged:
      if own.error and _is_gone(place, own.path):  # it may come back as it was, and would count as judged
        gone += 1
      else:
        table.add(Row(own.path, states[own.path], own.error, own.record))
        count, broken = count + 1, broken + bool(own.error)
      bar.advance()
      progress.check()
  lost = f"{gone} files have gone while they were scanned: there is no row on them; the same command goes on"
  return Scanned(len(table.done), count, broken, (lost,) if gone else ())


def name_of(recogniser: Recogniser) -> str:
  """The same for recognisers that answer alike: a hash of description, weights, and what else decides."""
  content = hashlib.blake2b(json.dumps(recogniser.description.to_dict(), sort_keys=True).encode(), digest_size=4)
  if isinstance(recogniser.task, Recognition):  # whose tones and direction the whole picture tells
    for fitted in (tones.FITTED, direction.FITTED):
      content.update(resources.files("jaxdistort.inference").joinpath(fitted).read_bytes())
  for leaf in jax.tree.leaves(recogniser.variables):
    content.update(np.asarray(leaf).tobytes())
  return content.hexdigest()
