"""Rounds of commands that are killed, starved and damaged: each must end right, or in one clear line.

python -m benchmarks.chaos --rounds 200 --output chaos
python -m benchmarks.chaos --round 17 --output chaos

A round takes a command (train, evaluate, prepare, prepare --protocol) and a fault (kill -9, a full disk, ...), then
gives the same command again, or does what its line advises, until it succeeds. What is there in the end must be equal,
byte by byte, to what the undisturbed command left. OUTPUT/rounds.jsonl has a row a round, OUTPUT/summary.json the sum.

Where the system lets us mount (root on Linux), everything lies on a small disk in memory, which is filled; elsewhere
that fault is left out.
"""

import collections
import errno
import json
import os
import random
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.chaos_commands import COMMANDS, Command, Place, begin, differences, make_pictures
from benchmarks.chaos_processes import Ended, Running
from jaxdistort.cli.arguments import ArgumentParser, at_least

FAULTS = (
  *("kill", "kill at a write", "interrupt", "two at once", "damage", "full disk", "quota", "refused writes"),
  "lost worker",
)
_REASONS = (errno.EROFS, errno.EIO, errno.EDQUOT, errno.ENOSPC, errno.EACCES, errno.ESTALE)
_TRIES = 8
_DISK = 96  # MB
_CLEAR = "error: "
_APART = "CHAOS_APART"


class Round:
  """One round: a command, a fault, repairs, and what became of it.

  Args:
    place: where everything lies.
    command: whose result is known.
    fault: of `FAULTS`.
    chance: of all that is left to it.
    expected: digest of the undisturbed result.
    seconds: that the undisturbed command took.
  """

  def __init__(
    self, place: Place, command: Command, fault: str, chance: random.Random, expected: dict[str, str], seconds: float
  ):
    self.place, self.command, self.fault, self.chance = place, command, fault, chance
    self.expected, self.seconds = expected, seconds
    self.ends: list[dict[str, Any]] = []
    self.wrong: list[str] = []
    self.damaged: set[str] = set()
    self.advised: list[str] = []

  @property
  def folder(self) -> Path:
    return self.place.folder(self.command)

  def play(self) -> dict[str, Any]:
    began = time.monotonic()
    shutil.rmtree(self.folder, ignore_errors=True)
    getattr(self, "_" + self.fault.replace(" ", "_").replace("-", "_"))()
    if not self.wrong:
      self._repair()
    return {
      "command": self.command.name,
      "fault": self.fault,
      "ends": self.ends,
      "damaged": sorted(self.damaged),
      "advised": self.advised,
      "wrong": self.wrong,
      "seconds": round(time.monotonic() - began, 1),
    }

  def _run(self, *, judged: bool = True, **how: Any) -> Ended:
    return self._await(begin(self.place, self.command, **how), judged=judged)

  def _await(self, child: Running, *, judged: bool = True) -> Ended:
    ended = child.wait()
    self.ends.append({"status": ended.status, "line": ended.line, "seconds": round(ended.seconds, 2)})
    complaint = ended.complaint
    if complaint and (judged or ended.status != -9):
      self.wrong.append(complaint)
    return ended

  def _repair(self) -> None:
    """The same command, and what it advises, until it succeeds."""
    for _ in range(_TRIES):
      ended = self._run()
      if self.wrong:
        return
      if ended.status == 0:
        found = differences(self.place, self.command, self.expected, lenient=self.damaged)
        self.wrong += [f"differs: {path}" for path in found]
        return
      if not self._follow(ended.line):
        self.wrong.append(f"no advice: {ended.line}")
        return
    self.wrong.append("never succeeds")

  def _follow(self, line: str) -> bool:
    removed = self.command.advice(line, self.folder)
    if removed is None:
      return False
    self.advised.append(str(removed))
    shutil.rmtree(removed) if removed.is_dir() else removed.unlink(missing_ok=True)
    if removed != self.folder and _has_newer(removed):
      shutil.rmtree(self.folder)  # the best one is lost, as was said: only a new run ends as the undisturbed one
    return True

  def _moment(self) -> float:
    return self.chance.uniform(0, self.seconds)

  # The faults.

  def _kill(self) -> None:
    for _ in range(self.chance.randint(1, 3)):
      child = begin(self.place, self.command)
      child.wait_for(self._moment())
      child.kill()
      self._await(child, judged=False)

  def _kill_at_a_write(self) -> None:
    for _ in range(self.chance.randint(1, 3)):
      self._run(judged=False, dies_at=self.chance.randint(1, self.command.writes))

  def _interrupt(self) -> None:
    child = begin(self.place, self.command)
    for _ in range(self.chance.randint(1, 2)):
      child.wait_for(self._moment() / 2)
      child.interrupt()
    self._await(child)

  def _two_at_once(self) -> None:
    children = [begin(self.place, self.command)]
    children[0].wait_for(self._moment() / 2)
    children.append(begin(self.place, self.command))
    if self.chance.random() < 0.3:
      children[0].wait_for(self._moment() / 2)
      children[0].kill()
    ends = [self._await(child, judged=False) for child in children]
    if not any(ended.status in (0, -9) for ended in ends):
      self.wrong.append("neither of two succeeded")

  def _damage(self) -> None:
    """A file of a finished or killed command is cut short, emptied or removed."""
    if self.chance.random() < 0.5:
      self._run()
    else:
      self._kill()
    files = [path for path in sorted(self.folder.rglob("*")) if path.is_file() and self.command.may_damage(path)]
    for path in self.chance.sample(files, min(len(files), self.chance.randint(1, 2))):
      self.damaged.add(str(path.relative_to(self.folder)))
      size = self.chance.choice([-1, 0, self.chance.randint(0, path.stat().st_size)])
      path.unlink() if size < 0 else os.truncate(path, size)

  def _full_disk(self) -> None:
    self.place.fill(leave=self.chance.randint(0, self.command.size))
    try:
      self._run()
    finally:
      self.place.free()

  def _quota(self) -> None:
    self._run(largest=self.chance.randint(100, self.command.largest))

  def _refused_writes(self) -> None:
    """A disk that was made read-only, broke, or went away with its server; as far as Python opens the files."""
    self._run(refuses_at=self.chance.randint(1, self.command.writes), reason=self.chance.choice(_REASONS))

  def _lost_worker(self) -> None:
    child = begin(self.place, self.command, workers=1)
    while not child.ended() and not child.kill_worker():
      child.wait_for(0.02 + self.chance.random() / 2)
    self._await(child)


