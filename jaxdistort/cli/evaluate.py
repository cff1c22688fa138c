"""Evaluates a trained network on clean pictures, distorted on the device by a protocol, or on a database.

jaxdistort evaluate --checkpoint runs/quickstart --data folder:photos --protocol six --output report
jaxdistort evaluate --checkpoint runs/quickstart --data live:databaserelease2 --view patches --output report
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
  parser = ArgumentParser(__doc__, prog="jaxdistort evaluate", more=lambda: describe_data(databases=True))
  add_checkpoint(parser)
  parser.add_argument(
    "--data",
    required=True,
    help="clean pictures, such as folder:photos, or a database, such as live:databaserelease2; all kinds below",
  )
  parser.add_argument("--protocol", default=None, help="six or variable; the one of the training unless given")
  parser.add_argument(
    "--view",
    action="append",
    default=None,
    help="of a database's pictures, repeatable: pad (to a square; default), center, patches (at native size), native "
    "(the same, nothing enlarged)",
  )
  parser.add_argument(
    "--output", required=True, type=output_folder, help="folder for report.html, report.json and more"
  )
  add_judging(parser, a_batch_of="distorted pictures")
  return parser.parse_args(arguments)


def main(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  from jaxdistort.data import is_database
  from jaxdistort.locking import locked

  progress = TerminalProgress()
  with progress.signals(), locked(arguments.output):
    if is_database(arguments.data):
      _evaluate_database(arguments, progress)
    else:
      _evaluate_protocol(arguments, progress)


def _evaluate_protocol(arguments: argparse.Namespace, progress: TerminalProgress) -> None:
  from jaxdistort.evaluation import evaluate_on_protocol
  from jaxdistort.reporting import format_figures, write_evaluation

  if arguments.view:
    raise InputError("--view is for databases, such as live:PATH; a protocol distorts standardised pictures")
  recogniser = load_on_all_devices(arguments.checkpoint, arguments.weights)
  with listed_broken(arguments.output, arguments.data, recogniser.image_size) as broken:
    evaluation = evaluate_on_protocol(
      recogniser,
      arguments.data,
      protocol=arguments.protocol,
      split=arguments.split or "auto",
      on_broken=broken.add,
      progress=progress,
      **judging_options(arguments),
    )
  write_evaluation(evaluation, arguments.output)
  origin = evaluation.report.origin
  print(f"{origin.checkpoint}\n{origin.data} ({origin.split} pictures), protocol {origin.protocol}")
  print(format_figures(evaluation.report.figures))
  for problem in origin.problems:
    print(f"amiss: {problem}")
  print(f"written to {arguments.output}")
  report_broken(origin.broken, broken.remarked, broken.path)


def _evaluate_database(arguments: argparse.Namespace, progress: TerminalProgress) -> None:
  from jaxdistort.data import make_output_for
  from jaxdistort.evaluation import evaluate_on_database
  from jaxdistort.reporting import format_figures, write_evaluation

  for name in ("protocol", "split"):
    if getattr(arguments, name):
      raise InputError(f"--{name} is for clean pictures; {arguments.data} is a database that is judged whole")
  make_output_for((), arguments.output)  # refused before hours of work, not behind them
  evaluation = evaluate_on_database(
    load_on_all_devices(arguments.checkpoint, arguments.weights),
    arguments.data,
    views=arguments.view or ("pad",),
    progress=progress,
    **judging_options(arguments),
  )
  write_evaluation(evaluation, arguments.output)
  origin = evaluation.report.origin
  print(f"{origin.checkpoint}\n{origin.database} ({arguments.data})")
  for view, figures in evaluation.report.views.items():
    print(f"\nview {view}\n{format_figures(figures)}")
    if figures.unlabelled:
      print(f"without a name of ours, left out: {', '.join(figures.unlabelled)}")
  for problem in origin.problems[:10]:
    print(f"amiss: {problem}")
  if len(origin.problems) > 10:
    print(f"amiss: {len(origin.problems) - 10} more; all are in {arguments.output / 'report.json'}")
  print(f"written to {arguments.output}")
