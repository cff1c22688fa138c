"""Processes of the command line, and how tests wait for them: for events, with no guess of how long they take.

The fixture `start` of tests/cli/conftest.py starts them, and ends what a test that fails leaves behind.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Child:
  """A command in a group of processes of its own.

  Args:
    log: file for all that it says.
    command: its words.
    environment: variables beyond those of this process.
  """

  def __init__(self, log: Path, command: list[str], **environment: str):
    self.log = log
    with log.open("w") as file:
      self._process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment, stdout=file, stderr=file, start_new_session=True
      )
    self.pid = self._process.pid

  def wait_until(self, is_so: Callable[[], object]) -> None:
    """Waits for something that it does; only pytest's own limit ends that."""
    while not is_so():
      assert self._process.poll() is None, self.log.read_text()
      time.sleep(0.01)

  def wait_until_it_sleeps(self) -> None:
    """Waits until its main thread waits for something, in the system and no longer in Python."""
    self.wait_until(lambda: "\nState:\tS" in Path(f"/proc/{self.pid}/status").read_text())

  def press(self, number: int = signal.SIGINT) -> None:
    """Sends it a signal, and waits until it has come: two that are under way count as one."""
    os.kill(self.pid, number)
    while self._process.poll() is None and _is_pending(self.pid, number):
      time.sleep(0.01)

  def wait(self) -> int:
    """Its exit status."""
    return self._process.wait()

  def workers(self) -> list[int]:
    """The processes that it started and that run."""
    return [pid for pid in _members(self.pid) if pid != self.pid and _is_running(pid)]

  def wait_for_workers(self) -> None:
    """Waits until it has none left."""
    while self.workers():
      time.sleep(0.05)

  def end(self) -> None:
    """Kills what is left of the group."""
    if self._process.poll() is None or self.workers():
      os.killpg(self.pid, signal.SIGKILL)
    self._process.wait()


def _is_pending(pid: int, number: int) -> bool:
  try:
    status = Path(f"/proc/{pid}/status").read_text()
  except (FileNotFoundError, ProcessLookupError):
    return False
  masks = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd"))]
  return any(mask >> (number - 1) & 1 for mask in masks)


def _members(group: int) -> list[int]:
  found = []
  for name in os.listdir("/proc"):
    try:
      if name.isdigit() and os.getpgid(int(name)) == group:
        found.append(int(name))
    except ProcessLookupError:
      continue
  return found


def _is_running(pid: int) -> bool:
  """Whether it does more than wait for its parent to ask how it ended."""
  try:
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
  except (FileNotFoundError, ProcessLookupError):
    return False
