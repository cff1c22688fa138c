"""An accelerator's figures in one command of some minutes: what a run costs, then VGG16 trained from scratch.

python benchmarks/accelerator.py --output accelerator --data folder:photos
python benchmarks/accelerator.py --output accelerator --only training --only distortions
python benchmarks/accelerator.py --output accelerator --data folder:photos --only six --only variable --rate 3000

Needs nothing from the network, and of the packages only JAX, Flax, Optax, Orbax, Pillow, SciPy, safetensors, Matplotlib
and Jinja2; pictures are decoded in threads. Into --output go rows.json, and for each protocol the curves (CSV, PNG) and
the reports (JSON) of its run, all written as they come: a run that is killed leaves what it had. First comes what is
measured, in the order of --only's choices and within the first half of --minutes, then the training runs. The training
step is measured beside PyTorch's where that is installed.
"""

import argparse
import dataclasses
import faulthandler
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_ROOT = Path(__file__).resolve().parents[1]
MEASURED = ("training", "distortions", "placements", "inference", "set-sizes", "input")
RUNS = ("six", "variable")
_SHARE_MEASURED = 0.5  # of the time, after which nothing more is measured before the training runs begin
_SHARE_BESIDE = 0.35  # of the time, at most, for the training step beside PyTorch's
_FOR_EVALUATION = 35.0  # s, kept behind each training run
_FOR_START = 30.0  # s of a run that are no steps, beside the compilation of its step
_EVALUATIONS = 8  # of a training run
_OF_STEPS = 0.85  # of a run's time; the rest is validations and checkpoints


class Sizes(NamedTuple):
  """How large everything is.

  Attributes:
    config: of the network that is trained.
    small: of a smaller one, for what only the size of the set decides.
    seconds, rounds: of the stopwatch.
    batch_size: of distortions and inference.
    distortions: names.
    counts: of pictures in device memory.
  """

  config: Any
  small: Any
  seconds: float
  rounds: int
  batch_size: int
  distortions: tuple[str, ...]
  counts: tuple[int, ...]


def parse_arguments(words: Sequence[str]) -> argparse.Namespace:
  from jaxdistort.cli.arguments import ArgumentParser, output_folder

  parser = ArgumentParser(__doc__, prog="accelerator.py")
  parser.add_argument("--output", type=output_folder, required=True, help="folder for the rows, curves and reports")
  parser.add_argument("--data", default=None, help="clean pictures: folder:PATH, prepared:DIR; samples unless given")
  parser.add_argument("--minutes", type=_minutes, default=8.75, help="that all of it may take, at most")
  parser.add_argument("--only", action="append", choices=(*MEASURED, *RUNS), default=None, help="repeatable")
  parser.add_argument("--runs", type=output_folder, default=None, help="folder to keep the training runs in")
  parser.add_argument(
    "--rate", type=float, default=None, help="pictures/s of training, for its learning rate, where it is not measured"
  )
  parser.add_argument("--beside-pytorch", action="store_true", help=argparse.SUPPRESS)
  parser.add_argument("--toy", action="store_true", help="everything small, to see that it works: on CPU")
  return parser.parse_args(words)


def _minutes(text: str) -> float:
  try:
    minutes = float(text)
  except ValueError:
    minutes = 0.0
  if not 0 < minutes < 24 * 60:
    raise argparse.ArgumentTypeError(f"expected a number of minutes above 0, got {text!r}")
  return minutes


def run(words: Sequence[str]) -> None:
  """Measures and trains as the words of a command line say."""
  start = time.monotonic()
  arguments = parse_arguments(words)
  faulthandler.dump_traceback_later(arguments.minutes * 60, exit=True, file=2)  # whatever hangs, it ends in time
  try:
    with tempfile.TemporaryDirectory(prefix="runs") as folder:
      _run_all(arguments, start, arguments.runs or Path(folder))
  finally:
    faulthandler.cancel_dump_traceback_later()


def _run_all(arguments: argparse.Namespace, start: float, runs: Path) -> None:
  wanted, seconds = arguments.only or (*MEASURED, *RUNS), arguments.minutes * 60
  beside = None
  if "training" in wanted and importlib.util.find_spec("torch") and not arguments.beside_pytorch:
    beside = _beside_pytorch(arguments, seconds * _SHARE_BESIDE)  # before this process holds the device
  from absl import logging

  from benchmarks.journal import Journal
  from benchmarks.timing import describe_machine, source_at_hand

  logging.set_verbosity(logging.FATAL)  # Orbax tells much of every checkpoint
  machine = describe_machine()
  print(", ".join(f"{name} {value}" for name, value in machine.items()), flush=True)
  journal = Journal(arguments.output, machine)
  sizes = toy_sizes() if arguments.toy else full_sizes()
  data = arguments.data or source_at_hand()
  phases = measured_phases(journal, sizes, data, pytorch=arguments.beside_pytorch)
  if beside is not None:
    journal.attempt("training", lambda: beside)
    if any("step_seconds" in row for row in beside):
      del phases["training"]
  trained = [name for name in RUNS if name in wanted]
  half = start + (_SHARE_MEASURED if trained else 1) * seconds
  for name in (name for name in MEASURED if name in wanted and name in phases):
    if time.monotonic() < half:
      journal.attempt(name, phases[name])
    else:
      journal.skip(name, "the time for it was over")
  for place, name in enumerate(trained):
    own = (start + seconds - time.monotonic()) / (len(trained) - place)  # what is left, in equal parts
    finish = time.monotonic() + own - _FOR_EVALUATION * (not arguments.toy)
    config = config_of_run(journal.rows, sizes, data, name, finish, arguments.rate)
    journal.attempt(name, lambda c=config, f=finish: _train(c, f, runs, arguments.output))
  print(f"\n{time.monotonic() - start:.0f} s; written to {arguments.output}")


