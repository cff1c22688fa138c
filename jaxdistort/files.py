"""Files that survive the death of the process at any moment."""

import csv
import fcntl
import io
import json
import math
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

_NAMES = "surrogateescape"  # names of files that are no UTF-8 go out as the bytes they came in as


def write_whole(path: Path, content: str | bytes) -> None:
  """Writes a file beside its place and renames it; leaves nothing of it if it cannot be written."""
  with writing_whole(path) as file:
    file.write(content.encode(errors=_NAMES) if isinstance(content, str) else content)


def write_json(path: Path, content: Any) -> None:
  """Writes JSON for people and for any program, like `write_whole`; what is no finite number is null."""
  write_whole(path, json.dumps(_finite(content), indent=2, allow_nan=False) + "\n")


def _finite(content: Any) -> Any:
  if isinstance(content, dict):
    return {name: _finite(value) for name, value in content.items()}
  if isinstance(content, list | tuple):
    return [_finite(value) for value in content]
  return None if isinstance(content, float) and not math.isfinite(content) else content


def write_table(path: Path, rows: Iterable[Sequence[Any]]) -> None:
  """Writes CSV row by row, like `write_whole`."""
  with writing_whole(path) as file:
    text = io.TextIOWrapper(file, encoding="utf-8", errors=_NAMES, newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    text.flush()
    text.detach()  # or it would close the file


@contextmanager
def writing_whole(path: Path) -> Generator[BinaryIO]:
  """Opens a file beside its place, and renames it on leaving; leaves nothing of it if that fails."""
  with making_whole(path) as unfinished, unfinished.open("wb") as file:
    yield file


@contextmanager
def making_whole(path: Path) -> Generator[Path]:
  """Like `writing_whole`, for those who open their file themselves: the path beside its place."""
  unfinished = path.with_name(f"{path.name}.partial")
  with named(path), _alone(unfinished):
    try:
      yield unfinished
      unfinished.replace(path)
    except BaseException:
      with suppress(OSError):  # such as that of a disk that is read-only by now
        unfinished.unlink(missing_ok=True)
      raise


@contextmanager
def named(path: Path) -> Generator[None]:
  """Has an OSError of the system name the file: those of a full disk do not."""
  try:
    yield
  except OSError as error:
    if error.filename is None and error.errno:
      raise OSError(error.errno, error.strerror, str(path)) from error
    raise


@contextmanager
def _alone(unfinished: Path) -> Generator[None]:
  """Waits for another process that writes the same file: the last one that is whole counts."""
  with unfinished.open("ab") as file:
    with suppress(OSError):  # of a file system that has no locks
      fcntl.flock(file, fcntl.LOCK_EX)
    yield


def write_all(file: FileIO, content: bytes) -> None:
  """Writes to a file without a buffer, which would try again what a full disk did not take."""
  while content:
    content = content[file.write(content) :]


def complete_rows(path: Path) -> list[str]:
  """The JSON objects, as text, of a file of one a row whose last row a crash may have cut short."""
  rows = path.read_text().split("\n")[:-1] if path.exists() else []
  return [row for row in rows if row.startswith("{") and row.endswith("}")]
