"""What a run leaves to be read while it goes on: metrics.jsonl and, where tensorboardX is installed, TensorBoard."""

import importlib.util
import json
import os
import socket
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from jaxdistort.errors import what_failed
from jaxdistort.files import named, read_rows, write_all, write_rows
from jaxdistort.progress import SILENT, Progress
from jaxdistort.runtime.processes import is_first

_FLUSH_EVERY = 30  # seconds


class Metrics:
  """Rows of metrics.jsonl and scalars of TensorBoard, one row a step that has anything to say; of the first process.

  A disk that does not take a row is no error here, in the middle of a step: it is kept as `failure` for the run, whose
  checkpoint takes the rows along.

  Args:
    workdir: of the run.
    step: where the run resumes; later rows, of steps to be done again, are dropped.
    unwritten: rows up to there that the run could not write before.
    progress: hears when TensorBoard's events cannot be written; the run can do without.

  Attributes:
    failure: why a row could not be written, if one could not.
    unwritten: that row, and those after it.
  """

  failure: OSError | None = None

  def __init__(
    self, workdir: Path, step: int, unwritten: Iterable[Mapping[str, float]] = (), progress: Progress = SILENT
  ):
    path = workdir / "metrics.jsonl"
    self._active = is_first()
    self.unwritten: list[dict[str, float]] = []
    if not self._active:
      return
    kept = [row for row in read_rows(path) if isinstance(row.get("step"), int) and row["step"] <= step]
    write_rows(path, kept + [row for row in unwritten if row not in kept])  # an earlier resume may have written them
    self._rows = path.open("ab", buffering=0)
    self._board = _Board(workdir / "tensorboard", step + 1, progress)

  def __enter__(self) -> "Metrics":
    return self

  def __exit__(self, *error: object) -> None:
    if self._active:
      self._board.close()
      with suppress(OSError):  # such as that of a file server: all that the run is for is in its checkpoints
        self._rows.close()

  def write(self, step: int, values: Mapping[str, float]) -> None:
    if not self._active:
      return
    row = {"step": step, **values}
    if not self.failure:
      try:
        with named(Path(self._rows.name)):
          write_all(self._rows, f"{json.dumps(row)}\n".encode())
      except OSError as error:
        self.failure = error
    if self.failure:
      self.unwritten.append(row)
    self._board.write(step, values)


class _Board:
  """TensorBoard's events, written here and now; a by-product, which may fail.

  tensorboardX's own writer has a thread: when that dies of a full disk its queue fills, and training waits for ever.

  Args:
    folder: of the events.
    step: TensorBoard drops events of earlier runs from there on.
    progress: hears of the first failure, which ends the events.
  """

  def __init__(self, folder: Path, step: int, progress: Progress):
    self._folder, self._progress = folder, progress
    self._writer: Any = None
    if importlib.util.find_spec("tensorboardX") is not None:
      with self._may_fail():
        from tensorboardX import RecordWriter
        from tensorboardX.proto.event_pb2 import SessionLog  # ty: ignore[missing-module-member]

        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.0f}.{socket.gethostname()}.{os.getpid()}"
        self._writer = RecordWriter(str(folder / name))
        self._add(0, file_version="brain.Event:2")
        self._add(step, session_log=SessionLog(status=SessionLog.START))
        self._flush()

  def write(self, step: int, values: Mapping[str, float]) -> None:
    if self._writer:
      with self._may_fail():
        from tensorboardX.summary import scalar

        for name, value in values.items():
          self._add(step, summary=scalar(name, value))
        if time.monotonic() - self._flushed > _FLUSH_EVERY:
          self._flush()

  def close(self) -> None:
    if self._writer:
      with self._may_fail():
        self._writer.close()

  def _add(self, step: int, **what: Any) -> None:
    from tensorboardX.proto.event_pb2 import Event  # ty: ignore[missing-module-member]

    self._writer.write(Event(step=step, wall_time=time.time(), **what).SerializeToString())

  def _flush(self) -> None:
    self._writer.flush()
    self._flushed = time.monotonic()

  @contextmanager
  def _may_fail(self) -> Generator[None]:
    try:
      yield
    except OSError as error:
      writer, self._writer = self._writer, None
      if writer:
        with suppress(OSError):
          writer.close()
      self._progress.tell(f"{self._folder} gets no more events: {what_failed(error)}; the run goes on")
