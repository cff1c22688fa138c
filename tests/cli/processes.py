"""Processes of the command line, and how tests wait for them: for events, with no guess of how long they take."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]


def start(log: Path, moment: str, *words) -> subprocess.Popen:
  """Starts a command in a group of processes of its own; see tests/cli/child.py for the moment."""
  command = [sys.executable, "-m", "tests.cli.child", moment, *map(str, words)]
  with log.open("w") as file:
    return subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file, start_new_session=True)


def wait_until(is_so: Callable[[], object], process: subprocess.Popen, log: Path) -> None:
  """Waits for something that a running process does; only pytest's own limit ends it."""
  while not is_so():
    assert process.poll() is None, log.read_text()
    time.sleep(0.01)


def wait_for_group(process: subprocess.Popen) -> None:
  """Waits until no process of the group is left; zombies, which wait for whoever started them, do not count."""
  while any(_is_running(pid) for pid in _members(process.pid)):
    time.sleep(0.05)


def workers_of(process: subprocess.Popen) -> list[int]:
  """The processes that a process started."""
  tasks = Path(f"/proc/{process.pid}/task")
  return [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]


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
  try:
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
  except (FileNotFoundError, ProcessLookupError):
    return False
