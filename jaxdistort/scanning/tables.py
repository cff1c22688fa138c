"""Tables of answers, a row a file, that are written row by row and can be gone on with after any death."""

import csv
import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from jaxdistort.errors import InputError, WorkFailed, reason_of
from jaxdistort.files import NAMES, line_of, parse_json, write_all, writing_whole
from jaxdistort.registry import Registry
from jaxdistort.tasks import CLEAN, LabelSpace

UNCLEAR, UNREADABLE = "unclear", "unreadable"


class State(NamedTuple):
  """Of which state of a file a row tells.

  Attributes:
    bytes: its size.
    modified: when it was changed, in nanoseconds.
    model: by whom it was judged, see `scanning.scan.name_of`.
  """

  bytes: int
  modified: int
  model: str


class Row(NamedTuple):
  """What a table says of a file.

  Attributes:
    path: relative to the folder that was scanned.
    state: of the file.
    error: why it cannot be read; "" where it can.
    record: of `verdicts.record_of`, with the probabilities of the groups; empty where there is an error.
  """

  path: str
  state: State
  error: str
  record: dict[str, Any]


class Known(NamedTuple):
  """A row that was written.

  Attributes:
    path: of the file.
    state: of it.
    content: the row's bytes.
    findings: the groups that were found; or what is to be said instead: `CLEAN`, `UNCLEAR` or `UNREADABLE`.
    severities: of the groups that were found, 0 where they have none.
    kinds: that were named.
    probabilities: of all groups; none where it is unreadable.
    reason: why it is unclear or unreadable; "" where it is neither.
  """

  path: str
  state: State
  content: bytes
  findings: tuple[str, ...]
  severities: dict[str, float]
  kinds: tuple[str, ...]
  probabilities: dict[str, float]
  reason: str


class Format:
  """How rows become bytes, and what is known of a row that was written."""

  def __init__(self, labels: LabelSpace):
    self.labels = labels

  def head(self) -> bytes:
    """What a table begins with."""
    return b""

  def encode(self, row: Row) -> bytes:
    """Of one row, with its end."""
    raise NotImplementedError

  def decode(self, file: Iterable[str]) -> "Iterator[Known | None]":
    """What is known of every row; None for what is no whole one.

    Raises:
      ValueError, csv.Error: it is no such table.
    """
    raise NotImplementedError


FORMATS: Registry[type[Format]] = Registry("suffix of a table")
"""Formats by the suffix of the table's file."""


@FORMATS.register(".jsonl")
class Jsonl(Format):
  """A JSON object a line."""

  def encode(self, row: Row) -> bytes:
    own = {"path": row.path, **row.state._asdict()}
    return json.dumps(own | ({"error": row.error} if row.error else row.record)).encode() + b"\n"

  def decode(self, file: Iterable[str]) -> Iterator[Known | None]:
    for line in file:
      try:
        own = parse_json(line)
        state = State(int(own["bytes"]), int(own["modified"]), str(own["model"]))
        found = own.get("distortions", ())
        kinds = tuple(distortion["kind"] for distortion in found if distortion["kind"])
        told = _severities(found), kinds, own.get("probabilities", {})
        yield _known(str(own["path"]), state, line.encode(errors=NAMES), own, *told)
      except (ValueError, TypeError, KeyError):
        yield None


@FORMATS.register(".csv")
class Csv(Format):
  """A column a group with the severity that was found, and one with its probability; kinds separated by semicolons."""

  _FIRST = ("path", "bytes", "modified", "model", "error", "clean", "unclear", "groups", "kinds", "doubtful")

  @property
  def columns(self) -> tuple[str, ...]:
    groups = self.labels.group_names
    return (*self._FIRST, *groups, *(f"p_{group}" for group in groups))

  def head(self) -> bytes:
    return self._line(self.columns)

  def _line(self, cells: Sequence[Any]) -> bytes:
    return line_of(cells).encode(errors=NAMES)

  def encode(self, row: Row) -> bytes:
    record, groups = row.record, self.labels.group_names
    if row.error:
      return self._line([row.path, *row.state, row.error, *[""] * (len(self.columns) - 5)])
    severities = _severities(record["distortions"])
    kinds = [own["kind"] for own in record["distortions"] if own["kind"]]
    told = [
      int(record["clean"]),
      record["unclear"],
      ";".join(severities),
      ";".join(kinds),
      ";".join(record["doubtful"]),
    ]
    numbers = [severities.get(group, "") for group in groups] + [record["probabilities"][group] for group in groups]
    return self._line([row.path, *row.state, "", *told, *numbers])

  def decode(self, file: Iterable[str]) -> Iterator[Known | None]:
    rows = csv.reader(file)
    if tuple(next(rows, ())) != self.columns:
      raise ValueError("another head")
    for row in rows:
      try:
        own = dict(zip(self.columns, row, strict=True))
        state = State(int(own["bytes"]), int(own["modified"]), own["model"])
        severities = {group: float(own[group]) for group in own["groups"].split(";") if group}
        kinds = tuple(kind for kind in own["kinds"].split(";") if kind)
        told = {group: own[f"p_{group}"] for group in self.labels.group_names}
        probabilities = {group: float(text) for group, text in told.items() if text}
        yield _known(own["path"], state, self._line(row), own, severities, kinds, probabilities)
      except ValueError:
        yield None


