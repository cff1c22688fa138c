"""Judges trained networks on clean pictures at every level of a distortion, made on the fly.

python scripts/sweep.py --checkpoint runs/six --data folder:photos --distortion gaussian_blur --levels 0.5:11:22 \\
  --output sweep
python scripts/sweep.py --checkpoint runs/six --checkpoint runs/variable --data folder:photos \\
  --distortion gaussian_blur --distortion gaussian_noise.amount --output sweep
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from jaxdistort import console
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
    help="START:STOP:COUNT, or levels with commas between; one for all distortions or one for each; twelve over the "
    "parameter's range unless given",
  )
  parser.add_argument("--output", required=True, type=Path, help="folder for sweep.json, sweep.png and sweep.svg")
  parser.add_argument(
    "--split",
    choices=("auto", "all", "train", "validation", "test"),
    default="auto",
    help="auto (default): all pictures; the test pictures if a network was trained on any of --data",
  )
  parser.add_argument(
    "--jpeg-quality", type=int, default=None, help="of the last step; 0: no JPEG; as trained unless given"
  )
  parser.add_argument("--batch-size", type=console.at_least(1), default=64, help="pictures a batch")
  parser.add_argument("--workers", type=console.at_least(0), default=None, help="decoding processes; 0: threads")
  parser.add_argument(
    "--weights", default=None, help="of the base of a transfer network, if they are not where the training had them"
  )
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
    split=arguments.split,
    jpeg_quality=arguments.jpeg_quality,
    batch_size=arguments.batch_size,
    workers=arguments.workers,
    weights=arguments.weights,
  )
  for sweep in report["sweeps"]:
    print(f"{format_sweep(sweep)}\n")
  print(f"{report['data']} ({report['split']} pictures); written to {arguments.output}")
  if report["broken"]:
    print(
      f"{report['broken']} pictures could not be read and were left out: {arguments.output / 'broken_pictures.jsonl'}"
    )


if __name__ == "__main__":
  console.run(main)
