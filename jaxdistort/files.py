"""Files that survive the death of the process at any moment."""

import csv
import io
import json
import math
import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

_NAMES = "surrogateescape"  # names of files that are no UTF-8 go out as the bytes they came in as


def cache_folder(name: str) -> Path | None:
  """A folder of ours below the user's cache folder, made if need be; None where there is no place for it."""
  home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
  try:
    folder = home.expanduser() / "jaxdistort" / name
    folder.mkdir(parents=True, exist_ok=True)
  except (OSError, RuntimeError):  # read-only, or there is no home
    return None
  return folder if os.access(folder, os.W_OK) else None


_MARK = ".jaxdistort"  # hidden: its folder is one that this program writes


def make_output(folder: Path) -> None:
  """Makes a folder for what this program writes, and marks it if it is new or empty: no pictures are read in it.

  A folder that holds something else already stays as it is: its pictures may be somebody's.
  """
  folder.mkdir(parents=True, exist_ok=True)
  if is_free(folder):
    (folder / _MARK).write_text("Written by jaxdistort, which leaves this folder out where it looks for pictures.\n")


def is_free(folder: Path) -> bool:
  """Whether nothing is at this path, or a folder with no more than hidden files."""
  return not folder.exists() or (folder.is_dir() and all(entry.name.startswith(".") for entry in folder.iterdir()))


def is_output(folder: Path) -> bool:
  """Whether this program writes a folder."""
  return (folder / _MARK).exists()


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
  try:
    yield unfinished
    unfinished.replace(path)
  except BaseException:
    unfinished.unlink(missing_ok=True)
    raise


def complete_rows(path: Path) -> list[str]:
  """The JSON objects, as text, of a file of one a row whose last row a crash may have cut short."""
  rows = path.read_text().split("\n")[:-1] if path.exists() else []
  return [row for row in rows if row.startswith("{") and row.endswith("}")]
