"""What a table says of a file, and the forms of tables: how rows become bytes, and what is known of one again."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from jaxdistort.files import NAMES, line_of, parse_json
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
    severities: of the groups that were found; None where the task asks for none.
    kinds: that were named.
    doubtful: the groups that can neither be said nor ruled out.
    probabilities: of all groups; none where it is unreadable.
    reason: why it is unclear or unreadable; "" where it is neither.
  """

  path: str
  state: State
  content: bytes
  findings: tuple[str, ...]
  severities: dict[str, float | None]
  kinds: tuple[str, ...]
  doubtful: tuple[str, ...]
  probabilities: dict[str, float]
  reason: str

  @property
  def worst(self) -> float | None:
    """The greatest severity: 0 where nothing was found, None where something was that has none."""
    told = self.severities.values()
    return None if None in told else max((own for own in told if own is not None), default=0.0)


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
    for number, line in enumerate(file):
      try:
        own = parse_json(line)
        state = State(int(own["bytes"]), int(own["modified"]), str(own["model"]))
        found = own.get("distortions", ())
        kinds = tuple(distortion["kind"] for distortion in found if distortion["kind"])
        told = _severities(found), kinds, tuple(own.get("doubtful", ())), own.get("probabilities", {})
        yield _known(str(own["path"]), state, line.encode(errors=NAMES), own, *told)
      except (ValueError, TypeError, KeyError) as error:
        if number == 0 and line.endswith("\n"):  # a whole line of something else
          raise ValueError("another table") from error
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
    head = tuple(next(rows, ()))
    if head[: len(self._FIRST)] != self._FIRST:
      raise ValueError("another head")
    if head != self.columns:  # of a recogniser with other groups: no row is of use
      yield None
      return
    for row in rows:
      try:
        own = dict(zip(self.columns, row, strict=True))
        state = State(int(own["bytes"]), int(own["modified"]), own["model"])
        groups, kinds, doubtful = (tuple(filter(None, own[n].split(";"))) for n in ("groups", "kinds", "doubtful"))
        severities = {group: float(own[group]) if own[group] else None for group in groups}
        told = {group: own[f"p_{group}"] for group in self.labels.group_names}
        probabilities = {group: float(text) for group, text in told.items() if text}
        yield _known(own["path"], state, self._line(row), own, severities, kinds, doubtful, probabilities)
      except ValueError:
        yield None


def _severities(distortions: Iterable[Mapping[str, Any]]) -> dict[str, float | None]:
  """Of each group that was found, the surest first: the greatest of its kinds'; None where they have none."""
  severities: dict[str, float | None] = {}
  for own in distortions:
    told = [each for each in (own["severity"], severities.get(own["group"])) if each is not None]
    severities[own["group"]] = max(told, default=None)
  return severities


def _known(path: str, state: State, content: bytes, own: Mapping[str, Any], *told: Any) -> Known:
  if own.get("error"):
    return Known(path, state, content, (UNREADABLE,), {}, (), (), {}, own["error"])
  severities, kinds, doubtful, probabilities = told
  if own["unclear"]:
    return Known(path, state, content, (UNCLEAR,), {}, (), (), probabilities, own["unclear"])
  return Known(path, state, content, tuple(severities) or (CLEAN,), severities, kinds, doubtful, probabilities, "")
