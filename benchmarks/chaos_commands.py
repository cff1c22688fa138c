"""The commands of chaos.py in processes that share what is imported, the disk they write to, and what they leave."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Set
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from PIL import Image

import jaxdistort
from benchmarks.chaos_processes import Running, fork, start  # first: it says where JAX keeps what it compiles
from jaxdistort.data import SamplePhotographs
from jaxdistort.errors import InputError

_CONFIG = """
from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig

def get_config():
  return TrainConfig(
    data=DataConfig(source={source!r}, image_size=32, workers=0, placement="host"),
    protocol=ProtocolConfig(name="variable", jpeg_quality=0),
    model=ModelConfig(name="softmax"),
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=1e-3),
    batch_size=8, steps=9, evaluate_every=3, log_every=1)
"""


class Place:
  """Where all lies: a small disk in memory, if one may be mounted.

  Args:
    root: its folder.
    disk: its size in MB.
    moved: whether the pictures move from command to command.
  """

  def __init__(self, root: Path, *, disk: int, moved: bool = False):
    self.root, self._moved, self._turn = root, moved, 0
    root.mkdir(parents=True)
    self.pictures = root.parent / "pictures"
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={disk}m", "chaos", str(root)]
    self.mounted = subprocess.run(mounted, capture_output=True, check=False).returncode == 0

  def folder(self, command: "Command") -> Path:
    return self.root / command.name

  def source(self) -> str:
    if self._moved:
      self._turn += 1
      self.pictures = self.pictures.rename(self.pictures.with_name(f"pictures_{self._turn % 2}"))
    return f"folder:{self.pictures}"

  def fill(self, *, leave: int) -> None:
    """Leaves so many bytes."""
    with (self.root / "ballast").open("wb") as file:
      os.posix_fallocate(file.fileno(), 0, max(1, shutil.disk_usage(self.root).free - leave))

  def free(self) -> None:
    (self.root / "ballast").unlink()

  def close(self) -> None:
    if self.mounted:
      subprocess.run(["umount", "-l", str(self.root)], check=True)


def make_pictures(folder: Path) -> None:
  samples = SamplePhotographs()
  folder.mkdir(parents=True, exist_ok=True)
  for number in range(48):
    Image.fromarray(samples.load(number * 23, 40)).save(folder / f"{number:02d}.png")
  (folder / "broken.png").write_bytes(b"no picture")


class Command(NamedTuple):
  """A command and what it leaves.

  Attributes:
    name: its folder's too.
    words: of the command line, for a place and a number of processes that decode.
    essential: files that the same command makes anew when they are damaged.
    passing: files that are not compared.
    size: bytes that it writes, about.
    largest: of them, in one file.
    writes: events that may change a file, about.
  """

  name: str
  words: Callable[[Place, int], list[str]]
  essential: str
  passing: str
  size: int
  largest: int
  writes: int

  def may_damage(self, path: Path) -> bool:
    # Pictures of a set that is made are not looked at again.
    return not re.search(r"/generate/(train|validation|test)/", str(path))

  def advice(self, line: str, folder: Path) -> Path | None:
    """What to remove by the line of a command that failed; None where it says nothing of that kind."""
    found = re.search(r"(/\S+?)[:,]? is damaged.*remove it", line) or re.search(r"remove (/[^\s;]+)$", line)
    if found and Path(found[1]).exists():
      return Path(found[1])
    return folder if re.search("give another|remove the folder", line) and folder.exists() else None


def _train(place: Place, workers: int) -> list[str]:
  config = place.root.parent / "config.py"
  config.write_text(_CONFIG.format(source=place.source()))
  return ["train", "--config", str(config), "--workdir", str(place.root / "train"), f"--config.data.workers={workers}"]


def _evaluate(place: Place, workers: int) -> list[str]:
  run = place.root / "run"
  if not run.exists():  # what there is to judge
    shutil.copytree(place.root / "train", run)
  more = ["--split", "all", "--workers", str(workers), "--jpeg-quality", "0", "--batch-size", "16"]
  output = ["--output", str(place.root / "evaluate")]
  return ["evaluate", "--checkpoint", str(run), "--data", place.source(), *output, *more]


def _prepare(name: str, *more: str) -> Callable[[Place, int], list[str]]:
  def words(place: Place, workers: int) -> list[str]:
    output = ["--output", str(place.root / name)]
    return ["prepare", "--data", place.source(), *output, "--image-size", "32", "--workers", str(workers), *more]

  return words


_REPORTS = r"evaluation/\w+/report.json|weights.*"
_UNEQUAL = r"tensorboard/.*|checkpoints/.*"  # by time of day, or random names; what is in checkpoints counts
COMMANDS = {
  command.name: command
  for command in (
    Command("train", _train, _REPORTS, _UNEQUAL, 900_000, 150_000, 175),
    Command("evaluate", _evaluate, ".*", "$", 900_000, 150_000, 30),
    Command("prepare", _prepare("prepare"), ".*", "$", 350_000, 80_000, 35),
    Command("generate", _prepare("generate", "--protocol", "variable"), ".*", "unfinished.*", 800_000, 30_000, 481),
  )
}


def begin(place: Place, command: Command, *, workers: int = 0, **how: int) -> Running:
  """Starts a command there; see `start`."""
  return start(command.words(place, workers), place.root, **how)


def differences(place: Place, command: Command, expected: dict[str, str], lenient: Set[str] = frozenset()) -> Any:
  """Paths that differ from what is expected; what there is, if nothing is.

  Args:
    place: where the command worked.
    command: whose folder is looked at.
    expected: path -> digest.
    lenient: paths that may differ unless the command makes them anew.
  """
  folder, found = place.folder(command), {}
  for path in sorted(folder.rglob("*")):
    name = str(path.relative_to(folder))
    if path.is_file() and not re.fullmatch(command.passing, name):
      found[name] = hashlib.sha256(_comparable(path)).hexdigest()
  if command.name == "train":
    found |= _weights(place, folder)
  if not expected:
    return found
  free = {name for name in lenient if not re.fullmatch(command.essential, name)}
  # Of a finished run nobody reads its checkpoints again, until they are used: then it is told.
  free |= {f"weights {name.split('/')[1]}" for name in lenient if name.startswith("checkpoints/")}
  names = sorted((found.keys() | expected.keys()) - free)
  return [name for name in names if found.get(name) != expected.get(name)]


def _comparable(path: Path) -> bytes:
  if path.name != "metrics.jsonl":
    return path.read_bytes()
  rows = [json.loads(row) for row in path.read_text().splitlines()]
  return json.dumps([{k: v for k, v in row.items() if k != "pictures_per_second"} for row in rows]).encode()


def _weights(place: Place, folder: Path) -> dict[str, str]:
  """The digest of the weights in every checkpoint."""
  log = place.root.parent / "weights"

  def work() -> int:
    digests = {}
    for step in sorted((folder / "checkpoints").iterdir()):
      try:
        leaves = jax.tree.leaves(jaxdistort.load(step).variables)
      except InputError as error:
        digests[f"weights {step.name}"] = str(error)
        continue
      content = b"".join(np.asarray(leaf).tobytes() for leaf in leaves)
      digests[f"weights {step.name}"] = hashlib.sha256(content).hexdigest()
    print(json.dumps(digests))
    return 0

  _, status = os.waitpid(fork(log, work), 0)
  return json.loads(log.read_text()) if not status else {"weights": log.with_suffix(".err").read_text()[-500:]}
