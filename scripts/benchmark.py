"""Measures speed on this machine.

python scripts/benchmark.py distortions
python scripts/benchmark.py training --config configs/vgg_scratch.py --batch-size 8
python scripts/benchmark.py training --config configs/vgg_transfer.py --against-full
python scripts/benchmark.py sweep --checkpoint runs/six --data folder:photos
"""

import argparse
import json
from pathlib import Path
from typing import Any

from jaxdistort import console


def parse_arguments() -> argparse.Namespace:
  parser = console.ArgumentParser(__doc__)
  commands = parser.add_subparsers(dest="command", required=True)
  distortions = commands.add_parser("distortions", help="each op and each protocol")
  distortions.add_argument("--batch-size", type=console.at_least(1), default=32)
  distortions.add_argument("--size", type=console.at_least(1), default=224, help="side of the pictures, px")
  training = commands.add_parser("training", help="a training step, and the share of the distortions in it")
  training.add_argument("--config", type=Path, default=Path("configs/vgg_scratch.py"))
  training.add_argument("--batch-size", type=console.at_least(1), default=None, help="the config's unless given")
  training.add_argument(
    "--against-full", action="store_true", help="of a transfer network: beside the step that trains all of it"
  )
  sweep = commands.add_parser("sweep", help="a severity sweep beside the sum of its parts")
  sweep.add_argument("--checkpoint", required=True, help="folder of a run, or one checkpoint")
  sweep.add_argument("--data", required=True, help="folder:PATH, samples, synthetic, tfds:NAME, prepared:DIR or a mix")
  sweep.add_argument("--distortion", default="gaussian_blur")
  sweep.add_argument("--levels", default="0.5:11:22")
  sweep.add_argument("--batch-size", type=console.at_least(1), default=64)
  for command in (distortions, training, sweep):
    command.add_argument("--seconds", type=float, default=3.0, help="measured time for each figure")
    command.add_argument("--json", type=Path, default=None, help="file for the rows")
  return parser.parse_args()


def print_row(row: dict[str, Any]) -> None:
  for name, value in row.items():
    print(f"{name:<22}{value:.4g}" if isinstance(value, float) else f"{name:<22}{value}")


def main() -> None:
  arguments = parse_arguments()
  from jaxdistort import benchmarking

  machine = benchmarking.describe_machine()
  print(", ".join(f"{name} {value}" for name, value in machine.items()))
  if arguments.command == "distortions":
    rows = benchmarking.time_distortions(
      batch_size=arguments.batch_size, size=arguments.size, seconds=arguments.seconds
    )
    for row in rows:
      low, high = row["quartiles"]
      print(f"{row['op']:<32}{row['pictures_per_second']:>9,.0f} pictures/s  (quartiles {low:,.0f} to {high:,.0f})")
  elif arguments.command == "sweep":
    from jaxdistort.evaluation import parse_sweep

    rows = [
      benchmarking.time_sweep(
        arguments.checkpoint,
        arguments.data,
        parse_sweep(arguments.distortion, arguments.levels),
        batch_size=arguments.batch_size,
        seconds=arguments.seconds,
      )
    ]
    print_row(rows[-1])
  else:
    config = console.load_config(arguments.config)
    config.batch_size = arguments.batch_size or config.batch_size
    if arguments.against_full:
      rows = benchmarking.compare_with_full_training(config, seconds=arguments.seconds)
    else:
      rows = [benchmarking.time_training(config, seconds=arguments.seconds)]
    print_row(rows[-1])
  if arguments.json:
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps([row | machine for row in rows], indent=1) + "\n")


if __name__ == "__main__":
  console.run(main)
