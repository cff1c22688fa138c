"""Files that survive the death of the process at any moment."""

import csv
import fcntl
import hashlib
import io
import itertools
import json
import math
import os
from collections.abc import Container, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

from jaxdistort.errors import InputError

NAMES = "surrogateescape"
"""How texts are encoded: names of files that are no UTF-8 go out as the bytes they came in as."""


def cache_folder(name: str) -> Path | None:
  """Where a folder of ours lies below the user's cache folder, whether it is there or not; None for a user without."""
  home = Path(os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache"))
  return home / "jaxdistort" / name if home.is_absolute() else None


_UNFINISHED = ".partial"  # ends the name of a file that is still written
_MARK = ".jaxdistort"  # hidden: its folder is one that this program writes
# What tells such a folder where the mark was lost: many copy without hidden files.
_TRACES = (
  ("config.json", "checkpoints"),
  ("report.json", "predictions.csv"),
  ("report.json", "probe.safetensors"),
  ("sweep.json", "sweep.svg"),
  ("dataset.json", "manifest.csv"),
)


def make_output(folder: Path, *, without_pictures: bool = False) -> None:
  """Makes a folder for what this program writes, and marks it: no pictures are read in it.

  A folder that holds something else already stays as it is, since its pictures may be somebody's: unless it is known to
  hold none.
  """
  folder.mkdir(parents=True, exist_ok=True)
  if without_pictures or is_free(folder):
    (folder / _MARK).write_text("Written by jaxdistort, which leaves this folder out where it looks for pictures.\n")


def is_free(folder: Path) -> bool:
  """Whether nothing is at this path, or a folder with no more than hidden files, and what a death left unfinished."""
  if folder.is_dir():
    return all(entry.name.startswith(".") or entry.suffix == _UNFINISHED for entry in folder.iterdir())
  return not folder.exists()


def is_output(names: Iterable[str]) -> bool:
  """Whether a folder with entries of these names is one that this program writes."""
  there = set(names)
  return any(there.issuperset(traces) for traces in ((_MARK,), *_TRACES))


def write_whole(path: Path, content: str | bytes) -> None:
  """Writes a file beside its place and renames it; leaves nothing of it if it cannot be written."""
  with writing_whole(path) as file:
    file.write(content.encode(errors=NAMES) if isinstance(content, str) else content)


def write_json(path: Path, content: Any) -> None:
  """Writes JSON for people and for any program, like `write_whole`; what is no finite number is null."""
  write_whole(path, json.dumps(_finite(content), indent=2, allow_nan=False) + "\n")


def _finite(content: Any) -> Any:
  if isinstance(content, dict):
    return {name: _finite(value) for name, value in content.items()}
  if isinstance(content, list | tuple):
    return [_finite(value) for value in content]
  return None if isinstance(content, float) and not math.isfinite(content) else content


def parse_json(content: str | bytes) -> Any:
  """What JSON says; ValueError for whatever is none, such as what is nested so deeply that it must be an accident."""
  try:
    return json.loads(content)
  except RecursionError as error:
    raise ValueError("it is nested too deeply") from error


def read_json(path: Path) -> dict[str, Any]:
  """The JSON object in a file; an empty one where there is no such file, or something else in it."""
  try:
    content = parse_json(path.read_bytes())
  except (FileNotFoundError, NotADirectoryError, ValueError):
    return {}
  return content if isinstance(content, dict) else {}


def write_table(path: Path, rows: Iterable[Sequence[Any]]) -> None:
  """Writes CSV row by row, like `write_whole`; `read_table` gives the same texts, whatever is in them."""
  with writing_whole(path) as file:
    text = io.TextIOWrapper(file, encoding="utf-8", errors=NAMES, newline="")
    text.writelines(map(line_of, rows))
    text.flush()
    text.detach()  # or it would close the file


def line_of(row: Sequence[Any]) -> str:
  """A row as `write_table` has it, with its end."""
  return ",".join(map(_cell, row)) + "\n"


def _cell(value: Any) -> str:
  """In quotes where it must be, and where a program might take its tabs and semicolons for something else."""
  text = "" if value is None else str(value)
  special = any(letter in text for letter in ',;"\t\r\n') or text != text.strip()
  return '"' + text.replace('"', '""') + '"' if special else text  # the csv module leaves a \r as it is


def read_table(path: Path) -> Iterator[list[str]]:
  """The rows of a CSV file that `write_table` wrote.

  Raises:
    OSError: it is not there, or cannot be read.
    csv.Error: it is no such file.
  """
  with path.open(encoding="utf-8", errors=NAMES, newline="") as file:
    yield from csv.reader(file)


def fitting_name(folder: Path, stem: str, ending: str) -> str:
  """STEM + ENDING; where that is longer than the folder takes, the stem is cut, with a hash of all of it behind."""
  most, content = os.pathconf(folder, "PC_NAME_MAX"), os.fsencode(stem)
  if len(content) + len(os.fsencode(ending)) <= most:
    return stem + ending
  mark = "_" + hashlib.blake2b(content, digest_size=8).hexdigest()
  room = most - len(os.fsencode(mark + ending))
  return content[:room].decode(errors="ignore") + mark + ending  # no half letter at the cut


def free_name(folder: Path, stem: str, suffix: str, taken: Container[Path], *, word: str = "") -> Path:
  """The first of STEM WORD SUFFIX, STEM WORD_2 SUFFIX, ..., each cut as `fitting_name` cuts it, that is not taken."""
  endings = itertools.chain([f"{word}{suffix}"], (f"{word}_{number}{suffix}" for number in itertools.count(2)))
  names = (folder / fitting_name(folder, stem, ending) for ending in endings)
  return next(name for name in names if name not in taken)


@contextmanager
def writing_whole(path: Path) -> Generator[BinaryIO]:
  """Opens a file beside its place, and renames it on leaving; leaves nothing of it if that fails."""
  with making_whole(path) as unfinished, unfinished.open("wb") as file:
    yield file


@contextmanager
def making_whole(path: Path) -> Generator[Path]:
  """Like `writing_whole`, for those who open their file themselves: the path beside its place."""
  unfinished = path.with_name(fitting_name(path.parent, path.name, _UNFINISHED))
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


def check_unicode(path: str | os.PathLike[str]) -> None:
  """Raises InputError for a path that is no UTF-8: libraries that are no Python cannot open it."""
  try:
    os.fspath(path).encode()
  except UnicodeEncodeError as error:
    raise InputError(f"{path}: holds bytes that are no UTF-8, which cannot be used here; give another name") from error


def read_rows(path: Path) -> list[dict[str, Any]]:
  """The JSON objects of a file of one a row, without rows that are none: a crash cuts rows short, or leaves zeros."""
  try:
    rows = path.read_bytes().split(b"\n")
  except FileNotFoundError:
    return []
  return [row for row in map(_object, rows) if row is not None]


def _object(text: bytes) -> dict[str, Any] | None:
  try:
    content = parse_json(text)
  except ValueError:
    return None
  return content if isinstance(content, dict) else None


def write_rows(path: Path, rows: Iterable[Any]) -> None:
  """Writes JSON, one a row, like `write_whole`."""
  write_whole(path, "".join(f"{json.dumps(row)}\n" for row in rows))
