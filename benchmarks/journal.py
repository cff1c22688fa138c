"""Rows of figures in a file that is whole at any moment, whatever ends the program that writes it."""

import gc
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jaxdistort.files import write_json

Rows = list[dict[str, Any]]


class Journal:
  """Writes rows.json anew with all that is known, as soon as it is known; and prints it.

  Args:
    folder: made if need be.
    machine: fields of every row, see `timing.describe_machine`.
  """

  def __init__(self, folder: Path, machine: Mapping[str, Any]):
    folder.mkdir(parents=True, exist_ok=True)
    self._path, self._machine = folder / "rows.json", dict(machine)
    self.rows: Rows = []
    self._drafts: Rows = []
    self._write()

  def draft(self, phase: str, rows: Rows) -> None:
    """Rows of a phase that goes on; they give way to those that it ends with."""
    self._drafts += self._of(phase, rows)
    self._write()

  def attempt(self, phase: str, measure: Callable[[], Rows]) -> None:
    """Adds the rows of a phase; one that fails leaves what it had, a row that says why, and the way free to the next.

    Args:
      phase: its name.
      measure: gives the rows.
    """
    print(f"\n== {phase}", flush=True)
    start = time.monotonic()
    try:
      rows = self._of(phase, measure())
    except Exception as error:  # a figure that cannot be had must not cost the others
      traceback.print_exc()
      reason = " ".join(str(error).split())[:500]
      failed = {"op": phase, "failed": f"{type(error).__name__}: {reason}"}
      rows = [*self._drafts, *self._of(phase, [failed])]
    gc.collect()  # a network and its pictures may hang in a cycle
    self._drafts = []
    took = time.monotonic() - start
    self.rows += [row | {"phase_seconds": took} for row in rows]
    self._write()
    print(*(f"   {summary(row)}" for row in rows), f"   ({took:.0f} s)", sep="\n", flush=True)

  def skip(self, phase: str, why: str) -> None:
    """Says that a phase was left out."""
    print(f"\n== {phase}\n   left out: {why}", flush=True)
    self.rows += self._of(phase, [{"op": phase, "left_out": why}])
    self._write()

  def _of(self, phase: str, rows: Rows) -> Rows:
    return [self._machine | {"phase": phase} | row for row in rows]

  def _write(self) -> None:
    write_json(self._path, [*self.rows, *self._drafts])


_SHOWN = ("of_pytorch", "mfu", "mfu_of_data_sheet", "distortion_share", "device_of_host", "seconds_of_least")
_SHOWN_OF_RUNS = ("steps", "validation_accuracy", "test_accuracy")


def summary(row: Mapping[str, Any]) -> str:
  """A row in a line."""
  name = f"{row['op']} ({row['library']})" if "library" in row else row["op"]
  for word in ("failed", "left_out"):
    if word in row:
      return f"{name}: {word.replace('_', ' ')}: {row[word]}"
  figures = [f"{row['pictures_per_second']:,.4g} pictures/s"] if row.get("pictures_per_second") else []
  for field in (*_SHOWN, *_SHOWN_OF_RUNS):
    if isinstance(row.get(field), int | float):
      figures.append(f"{field.replace('_', ' ')} {row[field]:,.4g}")
  return f"{name}: {', '.join(figures)}"