def _severities(distortions: Iterable[Mapping[str, Any]]) -> dict[str, float]:
  """Of each group that was found, the surest first: the greatest of its kinds'."""
  severities: dict[str, float] = {}
  for own in distortions:
    severities[own["group"]] = max(own["severity"] or 0, severities.get(own["group"], 0))
  return severities


def _known(path: str, state: State, content: bytes, own: Mapping[str, Any], *told: Any) -> Known:
  if own.get("error"):
    return Known(path, state, content, (UNREADABLE,), {}, (), {}, own["error"])
  severities, kinds, probabilities = told
  if own["unclear"]:
    return Known(path, state, content, (UNCLEAR,), {}, (), probabilities, own["unclear"])
  return Known(path, state, content, tuple(severities) or (CLEAN,), severities, kinds, probabilities, "")


class Table:
  """A table on disk, held by one process; rows can be added as long as it is open.

  Args:
    path: with a suffix of `FORMATS`.
    labels: of the answers.
    current: path -> state of all files that there are; rows on others, or on other states of theirs, are thrown away.

  Attributes:
    done: paths of which there is a row.

  Raises:
    InputError: another process writes it, or it is no such table.
  """

  def __init__(self, path: Path, labels: LabelSpace, current: Mapping[str, State]):
    self._path, self._format = path, FORMATS.find(path.suffix, f"table {path}: suffix")(labels)
    self.done: set[str] = set()
    path.parent.mkdir(parents=True, exist_ok=True)
    self._file = self._held()
    try:
      self._begin(current)
    except BaseException:
      self._file.close()
      raise

  def _begin(self, current: Mapping[str, State]) -> None:
    if not self._is_begun():
      self._file.truncate(0)
      write_all(self._file, self._format.head())
    elif not self._is_current(current):
      self._rewrite(current)

  def _held(self) -> FileIO:
    file = open(self._path, "ab", buffering=0)  # noqa: SIM115, for as long as the table
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      file.close()
      raise InputError(f"table {self._path}: another process writes it") from error
    return file

  def _is_begun(self) -> bool:
    """Whether there is more than a part of its head."""
    head = self._format.head()
    return self._path.stat().st_size > 0 and not (
      self._path.stat().st_size < len(head) and head.startswith(self._path.read_bytes())
    )

  def _known(self) -> Iterator[Known | None]:
    try:
      with self._path.open(encoding="utf-8", errors=NAMES, newline="") as file:
        yield from self._format.decode(file)
    except (ValueError, csv.Error) as error:
      raise InputError(f"table {self._path}: is none of such a scan; give another name") from error

  def _is_current(self, current: Mapping[str, State]) -> bool:
    """Whether every row that is there is whole, and of the state of a file; notes which these are."""
    with self._path.open("rb") as file:
      file.seek(-1, os.SEEK_END)
      is_current = file.read() == b"\n"
    for known in self._known():
      if known is None or known.path in self.done or current.get(known.path) != known.state:
        is_current = False
      else:
        self.done.add(known.path)
    return is_current

  def _rewrite(self, current: Mapping[str, State]) -> None:
    """Without rows that are torn, out of date, or there twice."""
    self.done = set()
    with writing_whole(self._path) as new:
      new.write(self._format.head())
      for known in self._known():
        if known is not None and known.path not in self.done and current.get(known.path) == known.state:
          new.write(known.content.rstrip(b"\r\n") + b"\n")
          self.done.add(known.path)
    self._file.close()
    self._file = self._held()

  def rows(self) -> Iterator[Known]:
    """Every row that is there, in their order."""
    return (known for known in self._known() if known is not None)

  def add(self, row: Row) -> None:
    """Writes a row, whole as far as the system goes.

    Raises:
      WorkFailed: it cannot be written, or somebody has taken the table away.
    """
    try:
      write_all(self._file, self._format.encode(row))
    except OSError as error:
      reason = reason_of(error)
      raise WorkFailed(f"table {self._path}: a row cannot be written ({reason}); those before it are kept") from error
    if not self._is_there():  # what is written to it from now on nobody would ever see
      raise WorkFailed(f"table {self._path}: was taken away while it was written; the same command begins it anew")
    self.done.add(row.path)

  def _is_there(self) -> bool:
    try:
      return os.path.samestat(os.stat(self._path), os.fstat(self._file.fileno()))
    except OSError:
      return False

  def close(self) -> None:
    self._file.close()
