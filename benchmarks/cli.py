"""Measures speed on this machine.

python scripts/benchmark.py distortions --jhlabs filters-2.0.235.jar --imagecorruptions PYTHON --json rows.json
python scripts/benchmark.py training --config configs/vgg_scratch.py --batch-size 8
python scripts/benchmark.py training --config configs/vgg_transfer.py --against-full
python scripts/benchmark.py training --config configs/compact.py --placements --data folder:photos
python scripts/benchmark.py training --config configs/quickstart.py --set-sizes 1000 100000
python scripts/benchmark.py inference --config configs/compact.py
python scripts/benchmark.py networks --network compact --size 96
python scripts/benchmark.py input --data folder:photos
python scripts/benchmark.py sweep --checkpoint runs/six --data folder:photos

python scripts/benchmark.py accelerator --output accelerator

The distortions are timed beside kornia, OpenCV and albumentations, and VGG16's step beside PyTorch's, where those are
installed (pip install 'jaxdistort[bench]'); JH Labs' filters where their jar (com.jhlabs:filters 2.0.235) and Java are;
imagecorruptions where there is a Python that has it.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from jaxdistort.cli import console
from jaxdistort.cli.arguments import ArgumentParser, at_least
from jaxdistort.cli.config_file import load_config
from jaxdistort.errors import InputError

_DATA = "folder:PATH, samples, synthetic, tfds:NAME, prepared:DIR, cuts:PATH or a mix"
_HOW_TO_LOOK = (
  "trace in {0}: tensorboard --logdir {0} (with the package xprof, under Profile), or perfetto_trace.json.gz below it "
  "in Perfetto's page"
)


def parse_arguments(words: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="benchmark.py")
  commands = parser.add_subparsers(dest="command", required=True)
  distortions = commands.add_parser("distortions", help="each op and each protocol, beside other libraries")
  distortions.add_argument("--batch-size", type=at_least(1), default=32)
  distortions.add_argument("--size", type=at_least(1), default=224, help="side of the pictures, px")
  jar = os.environ.get("JHLABS_JAR")
  distortions.add_argument(
    "--jhlabs", type=Path, default=Path(jar) if jar else None, help="jar of JH Labs' filters; or set JHLABS_JAR"
  )
  distortions.add_argument(
    "--imagecorruptions", type=Path, default=None, metavar="PYTHON", help="a Python that has imagecorruptions 1.1.2"
  )
  training = commands.add_parser("training", help="a training step, and the share of distortion and data in it")
  _add_config(training, "configs/vgg_scratch.py")
  training.add_argument("--batch-size", type=at_least(1), default=None, help="the config's unless given")
  training.add_argument("--data", default=None, help=f"{_DATA}; the config's unless given")
  training.add_argument(
    "--against-full", action="store_true", help="of a transfer network: beside the step that trains all of it"
  )
  training.add_argument(
    "--placements", action="store_true", help="fed by the host beside from device memory, in place of the step alone"
  )
  training.add_argument(
    "--set-sizes", type=at_least(1), nargs="+", default=None, help="by number of pictures in device memory"
  )
  inference = commands.add_parser("inference", help="a network's answers, without and with the JPEG step")
  _add_config(inference, "configs/vgg_scratch.py")
  inference.add_argument("--checkpoint", default=None, help="a trained network in place of --config's random weights")
  inference.add_argument("--batch-size", type=at_least(1), default=64)
  networks = commands.add_parser("networks", help="the same network here, in PyTorch and in ONNX Runtime, on CPU")
  networks.add_argument("--network", choices=("compact", "vgg_scratch"), default="compact")
  networks.add_argument("--batch-size", type=at_least(1), default=32)
  networks.add_argument("--size", type=at_least(32), default=224, help="side of the pictures, px")
  loading = commands.add_parser("input", help="clean pictures, by number of workers, and their transfer to the device")
  loading.add_argument("--data", required=True, help=_DATA)
  loading.add_argument("--batch-size", type=at_least(1), default=64)
  loading.add_argument("--size", type=at_least(1), default=224, help="side of the pictures, px")
  loading.add_argument(
    "--workers", type=at_least(0), action="append", help="decoding processes, 0: threads; repeatable"
  )
  sweep = commands.add_parser("sweep", help="a severity sweep beside the sum of its parts")
  sweep.add_argument("--checkpoint", required=True, help="folder of a run, or one checkpoint")
  sweep.add_argument("--data", required=True, help=_DATA)
  sweep.add_argument("--distortion", default="gaussian_blur")
  sweep.add_argument("--levels", default="0.5:11:22")
  sweep.add_argument("--batch-size", type=at_least(1), default=64)
  for command in (distortions, training, inference, networks, loading, sweep):
    _add_common(command)
  return parser.parse_args(words)


def _add_config(command: argparse.ArgumentParser, default: str) -> None:
  command.add_argument("--config", type=Path, default=Path(default))


def _add_common(command: argparse.ArgumentParser) -> None:
  command.add_argument("--seconds", type=_seconds, default=3.0, help="measured time for each figure")
  command.add_argument("--rounds", type=at_least(1), default=5, help="turns that the contenders take")
  command.add_argument("--json", type=Path, default=None, help="file for the rows")
  command.add_argument(
    "--profile", type=Path, default=None, help="folder for a trace (TensorBoard, Perfetto) of some more calls"
  )


def _seconds(text: str) -> float:
  try:
    seconds = float(text)
  except ValueError:
    seconds = -1.0
  if not 0 <= seconds < float("inf"):
    raise argparse.ArgumentTypeError(f"expected a number of at least 0, got {text!r}")
  return seconds


def main(words: Sequence[str] | None = None) -> NoReturn:
  """Runs a command and ends the process.

  Args:
    words: of the command line, without the program's name; `sys.argv`'s if None.
  """
  console.run(lambda: dispatch(sys.argv[1:] if words is None else words))


def dispatch(words: Sequence[str]) -> None:
  """Runs the command that the words name."""
  if words[:1] == ["accelerator"]:
    from benchmarks.accelerator import run

    run(words[1:])
  else:
    _measure(words)


def _is_without_trace(arguments: argparse.Namespace) -> bool:
  if arguments.command == "training":
    return bool(arguments.placements or arguments.set_sizes)
  return arguments.command in ("sweep", "networks")


def _measure(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  if arguments.profile and _is_without_trace(arguments):
    raise InputError("--profile: sweeps, networks, placements and set sizes have no calls of their own to trace")
  from benchmarks.timing import Stopwatch, describe_machine

  machine = describe_machine()
  print(", ".join(f"{name} {value}" for name, value in _flat(machine).items()))
  watch = Stopwatch(arguments.seconds, arguments.rounds, arguments.profile)
  rows = _COMMANDS[arguments.command](arguments, watch)
  if arguments.profile:
    print(_HOW_TO_LOOK.format(arguments.profile))
  if arguments.json:
    from jaxdistort.files import write_json

    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    write_json(arguments.json, [machine | row for row in rows])


def _distortions(arguments: argparse.Namespace, watch: Any) -> list[dict[str, Any]]:
  from benchmarks.distortions import time_distortions
  from benchmarks.peers import PEERS
  from benchmarks.tables import format_table, summarise

  rows, missing = time_distortions(
    watch,
    batch_size=arguments.batch_size,
    size=arguments.size,
    jar=arguments.jhlabs,
    interpreter=arguments.imagecorruptions,
    tell=_tell_op,
  )
  print()
  print(format_table(rows))
  print(*filter(None, [summarise(rows, PEERS), *missing]), sep="\n")
  return rows


def _tell_op(rows: list[dict[str, Any]]) -> None:
  """Shows that something goes on."""
  print(f"{rows[0]['op']:<42}" + "  ".join(f"{r['library']} {r['pictures_per_second']:,.0f}" for r in rows), flush=True)


def _training(arguments: argparse.Namespace, watch: Any) -> list[dict[str, Any]]:
  from benchmarks.training import compare_with_full_training, time_training

  config = load_config(arguments.config)
  config.batch_size = arguments.batch_size or config.batch_size
  missing = []
  if arguments.placements or arguments.set_sizes:
    from benchmarks.placements import time_placements, time_set_sizes

    sizes = arguments.set_sizes
    measure = partial(time_set_sizes, counts=sizes) if sizes else time_placements
    rows = measure(config, watch, data=arguments.data)
  elif arguments.against_full:
    rows = compare_with_full_training(config, watch, data=arguments.data)
  else:
    rows, missing = time_training(config, watch, data=arguments.data)
  _print_rows(rows, missing)
  return rows


def _inference(arguments: argparse.Namespace, watch: Any) -> list[dict[str, Any]]:
  from benchmarks.inference import time_inference

  config = None if arguments.checkpoint else load_config(arguments.config)
  rows = time_inference(watch, batch_size=arguments.batch_size, config=config, checkpoint=arguments.checkpoint)
  _print_rows(rows)
  return rows


def _networks(arguments: argparse.Namespace, watch: Any) -> list[dict[str, Any]]:
  from benchmarks.networks import time_networks

  rows, missing = time_networks(watch, arguments.network, size=arguments.size, batch_size=arguments.batch_size)
  _print_rows(rows, missing)
  return rows


def _input(arguments: argparse.Namespace, watch: Any) -> list[dict[str, Any]]:
  from benchmarks.input import default_worker_counts, time_input

  workers = arguments.workers or default_worker_counts()
  rows = time_input(arguments.data, watch, batch_size=arguments.batch_size, size=arguments.size, workers=workers)
  _print_rows(rows)
  return rows


def _sweep(arguments: argparse.Namespace, watch: Any) -> list[dict[str, Any]]:
  from benchmarks.sweep import time_sweep
  from jaxdistort.evaluation import parse_sweep

  sweep = parse_sweep(arguments.distortion, arguments.levels)
  row = time_sweep(arguments.checkpoint, arguments.data, sweep, batch_size=arguments.batch_size, seconds=watch.seconds)
  _print_rows([row])
  return [row]


_COMMANDS = {
  "distortions": _distortions,
  "training": _training,
  "inference": _inference,
  "networks": _networks,
  "input": _input,
  "sweep": _sweep,
}


def _print_rows(rows: list[dict[str, Any]], lines: list[str] | None = None) -> None:
  from benchmarks.tables import format_table

  for row in rows:
    print()
    for name, value in _flat(row).items():
      print(f"{name:<28}{value}")
  print()
  print(format_table(rows))
  print(*lines or [], sep="\n", end="\n" if lines else "")


def _flat(row: dict[str, Any]) -> dict[str, str]:
  """Values as a person reads them."""
  flat = {}
  for name, value in row.items():
    if isinstance(value, dict):
      flat |= _flat(value)
    elif isinstance(value, list):
      flat[name] = " to ".join(f"{v:.4g}" for v in value)
    else:
      flat[name] = f"{value:.4g}" if isinstance(value, float) else str(value)
  return flat
