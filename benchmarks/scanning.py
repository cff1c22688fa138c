"""The scan of a large collection: speed, memory from beginning to end, and what is left of it when it is killed.

python -m benchmarks.scanning PHOTOS --files 20000 --kills 10

The collection is made of links to the photographs, under many names. It is scanned once unbroken, and once killed
(SIGKILL) again and again at random and gone on with; both tables must say the same.
"""

import argparse
import csv
import itertools
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.memory import memory_of

_INTERVAL = 0.5  # seconds between two looks at the memory


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("photos", type=Path, help="a folder of photographs")
  parser.add_argument("--files", type=int, default=20_000)
  parser.add_argument("--kills", type=int, default=10)
  parser.add_argument("--seed", type=int, default=0)
  arguments = parser.parse_args()
  with tempfile.TemporaryDirectory() as place:
    collection = _collection(arguments.photos, Path(place) / "collection", arguments.files)
    seconds = _unbroken(collection, Path(place) / "whole.csv")
    print(f"{arguments.files} files in {seconds:.0f} s: {arguments.files / seconds:.1f} files/s")
    _broken(collection, Path(place) / "broken.csv", arguments.kills, seconds, random.Random(arguments.seed))
    whole, broken = (_rows(Path(place) / name) for name in ("whole.csv", "broken.csv"))
    print(f"rows {len(whole)} and {len(broken)}; {'the same' if whole == broken else 'NOT THE SAME'}")


def _collection(photos: Path, folder: Path, count: int) -> Path:
  files = sorted(file.resolve() for file in photos.iterdir() if file.suffix == ".jpg")
  for number, file in zip(range(count), itertools.cycle(files), strict=False):
    place = folder / f"{number // 1000:03d}"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{number:06d}.jpg").symlink_to(file)
  return folder


def _start(collection: Path, table: Path) -> subprocess.Popen:
  command = [sys.executable, "-m", "jaxdistort", "scan", str(collection), "--output", str(table)]
  return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _unbroken(collection: Path, table: Path) -> float:
  """Seconds; prints the memory in tenths of the time."""
  began, seen = time.perf_counter(), []
  process = _start(collection, table)
  while process.poll() is None:
    seen.append(memory_of(process.pid))
    time.sleep(_INTERVAL)
  assert process.returncode == 0, process.returncode
  tenths = [max(seen[place * len(seen) // 10 : (place + 1) * len(seen) // 10], default=0) for place in range(10)]
  print("memory, greatest in each tenth of the time:", ", ".join(f"{own / 2**20:.0f}" for own in tenths), "MiB")
  return time.perf_counter() - began


def _broken(collection: Path, table: Path, kills: int, seconds: float, chance: random.Random) -> None:
  left = []
  for _ in range(kills):
    process = _start(collection, table)
    time.sleep(chance.uniform(0.2, 2 * seconds / kills))
    process.kill()
    process.wait()
    left.append(len(table.read_bytes().splitlines()) if table.exists() else 0)
  print("killed with so many lines in the table:", ", ".join(map(str, left)))
  process = _start(collection, table)
  assert process.wait() == 0


def _rows(table: Path) -> list[list[str]]:
  with table.open(newline="") as file:
    return sorted(csv.reader(file))


if __name__ == "__main__":
  main()
