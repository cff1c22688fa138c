"""Processes of chaos.py: copies of the one that has imported all, for a command each."""

import contextlib
import gc
import os
import re
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".cache" / "chaos"))
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"

import jaxdistort.cli.evaluate
import jaxdistort.cli.prepare
import jaxdistort.cli.train
import jaxdistort.evaluation
import jaxdistort.generation
import jaxdistort.reporting
import jaxdistort.training  # noqa: F401  # all of it here, once
from jaxdistort.cli import main
from jaxdistort.data import preparing

setattr(preparing, "_PICTURES_A_SHARD", 12)  # noqa: B010  # enough shards and parts to be stopped between
setattr(sys.modules["jaxdistort.generation.generate"], "_ORIGINALS_A_PART", 16)  # noqa: B010

_PATIENCE = 120  # seconds, after which a command hangs
_BARS = re.compile(r"\s*(\x1b\[A)?|(training|evaluating|preparing|distorting|reading)\b.*\d+%.*")


class Ended(NamedTuple):
  """How a command ended: `line` is what it said on stderr but for bars, `complaint` what is wrong with that."""

  status: int
  line: str
  seconds: float
  complaint: str | None


class Running:
  """A command that goes on, in a group of processes of its own."""

  def __init__(self, pid: int, log: Path):
    self.pid, self._log, self._began = pid, log, time.monotonic()
    self._status: int | None = None

  def ended(self) -> bool:
    if self._status is None:
      pid, status = os.waitpid(self.pid, os.WNOHANG)
      self._status = os.waitstatus_to_exitcode(status) if pid else None
    return self._status is not None

  def wait_for(self, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not self.ended() and time.monotonic() < end:
      time.sleep(0.002)

  def kill(self) -> None:
    if not self.ended():
      os.killpg(self.pid, signal.SIGKILL)

  def kill_worker(self) -> bool:
    """Kills a process that decodes for it; False where there is none yet."""
    found = [int(name) for name in os.listdir("/proc") if name.isdigit() and _decodes(int(name), self.pid)]
    if found:
      os.kill(found[0], signal.SIGKILL)
    return bool(found)

  def interrupt(self) -> None:
    if not self.ended():
      os.killpg(self.pid, signal.SIGINT)

  def wait(self) -> Ended:
    self.wait_for(_PATIENCE)
    if not self.ended():
      os.killpg(self.pid, signal.SIGKILL)
      self.wait_for(_PATIENCE)
      return Ended(-9, "", time.monotonic() - self._began, f"hangs: {self._log}")
    errors = _text_of(self._log.with_suffix(".err"))
    lines = [line for line in re.split(r"[\r\n]+", errors) if not _BARS.fullmatch(line)]
    assert self._status is not None
    complaint = _complain(self._status, lines, _text_of(self._log))
    return Ended(self._status, " / ".join(lines)[-600:], time.monotonic() - self._began, complaint)


def _decodes(pid: int, group: int) -> bool:
  try:
    return pid != group and os.getpgid(pid) == group and b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
  except OSError:
    return False


def _text_of(log: Path) -> str:
  """Empty where the process was killed before it opened it."""
  return log.read_text(errors="replace") if log.exists() else ""


def _complain(status: int, lines: list[str], said: str) -> str | None:
  """What is wrong with the end of a command; None if it is right."""
  if "Traceback" in said or any("Traceback" in line for line in lines):
    return "traceback: " + " / ".join(lines)[-600:]
  one = len(lines) == 1 and lines[0].startswith("error: ")
  right = {0: not lines, 1: one, 130: lines in (["stopped"], []), -9: True}
  return None if right.get(status) else f"status {status}: " + " / ".join(lines)[-600:]


_count = 0


def start(
  words: list[str], root: Path, *, dies_at: int = 0, largest: int = 0, refuses_at: int = 0, reason: int = 0
) -> Running:
  """Starts a command in a copy of this process.

  Args:
    words: of the command.
    root: below which it works; its log goes beside.
    dies_at: kills itself at that event that may change a file.
    largest: bytes of a file, at most.
    refuses_at: that event and all later ones fail,
    reason: with this number of an error.
  """
  global _count  # noqa: PLW0603
  _count += 1
  log = root.parent / f"log_{_count % 50}"
  faults = {"dies_at": dies_at, "largest": largest, "refuses_at": refuses_at, "reason": reason}
  return Running(fork(log, lambda: _command(words, root, **faults)), log)


def fork(log: Path, work: Callable[[], int]) -> int:
  """A copy of this process that does some work, and ends with the status that it gives; what it says is in `log`."""
  sys.stdout.flush()
  if pid := os.fork():
    with contextlib.suppress(OSError):  # it has done so itself, or ended
      os.setpgid(pid, pid)
    return pid
  status = 99
  try:
    os.setpgid(0, 0)
    for number, file in ((1, log), (2, log.with_suffix(".err"))):
      os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    status = work()
  except BaseException:
    traceback.print_exc()
  finally:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _command(words: list[str], root: Path, *, dies_at: int, largest: int, refuses_at: int, reason: int) -> int:
  events = [0]

  def hook(event: str, arguments: tuple) -> None:
    changes = event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate")
    if event == "open" and isinstance(arguments[2], int):
      changes = bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    if changes and str(arguments[0]).startswith(str(root)):
      events[0] += 1
      if events[0] == dies_at:
        os.kill(os.getpid(), signal.SIGKILL)
      if 0 < refuses_at <= events[0]:
        raise OSError(reason, os.strerror(reason), str(arguments[0]))

  sys.addaudithook(hook)
  if largest:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
  try:
    main(words)
  except SystemExit as error:
    status = error.code if isinstance(error.code, int) else 1
  gc.collect()  # as at the end of a process that is no copy: semaphores would be reported as leaked
  return status
