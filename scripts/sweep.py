"""Judges trained networks on clean pictures at every level of a distortion, made on the fly.

python scripts/sweep.py --checkpoint runs/six --data folder:photos --distortion gaussian_blur --levels 0.5:11:22 \\
  --output sweep
python scripts/sweep.py --checkpoint runs/six --checkpoint runs/variable --data folder:photos \\
  --distortion gaussian_blur --distortion gaussian_noise.amount --output sweep
"""

import argparse
from collections.abc import Sequence

from jaxdistort.cli import console
from jaxdistort.errors import InputError


def parse_arguments() -> argparse.Namespace:
  parser = console.ArgumentParser(__doc__)
  parser.add_argument(
    "--checkpoint",
    required=True,
    action="append",
    help="folder of a run (its best checkpoint), or one checkpoint; repeatable",
  )
  parser.add_argument("--data", required=True, help="folder:PATH, samples, synthetic, tfds:NAME, prepared:DIR or a mix")
  parser.add_argument(
    "--distortion",
    required=True,
    action="append",
    help="such as gaussian_blur (its first parameter) or gaussian_noise.density; repeatable. The other parameters "
    "have the study's constants",
  )
  parser.add_argument(
    "--levels",
    action="append",
    default=None,
    help="START:STOP:COUNT, or levels with commas between (where the first is negative: --levels=-3:3:5); one for all "
    "distortions or one for each; twelve over the parameter's range unless given",
  )
  parser.add_argument(
    "--output", required=True, type=console.output_folder, help="folder for sweep.json, sweep.png and sweep.svg"
  )
  console.add_judging_arguments(parser, a_batch_of="pictures")
  return parser.parse_args()


def levels_of(distortions: Sequence[str], levels: Sequence[str] | None) -> list[str | None]:
  """The levels of each distortion."""
  if levels is None:
    return [None] * len(distortions)
  if len(levels) == 1:
    return [levels[0]] * len(distortions)
  if len(levels) != len(distortions):
    raise InputError(f"--levels: {len(levels)} given for {len(distortions)} distortions; give one, or one for each")
  return list(levels)


def main() -> None:
  arguments = parse_arguments()
  levels = levels_of(arguments.distortion, arguments.levels)
  from jaxdistort.evaluation import format_sweep, parse_sweep, sweep_checkpoints

  report = sweep_checkpoints(
    arguments.checkpoint,
    arguments.data,
    [parse_sweep(*each) for each in zip(arguments.distortion, levels, strict=True)],
    output=arguments.output,
    split=arguments.split or "auto",
    jpeg_quality=arguments.jpeg_quality,
    batch_size=arguments.batch_size,
    workers=arguments.workers,
    weights=arguments.weights,
  )
  for sweep in report["sweeps"]:
    print(f"{format_sweep(sweep)}\n")
  print(f"{report['data']} ({report['split']} pictures); written to {arguments.output}")
  console.tell_broken(report["broken"], arguments.output)


if __name__ == "__main__":
  console.run(main)
