"""What a run leaves to be read while it goes on: metrics.jsonl and, where tensorboardX is installed, TensorBoard."""

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxdistort.files import read_rows, write_rows
from jaxdistort.runtime.processes import is_first


class Metrics:
  """Rows of metrics.jsonl and scalars of TensorBoard, one row a step that has anything to say; of the first process.

  Args:
    workdir: of the run.
    step: where the run resumes; later rows, of steps to be done again, are dropped.
  """

  def __init__(self, workdir: Path, step: int):
    path = workdir / "metrics.jsonl"
    self._active = is_first()
    if not self._active:
      return
    rows = [row for row in read_rows(path) if isinstance(row.get("step"), int)]
    write_rows(path, [row for row in rows if row["step"] <= step])
    self._rows = path.open("a")
    self._board = _open_board(workdir / "tensorboard", step + 1)

  def __enter__(self) -> "Metrics":
    return self

  def __exit__(self, *error: object) -> None:
    if self._active:
      self._rows.close()
      if self._board:
        self._board.close()

  def write(self, step: int, values: Mapping[str, float]) -> None:
    if not self._active:
      return
    self._rows.write(json.dumps({"step": step, **values}) + "\n")
    self._rows.flush()
    for name, value in values.items() if self._board else ():
      self._board.add_scalar(name, value, step)


def _open_board(folder: Path, step: int) -> Any:
  """A writer of TensorBoard's events that drops those from `step` on; None where its package is not installed."""
  if importlib.util.find_spec("tensorboardX") is None:
    return None
  from tensorboardX import SummaryWriter

  return SummaryWriter(str(folder), purge_step=step)
