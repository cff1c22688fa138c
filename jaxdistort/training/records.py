"""What a run leaves to be read while it goes on: metrics.jsonl and TensorBoard."""

import json
from collections.abc import Mapping
from pathlib import Path

from tensorboardX import SummaryWriter

from jaxdistort.files import complete_rows, write_whole
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
    kept = [row for row in complete_rows(path) if json.loads(row)["step"] <= step]
    write_whole(path, "".join(f"{row}\n" for row in kept))
    self._rows = path.open("a")
    self._board = SummaryWriter(str(workdir / "tensorboard"), purge_step=step + 1)

  def __enter__(self) -> "Metrics":
    return self

  def __exit__(self, *error: object) -> None:
    if self._active:
      self._rows.close()
      self._board.close()

  def write(self, step: int, values: Mapping[str, float]) -> None:
    if not self._active:
      return
    self._rows.write(json.dumps({"step": step, **values}) + "\n")
    self._rows.flush()
    for name, value in values.items():
      self._board.add_scalar(name, value, step)
