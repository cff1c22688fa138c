"""A table of answers as Parquet, for programs that analyse millions of rows."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jaxdistort.files import making_whole
from jaxdistort.scanning.formats import UNCLEAR, UNREADABLE, Known
from jaxdistort.tasks import CLEAN, LabelSpace

_ROWS = 10_000  # of a group, which are held


def write_parquet(path: Path, labels: LabelSpace, rows: Iterable[Known]) -> None:
  """Writes the columns of the CSV, typed: severities and probabilities are null where there are none.

  A name that is no UTF-8, which Parquet's texts must be, has its other bytes as \\xNN.

  Args:
    path: of the file, written whole or not at all.
    labels: of the answers.
    rows: consumed once; 10,000 are held.
  """
  schema = _schema(labels)
  with making_whole(path) as unfinished, pq.ParquetWriter(unfinished, schema) as writer:
    for group in _in_groups(rows):
      writer.write_table(pa.Table.from_pylist([_record(row, labels) for row in group], schema))


def _schema(labels: LabelSpace) -> pa.Schema:
  text, number = pa.string(), pa.float32()
  fields = [("path", text), ("bytes", pa.int64()), ("modified", pa.int64()), ("model", text), ("error", text)]
  fields += [("clean", pa.bool_()), ("unclear", text), ("groups", pa.list_(text)), ("kinds", pa.list_(text))]
  fields += [("doubtful", pa.list_(text))]
  fields += [(group, number) for group in labels.group_names]
  fields += [(f"p_{group}", number) for group in labels.group_names]
  return pa.schema(fields)


def _record(row: Known, labels: LabelSpace) -> dict[str, Any]:
  unreadable, unclear = (row.findings == (own,) for own in (UNREADABLE, UNCLEAR))
  path = row.path.encode(errors="surrogateescape").decode(errors="backslashreplace")
  record: dict[str, Any] = {"path": path, **row.state._asdict(), "error": row.reason if unreadable else None}
  if unreadable:
    return record
  record |= {"clean": row.findings == (CLEAN,), "unclear": row.reason if unclear else None}
  record |= {"groups": list(row.severities), "kinds": list(row.kinds), "doubtful": list(row.doubtful)}
  record |= {group: row.severities.get(group) for group in labels.group_names}
  return record | {f"p_{group}": row.probabilities.get(group) for group in labels.group_names}


def _in_groups(rows: Iterable[Known]) -> Iterator[list[Known]]:
  rest = iter(rows)
  while group := list(itertools.islice(rest, _ROWS)):
    yield group
