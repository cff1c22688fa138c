"""Tables of answers, a row a file, that are written row by row and can be gone on with after any death."""

import csv
import errno
import fcntl
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import FileIO
from pathlib import Path

from jaxdistort.data.remote import NOT_FETCHED
from jaxdistort.errors import NO_MEMORY, NOT_INSTALLED, InputError, WorkFailed, reason_of
from jaxdistort.files import NAMES, write_all, writing_whole
from jaxdistort.scanning.formats import FORMATS, UNREADABLE, Known, Row, State
from jaxdistort.tasks import LabelSpace

_NUMBERS = (errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.ETIMEDOUT)
_PASSING = (*map(os.strerror, _NUMBERS), NOT_FETCHED, NOT_INSTALLED, NO_MEMORY)


def _none(known: Known) -> bool:
  return False


def _without_last(rows: Iterable[Known | None]) -> Iterator[Known | None]:
  return (row for row, _ in itertools.pairwise(rows))


class Table:
  """A table on disk, held by one process; rows can be added as long as it is open.

  Args:
    path: with a suffix of `FORMATS`.
    labels: of the answers.
    current: path -> state of all files that there are; rows on others, or on other states of theirs, are thrown away.
    stays: whether a row on a file that is not among them is kept, since it may be there all the same.

  Attributes:
    done: paths of which there is a row.

  Raises:
    InputError: another process writes it, or it is no such table.
  """

  def __init__(
    self,
    path: Path,
    labels: LabelSpace,
    current: Mapping[str, State],
    stays: Callable[[Known], bool] = _none,
  ):
    self._current, self._stays = current, stays
    self._path, self._format = path, FORMATS.find(path.suffix, f"table {path}: suffix")(labels)
    self.done: set[str] = set()
    path.parent.mkdir(parents=True, exist_ok=True)
    self._file = self._held()
    try:
      self._begin()
    except BaseException:
      self._file.close()
      raise

  def _begin(self) -> None:
    if not self._is_begun():
      self._file.truncate(0)
      write_all(self._file, self._format.head())
    elif not self._is_current():
      self._rewrite()

  def _stands(self, known: Known) -> bool:
    """Whether what is known of a file need not be asked again: a network or a disk may give it next time."""
    if known.path not in self._current:
      return self._stays(known)
    passes = known.findings == (UNREADABLE,) and any(reason in known.reason for reason in _PASSING)
    return self._current[known.path] == known.state and not passes

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

  def _is_ended(self) -> bool:
    """Whether its last row was written whole: what is cut within a number may pass for another number."""
    with self._path.open("rb") as file:
      file.seek(-1, os.SEEK_END)
      return file.read() == b"\n"

  def _is_current(self) -> bool:
    """Whether every row that is there is whole, and of the state of a file; notes which these are."""
    is_current = self._is_ended()
    for known in self._known():
      if known is None or known.path in self.done or not self._stands(known):
        is_current = False
      else:
        self.done.add(known.path)
    return is_current

  def _rewrite(self) -> None:
    """Without rows that are torn, out of date, or there twice."""
    self.done, rows = set(), self._known()
    with writing_whole(self._path) as new:
      new.write(self._format.head())
      for known in rows if self._is_ended() else _without_last(rows):
        if known is not None and known.path not in self.done and self._stands(known):
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
