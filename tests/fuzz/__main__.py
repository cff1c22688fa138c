"""Reads damaged pictures in processes of their own: `python -m tests.fuzz --count 20000 --output FOLDER`.

A crash, more than 5 s or more than 2 GB for a picture, an error that is no BrokenPicture, and an accepted picture that
is not Pillow's are failures: listed, with the file kept in the folder. The same seed makes the same files.
"""

import argparse
import collections
import contextlib
import multiprocessing
import sys
import threading
from pathlib import Path
from typing import Any

from tests.fuzz.files import small_files
from tests.fuzz.worker import damaged, named, work

_SECONDS = 5


class _Tally:
  """What has happened so far."""

  def __init__(self, files: dict[str, bytes], seed: int, output: Path):
    self.files, self.seed, self.output = files, seed, output
    self.accepted: collections.Counter[str] = collections.Counter()
    self.read: collections.Counter[str] = collections.Counter()
    self.agreed: collections.Counter[str] = collections.Counter()
    self.reasons: collections.Counter[str] = collections.Counter()
    self.slowest, self.peak = (0.0, ""), (0, "")
    self.failures: list[str] = []

  def fail(self, number: int, what: str) -> None:
    name, content = damaged(self.files, self.seed, number)
    self.output.mkdir(parents=True, exist_ok=True)
    (self.output / f"{number}.{name.split()[0].lower()}").write_bytes(content)
    self.failures.append(f"{number} ({name}): {what}")

  def add(self, number: int, first: Any, second: Any) -> None:
    (seconds, peak, failure), (accepted, said, reason, late) = first, second
    name = named(self.files, number)
    kind = name.split()[0]
    self.read[kind] += 1
    self.accepted[kind] += accepted
    if accepted:
      self.agreed[said] += 1
    else:
      self.reasons[reason[:50]] += 1
    self.slowest, self.peak = (
      max(self.slowest, (seconds, f"{number} ({name})")),
      max(self.peak, (peak, f"{number} ({name})")),
    )
    if failure or late:
      self.fail(number, failure or late)

  def report(self) -> str:
    rows = [
      f"{kind}: {self.accepted[kind]} accepted, {self.read[kind] - self.accepted[kind]} refused" for kind in self.read
    ]
    rows += [f"agree with: {dict(self.agreed)}", f"refused for: {dict(self.reasons.most_common(12))}"]
    rows += [
      f"slowest: {self.slowest[0]:.2f} s, {self.slowest[1]}",
      f"most memory: {self.peak[0] / 1e9:.2f} GB, {self.peak[1]}",
    ]
    return "\n".join([*rows, f"{len(self.failures)} failures", *self.failures[:50]])


def _feed(numbers: list[int], tally: _Tally, lock: threading.Lock) -> None:
  """Sends numbers to a worker, and begins another where it crashes or takes too long."""
  context = multiprocessing.get_context("spawn")
  worker, pipe = None, None
  for number in numbers:
    if worker is None or pipe is None:
      pipe, theirs = context.Pipe()
      worker = context.Process(target=work, args=(theirs, tally.seed), daemon=True)
      worker.start()
      theirs.close()
      pipe.send(number)
      started = pipe.poll(60)
    else:
      pipe.send(number)
      started = pipe.poll(_SECONDS)
    try:
      if not started:
        raise TimeoutError
      first = pipe.recv()
      if not pipe.poll(60):
        raise TimeoutError
      second = pipe.recv()
    except (EOFError, TimeoutError, ConnectionError) as error:
      worker.kill()
      worker.join()
      with lock:
        what = f"no answer within {_SECONDS} s" if isinstance(error, TimeoutError) else f"ended with {worker.exitcode}"
        tally.fail(number, what)
      worker = pipe = None
      continue
    with lock:
      tally.add(number, first, second)
  if worker and pipe:
    pipe.close()
    worker.join()


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--count", type=int, default=20_000)
  parser.add_argument("--first", type=int, default=0)
  parser.add_argument("--seed", type=int, default=0)
  parser.add_argument("--workers", type=int, default=2)
  parser.add_argument("--output", type=Path, required=True)
  given = parser.parse_args()
  tally, lock = _Tally(small_files(), given.seed, given.output), threading.Lock()
  numbers = range(given.first, given.first + given.count)
  shares = [list(numbers[i :: given.workers]) for i in range(given.workers)]
  threads = [threading.Thread(target=_feed, args=(share, tally, lock), daemon=True) for share in shares]
  for thread in threads:
    thread.start()
  with contextlib.suppress(KeyboardInterrupt):
    for thread in threads:
      thread.join()
  print(tally.report())
  sys.exit(bool(tally.failures))


if __name__ == "__main__":
  main()