def _has_newer(checkpoint: Path) -> bool:
  steps = [int(path.name) for path in checkpoint.parent.iterdir() if path.name.isdigit()]
  return checkpoint.name.isdigit() and max(steps, default=0) > int(checkpoint.name)


def parse_arguments(words: Sequence[str]) -> Any:
  parser = ArgumentParser(__doc__, prog="chaos")
  parser.add_argument("--rounds", type=at_least(1), default=200)
  parser.add_argument("--round", type=at_least(0), default=None, help="one of them alone")
  parser.add_argument("--command", action="append", choices=COMMANDS, default=None, help="repeatable; all unless given")
  parser.add_argument("--seed", type=at_least(0), default=0)
  parser.add_argument("--output", type=Path, default=Path("chaos"), help="for the log; emptied")
  parser.add_argument("--moved", action="store_true", help="between two tries the pictures move to another folder")
  return parser.parse_args(words)


def play_rounds(
  output: Path, rounds: Sequence[int], names: Sequence[str], *, seed: int = 0, moved: bool = False
) -> dict[str, Any]:
  """Plays rounds by number, logs each, and returns the summary."""
  shutil.rmtree(output, ignore_errors=True)
  output.mkdir(parents=True)
  place = Place(output.absolute() / "disk", disk=_DISK, moved=moved)
  try:
    make_pictures(place.pictures)
    known = {}
    for command in COMMANDS.values():
      if command.name not in names and not (command.name == "train" and "evaluate" in names):
        continue
      began = begin(place, command).wait()
      assert began.status == 0, f"{command.name} fails undisturbed: {began.line}"
      known[command.name] = differences(place, command, {}), began.seconds
    faults = [fault for fault in FAULTS if place.mounted or fault != "full disk"]
    rows = []
    for number in rounds:
      chance = random.Random(f"{seed} {number}")
      command, fault = COMMANDS[chance.choice(names)], faults[number % len(faults)]
      row: dict[str, Any] = {"round": number}
      row |= Round(place, command, fault, chance, *known[command.name]).play()
      rows.append(row)
      with (output / "rounds.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
      print(f"{number:4d} {command.name:8} {fault:16} {'; '.join(row['wrong']) or 'right'}", flush=True)
  finally:
    place.close()
  summary = _sum(rows)
  (output / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
  return summary


def _sum(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
  statuses = collections.Counter(str(end["status"]) for row in rows for end in row["ends"])
  by_fault = collections.Counter(f"{row['command']}, {row['fault']}" for row in rows)
  return {
    "rounds": len(rows),
    "right": sum(not row["wrong"] for row in rows),
    "wrong": [row for row in rows if row["wrong"]],
    "commands": sum(len(row["ends"]) for row in rows),
    "ended with status": dict(statuses.most_common()),
    "killed": statuses["-9"],
    "said one line": sum((end["line"] or "").startswith(_CLEAR) for row in rows for end in row["ends"]),
    "advice followed": sum(len(row["advised"]) for row in rows),
    "seconds": round(sum(row["seconds"] for row in rows)),
    "by command and fault": dict(sorted(by_fault.items())),
  }


def main() -> NoReturn:
  given = parse_arguments(sys.argv[1:])
  if not os.geteuid() and shutil.which("unshare") and _APART not in os.environ:
    os.environ[_APART] = "1"  # mounts that end with this process, whatever ends it
    os.execvp("unshare", ["unshare", "-m", sys.executable, "-m", "benchmarks.chaos", *sys.argv[1:]])
  rounds = range(given.rounds) if given.round is None else [given.round]
  summary = play_rounds(given.output, rounds, given.command or list(COMMANDS), seed=given.seed, moved=given.moved)
  print(json.dumps(summary, indent=2))
  sys.exit(bool(summary["wrong"]))


if __name__ == "__main__":  # not in workers, which import this file too
  main()
