"""Judges trained networks on clean pictures at every level of a distortion, made on the fly.

jaxdistort sweep --checkpoint runs/six --data folder:photos --distortion gaussian_blur --levels 0.5:11:22 \\
  --output sweep
jaxdistort sweep --checkpoint runs/six --checkpoint runs/variable --data folder:photos \\
  --distortion gaussian_blur --distortion gaussian_noise.amount --output sweep
"""

import argparse
from collections.abc import Sequence

from jaxdistort.cli.arguments import (
  ArgumentParser,
  add_checkpoint,
  add_judging,
  describe_data,
  judging_options,
  load_on_all_devices,
  output_folder,
)
from jaxdistort.cli.broken import listed_broken, report_broken
from jaxdistort.cli.terminal import TerminalProgress
from jaxdistort.errors import InputError


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort sweep", more=describe_data)
  add_checkpoint(parser, repeatable=True)
  parser.add_argument("--data", required=True, help="clean pictures, such as folder:photos; all kinds below")
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
    "--output", required=True, type=output_folder, help="folder for sweep.json, sweep.png and sweep.svg"
  )
  add_judging(parser, a_batch_of="pictures")
  return parser.parse_args(arguments)


def levels_of(distortions: Sequence[str], levels: Sequence[str] | None) -> list[str | None]:
  """The levels of each distortion."""
  if levels is None:
    return [None] * len(distortions)
  if len(levels) == 1:
    return [levels[0]] * len(distortions)
  if len(levels) != len(distortions):
    raise InputError(f"--levels: {len(levels)} given for {len(distortions)} distortions; give one, or one for each")
  return list(levels)


def main(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  levels = levels_of(arguments.distortion, arguments.levels)
  from jaxdistort.evaluation import format_sweep, parse_sweep, sweep_networks
  from jaxdistort.locking import locked
  from jaxdistort.reporting import write_sweep

  sweeps = [parse_sweep(*each) for each in zip(arguments.distortion, levels, strict=True)]
  networks = [load_on_all_devices(checkpoint, arguments.weights) for checkpoint in arguments.checkpoint]
  progress = TerminalProgress()
  output = arguments.output
  with progress.signals(), locked(output), listed_broken(output, arguments.data, networks[0].image_size) as broken:
    report = sweep_networks(
      networks,
      arguments.data,
      sweeps,
      split=arguments.split or "auto",
      on_broken=broken.add,
      progress=progress,
      **judging_options(arguments),
    )
    write_sweep(report | {"broken": len(broken)}, output)
  for sweep in report["sweeps"]:
    print(f"{format_sweep(sweep)}\n")
  print(f"{report['data']} ({report['split']} pictures); written to {output}")
  report_broken(len(broken), broken.remarked, broken.path)