def _beside_pytorch(arguments: argparse.Namespace, seconds: float) -> list[dict[str, Any]]:
  """Rows of the training step beside PyTorch's, from a process of its own: where one of two libraries on a device ends
  it, or takes too long, the rest goes on."""
  options = ["--only", "training", "--beside-pytorch", "--minutes", str(seconds / 60), *["--toy"] * arguments.toy]
  options += ["--data", arguments.data] if arguments.data else []
  memory = {"XLA_PYTHON_CLIENT_MEM_FRACTION": "0.6"}  # of the device's; PyTorch needs some too
  with tempfile.TemporaryDirectory(prefix="beside") as folder:
    command = [sys.executable, __file__, "--output", folder, *options]
    status = subprocess.run(command, env=memory | os.environ, check=False).returncode
    file = Path(folder, "rows.json")
    rows = json.loads(file.read_text()) if file.exists() else []
  if status:
    rows.append({"op": "training step beside PyTorch's", "failed": f"its process ended with status {status}"})
  return rows


def full_sizes() -> Sizes:
  """Those of the study: VGG16, 224 px, batches of 128."""
  from jaxdistort.cli.config_file import load_config
  from jaxdistort.distortions import PAPER

  config, small = (load_config(_ROOT / "configs" / f"{name}.py") for name in ("vgg_scratch", "quickstart"))
  config = dataclasses.replace(config, batch_size=128)
  return Sizes(_in_threads(config), _in_threads(small), 1.5, 3, 256, tuple(PAPER.entries), (1000, 100_000))


def toy_sizes() -> Sizes:
  """Seconds on CPU."""
  from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig

  config = TrainConfig(
    data=DataConfig(image_size=32),
    protocol=ProtocolConfig(jpeg_quality=0),
    model=ModelConfig(name="compact"),
    optimizer=OptimizerConfig(learning_rate=1e-3),
    batch_size=16,
    steps=4,
    evaluate_every=2,
    log_every=1,
    steps_per_dispatch=2,  # several steps in one program, as on an accelerator
  )
  return Sizes(_in_threads(config), _in_threads(config), 0.0, 1, 16, ("gaussian_blur",), (16, 32))


def _in_threads(config: Any) -> Any:
  return dataclasses.replace(config, data=dataclasses.replace(config.data, workers=0))


def measured_phases(
  journal: Any, sizes: Sizes, data: str, *, pytorch: bool = False
) -> dict[str, Callable[[], list[dict[str, Any]]]]:
  """What each of `MEASURED` does; `pytorch`: whether the training step is measured beside PyTorch's."""
  from benchmarks.distortions import time_distortions
  from benchmarks.inference import time_inference
  from benchmarks.input import time_input
  from benchmarks.placements import time_placements, time_set_sizes
  from benchmarks.timing import Stopwatch
  from benchmarks.training import time_training

  watch, config, batch, size = Stopwatch(sizes.seconds, sizes.rounds), sizes.config, sizes.batch_size, sizes.config.data

  def distortions() -> list[dict[str, Any]]:
    rows, _ = time_distortions(
      watch,
      batch_size=batch,
      size=size.image_size,
      distortions=sizes.distortions,
      tell=lambda rows: journal.draft("distortions", rows),
    )
    return rows

  return {
    "training": lambda: time_training(config, watch, data=data, pytorch=pytorch)[0],
    "distortions": distortions,
    "placements": lambda: time_placements(config, watch, data=data),
    "inference": lambda: time_inference(watch, batch_size=batch, config=config, data=data),
    "set-sizes": lambda: time_set_sizes(sizes.small, watch, sizes.counts, data=data),
    "input": lambda: time_input(data, watch, batch_size=config.batch_size, size=size.image_size, workers=[0]),
  }


def config_of_run(rows: list[dict[str, Any]], sizes: Sizes, data: str, protocol: str, end: float, rate: float | None):
  """The config of a run in a protocol that ends at `end`; with a cosine to its last step where the speed is known."""
  from benchmarks.runs import with_data
  from benchmarks.timed_run import with_steps_for

  config = with_data(sizes.config, data)
  config = dataclasses.replace(config, protocol=dataclasses.replace(config.protocol, name=protocol))
  measured = next((row for row in rows if row["phase"] == "training" and "step_seconds" in row), {})
  rate = rate or measured.get("pictures_per_second")
  if rate and sizes.seconds:
    left = end - time.monotonic() - _FOR_START - measured.get("compile_seconds", _FOR_START)
    config = with_steps_for(config, max(0.0, left) * _OF_STEPS, rate, _EVALUATIONS)
  return config


def _train(config: Any, end: float, runs: Path, output: Path) -> list[dict[str, Any]]:
  from benchmarks.timed_run import train_until

  return train_until(config, end, runs / config.protocol.name, output)


if __name__ == "__main__":
  sys.path[0] = str(_ROOT)  # in place of this folder, whose modules have common names
  from jaxdistort.cli import console

  console.run(lambda: run(sys.argv[1:]))
