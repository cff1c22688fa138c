"""The commands of chaos.py in processes that share what is imported, the disk they write to, and what they leave."""

import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".cache" / "compiled"))
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"

import jax
import numpy as np
from PIL import Image

import jaxdistort.cli.evaluate
import jaxdistort.cli.prepare
import jaxdistort.cli.train
import jaxdistort.data.preparing
import jaxdistort.evaluation
import jaxdistort.generation.generate
import jaxdistort.reporting
import jaxdistort.training  # all of it here, once
from jaxdistort.cli import main
from jaxdistort.data import SamplePhotographs

jaxdistort.data.preparing._PICTURES_A_SHARD = 12
jaxdistort.generation.generate._ORIGINALS_A_PART = 16  # ty: ignore[invalid-assignment]

_PATIENCE = 120  # seconds, after which a command hangs
_BARS = re.compile(
  r"\s*|(training|evaluating|preparing|distorting|reading|packing \w+)\b.*\d+%.*|.*resource_tracker.*|\s+warnings\.warn.*"
)
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

  def freeze(self) -> bool:
    """Makes the disk read-only, unless a file is open for writing, which the system does not allow."""
    return self._remount("ro")

  def thaw(self) -> None:
    assert self._remount("rw")

  def _remount(self, how: str) -> bool:
    command = ["mount", "-o", f"remount,{how}", str(self.root)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0

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
    words: of the command line, for a place.
    essential: files that the same command makes anew when they are damaged.
    passing: files that are not compared.
    size: bytes that it writes, about.
    largest: of them, in one file.
    writes: events that may change a file, about.
  """

  name: str
  words: Callable[[Place], list[str]]
  essential: str
  passing: str
  size: int
  largest: int
  writes: int

  def may_damage(self, path: Path) -> bool:
    return "/train/train/" not in str(path)  # pictures of a set that is made: it is not looked at again

  def advice(self, line: str, folder: Path) -> Path | None:
    """What to remove by the line of a command that failed; None where it says nothing of that kind."""
    found = re.search(r"(/\S+?)[:,]? is damaged.*remove it", line) or re.search(r"remove (/[^\s;]+)$", line)
    if found and Path(found[1]).exists():
      return Path(found[1])
    return folder if "give another" in line and folder.exists() else None


def _train(place: Place) -> list[str]:
  config = place.root.parent / "config.py"
  config.write_text(_CONFIG.format(source=place.source()))
  return ["train", "--config", str(config), "--workdir", str(place.root / "train")]


def _evaluate(place: Place) -> list[str]:
  run = place.root / "run"
  if not run.exists():  # what there is to judge
    shutil.copytree(place.root / "train", run)
  more = ["--split", "all", "--workers", "0", "--jpeg-quality", "0", "--batch-size", "16"]
  return [
    "evaluate",
    "--checkpoint",
    str(run),
    "--data",
    place.source(),
    "--output",
    str(place.root / "evaluate"),
    *more,
  ]


def _prepare(name: str, *more: str) -> Callable[[Place], list[str]]:
  def words(place: Place) -> list[str]:
    output = ["--output", str(place.root / name)]
    return ["prepare", "--data", place.source(), *output, "--image-size", "32", "--workers", "0", *more]

  return words


COMMANDS = {
  command.name: command
  for command in (
    Command(
      "train", _train, r"evaluation/\w+/report.json|weights.*", r"tensorboard/.*|checkpoints/.*", 900_000, 150_000, 150
    ),
    Command("evaluate", _evaluate, ".*", "$", 900_000, 150_000, 40),
    Command("prepare", _prepare("prepare"), ".*", "$", 350_000, 80_000, 40),
    Command("generate", _prepare("generate", "--protocol", "variable"), ".*", "unfinished.*", 800_000, 30_000, 500),
  )
}


class Ended(NamedTuple):
  """How a command ended: `line` is what it said on stderr but for bars, `complaint` what is wrong with that."""

  status: int
  line: str
  seconds: float
  complaint: str | None


class Running:
  """A command that goes on, in a group of processes of its own."""

  def __init__(self, pid: int, log: Path):
    self.pid, self._log, self._began, self._status = pid, log, time.monotonic(), None

  def _ended(self) -> bool:
    if self._status is None:
      pid, status = os.waitpid(self.pid, os.WNOHANG)
      self._status = os.waitstatus_to_exitcode(status) if pid else None
    return self._status is not None

  def wait_for(self, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not self._ended() and time.monotonic() < end:
      time.sleep(0.002)

  def kill(self) -> None:
    if not self._ended():
      os.killpg(self.pid, signal.SIGKILL)

  def interrupt(self) -> None:
    if not self._ended():
      os.killpg(self.pid, signal.SIGINT)

  def wait(self) -> Ended:
    self.wait_for(_PATIENCE)
    if not self._ended():
      os.killpg(self.pid, signal.SIGKILL)
      self.wait_for(_PATIENCE)
      return Ended(-9, "", time.monotonic() - self._began, f"hangs: {self._log}")
    errors = self._log.with_suffix(".err").read_text(errors="replace")
    lines = [line for line in re.split(r"[\r\n]+", errors) if not _BARS.fullmatch(line)]
    complaint = _complain(self._status, lines, self._log.read_text(errors="replace"))
    return Ended(self._status, " / ".join(lines)[-600:], time.monotonic() - self._began, complaint)


def _complain(status: int, lines: list[str], said: str) -> str | None:
  """What is wrong with the end of a command; None if it is right."""
  if "Traceback" in said or any("Traceback" in line for line in lines):
    return "traceback: " + " / ".join(lines)[-600:]
  right = {
    0: not lines,
    1: len(lines) == 1 and lines[0].startswith("error: "),
    130: lines in (["stopped"], []),
    -9: True,
  }
  return None if right.get(status) else f"status {status}: " + " / ".join(lines)[-600:]


_count = 0


def start(place: Place, command: Command, *, dies_at: int = 0, largest: int = 0, counts: bool = False) -> Running:
  """Starts a command in a copy of this process.

  Args:
    place: where it works.
    command: to start.
    dies_at: kills itself at that event that may change a file.
    largest: bytes of a file, at most.
    counts: whether a log says how many such events there are.
  """
  global _count  # noqa: PLW0603
  _count += 1
  log, words = place.root.parent / f"log_{_count % 50}", command.words(place)
  return Running(_fork(log, lambda: _command(words, place.root, dies_at, largest, log if counts else None)), log)


def _fork(log: Path, work: Callable[[], int]) -> int:
  sys.stdout.flush()
  if pid := os.fork():
    return pid
  status = 99
  try:
    os.setsid()
    for number, file in ((1, log), (2, log.with_suffix(".err"))):
      os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    status = work()
  except BaseException:
    traceback.print_exc()
  finally:
    with open(os.devnull) as _:
      pass
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _command(words: list[str], root: Path, dies_at: int, largest: int, counted: Path | None) -> int:
  events = [0]

  def hook(event: str, arguments: tuple) -> None:
    changes = event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate")
    if event == "open" and isinstance(arguments[2], int):
      changes = bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    if changes and str(arguments[0]).startswith(str(root)):
      events[0] += 1
      if events[0] == dies_at:
        os.kill(os.getpid(), signal.SIGKILL)

  sys.addaudithook(hook)
  if largest:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
  try:
    main(words)
  except SystemExit as error:
    if counted:
      counted.with_suffix(".writes").write_text(str(events[0]))
    return error.code if isinstance(error.code, int) else 1


def differences(place: Place, command: Command, expected: dict[str, str], lenient: set[str] = frozenset()) -> Any:
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
  return [
    name
    for name in sorted(found.keys() | expected.keys())
    if name not in free and found.get(name) != expected.get(name)
  ]


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
      leaves = jax.tree.leaves(jaxdistort.load(step).variables)
      content = b"".join(np.asarray(leaf).tobytes() for leaf in leaves)
      digests[f"weights {step.name}"] = hashlib.sha256(content).hexdigest()
    print(json.dumps(digests))
    return 0

  _, status = os.waitpid(_fork(log, work), 0)
  return json.loads(log.read_text()) if not status else {"weights": log.with_suffix(".err").read_text()[-500:]}
