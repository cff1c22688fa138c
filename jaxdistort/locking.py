"""A folder that one process at a time writes.

The kernel's lock on a file in the folder ends with the process that holds it, whatever ends it, in containers as
outside. What the file says names the holder to people, and decides where the kernel cannot: a file server may keep no
locks, or each machine its own.
"""

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from jaxdistort.errors import InputError
from jaxdistort.files import named, write_all

LOCK = ".lock"
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)  # said by file systems without any


class Holder(NamedTuple):
  """A process, as another one may need to know it.

  Attributes:
    host: name of its machine, or of its container.
    machine: identity of its machine's installation; "" where there is none.
    boot: identity of the running kernel, the same in all containers; "" where it is not known.
    namespace: within which its number counts.
    pid: its number.
    ticks: of the kernel's clock, at which it started: its number may be given again.
    started: the same, for people.
  """

  host: str
  machine: str
  boot: str
  namespace: str
  pid: int
  ticks: int
  started: str

  def __str__(self) -> str:
    return f"process {self.pid} on {self.host}, started {self.started}"


@contextmanager
def locked(folder: Path) -> Generator[None]:
  """Holds a folder, which is made if need be, for this process alone; what a killed process held is taken over.

  Raises:
    InputError: another process holds it, or one of another machine did and may still; or `folder` is no folder.
    OSError: the folder cannot be made or written.
  """
  if folder.exists() and not folder.is_dir():
    raise InputError(f"{folder} is a file; give a folder, or a name that is free")
  made = [place for place in (folder, *folder.parents) if not place.exists()]
  folder.mkdir(parents=True, exist_ok=True)
  try:
    file = _take(folder)
    try:
      yield
    finally:
      with suppress(OSError):  # on a disk that is read-only by now, it is left: known as ours that are gone
        if _is_at(file, folder / LOCK):
          (folder / LOCK).unlink()
      file.close()
  finally:
    for place in made:
      with suppress(OSError):
        place.rmdir()  # if nothing came of it


def _take(folder: Path) -> FileIO:
  """The lock's file, open for as long as the lock is held."""
  path, ours = folder / LOCK, _describe_self()
  while True:
    file = path.open("ab+", buffering=0)
    try:
      seized = _seize(file)
      before = _read(file)
      if seized is False:
        who = before or "another process"
        raise InputError(f"{folder}: is in use by {who}; wait until it ends, or give another folder")
      if not _is_at(file, path):  # whoever held it has removed it since it was opened here
        file.close()
        continue
      if before and not _is_gone(before, ours, kernel=seized is True):
        raise InputError(
          f"{folder}: is held by {before}, and whether that still runs cannot be known here; if it does not, "
          f"remove {path}"
        )
      _write(file, ours, path)
      return file
    except BaseException:
      file.close()
      raise


def _seize(file: FileIO) -> bool | None:
  """Takes the kernel's lock; False: another process has it; None: this file system has no locks."""
  try:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
  except OSError as error:
    if error.errno in _NO_LOCKS:
      return None
    if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
      return False
    raise
  return True


def _is_at(file: FileIO, path: Path) -> bool:
  try:
    return os.path.samestat(os.fstat(file.fileno()), path.stat())
  except FileNotFoundError:
    return False


def _read(file: FileIO) -> Holder | None:
  """None where it says nothing, or its writer was killed in the middle."""
  file.seek(0)
  try:
    return Holder(**json.loads(file.read(4096)))
  except (ValueError, TypeError):
    return None


def _write(file: FileIO, holder: Holder, path: Path) -> None:
  try:
    with named(path):
      file.truncate(0)
      write_all(file, f"{json.dumps(holder._asdict())}\n".encode())
  except OSError:
    with suppress(OSError):
      path.unlink()
    raise


def _is_gone(before: Holder, ours: Holder, *, kernel: bool) -> bool:
  """Whether a holder is known to run no more, where its lock was not in the way.

  Args:
    before: the holder.
    ours: this process.
    kernel: whether there was a lock that could be in the way.
  """
  same_kernel = before.boot == ours.boot != ""
  same_machine = (before.host, before.machine) == (ours.host, ours.machine)
  if kernel:
    return same_kernel or same_machine  # which has been started again since
  if same_kernel and before.namespace == ours.namespace:
    return _ticks(before.pid) != before.ticks
  return same_machine and not same_kernel


def _describe_self() -> Holder:
  pid = os.getpid()
  return Holder(
    host=socket.gethostname(),
    machine=_first_line("/etc/machine-id"),
    boot=_first_line("/proc/sys/kernel/random/boot_id"),
    namespace=_namespace(),
    pid=pid,
    ticks=_ticks(pid),
    started=_start_of(_ticks(pid)),
  )


def _ticks(pid: int) -> int:
  """Of the kernel's clock, at which a process started; -1 where it does not run or this is not known."""
  try:
    state = Path(f"/proc/{pid}/stat").read_text()
    return int(state.rpartition(")")[2].split()[19])
  except (OSError, ValueError, IndexError):
    return -1


def _start_of(ticks: int) -> str:
  try:
    booted = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    seconds = int(booted.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
  except (OSError, StopIteration):
    seconds = time.time()
  return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _namespace() -> str:
  try:
    return os.readlink("/proc/self/ns/pid")
  except OSError:
    return ""


def _first_line(path: str) -> str:
  try:
    return Path(path).read_text().strip()
  except OSError:
    return ""
