"""Evaluates a trained network: on clean pictures that a protocol distorts on the device, on a database, or on labelled
pictures.

jaxdistort evaluate --checkpoint runs/quickstart --data folder:photos --protocol six --output report
jaxdistort evaluate --checkpoint runs/quickstart --data live:databaserelease2 --view patches --output report
jaxdistort evaluate --checkpoint runs/quickstart --data labelled:labels.csv --output report
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
    help="clean pictures, such as folder:photos, a database, such as live:databaserelease2, or labelled pictures, "
    "labelled:FILE.csv; all kinds below",
  )
  parser.add_argument(
    "--protocol", default=None, help="that distorts clean pictures: six, variable, wild, ...; the training's by default"
  )
  parser.add_argument(
    "--view",
    action="append",
    default=None,
    help="of a database's pictures, or labelled ones, repeatable: pad (to a square; default of databases), center, "
    "patches (at native size), native (the same, nothing enlarged), viewing (as a "
    "recogniser looks at them); the network's own is the default of labelled ones",
  )
  parser.add_argument(
    "--output", required=True, type=output_folder, help="folder for report.html, report.json and more"
  )
  add_judging(parser, a_batch_of="distorted pictures")
  return parser.parse_args(arguments)


def main(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  from jaxdistort.data import is_database, is_labelled
  from jaxdistort.locking import locked

  progress = TerminalProgress()
  with progress.signals(), locked(arguments.output):
    if is_database(arguments.data) or is_labelled(arguments.data):
      _evaluate_as_they_are(arguments, progress)
    else:
      _evaluate_protocol(arguments, progress)


def _evaluate_protocol(arguments: argparse.Namespace, progress: TerminalProgress) -> None:
  from jaxdistort.evaluation import evaluate_on_protocol
  from jaxdistort.reporting import format_figures, write_evaluation

  if arguments.view:
    raise InputError(
      "--view is for databases, such as live:PATH, and labelled pictures; a protocol distorts standardised pictures"
    )
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


def _evaluate_as_they_are(arguments: argparse.Namespace, progress: TerminalProgress) -> None:
  """On a database, or on labelled pictures: nothing is distorted."""
  from jaxdistort.data import is_labelled, make_output_for
  from jaxdistort.evaluation import evaluate_on_database, evaluate_on_labelled
  from jaxdistort.reporting import format_figures, write_evaluation

  labelled = is_labelled(arguments.data)
  for name in ("protocol", "split"):
    if getattr(arguments, name):
      what = "are labelled pictures that are all judged" if labelled else "is a database that is judged whole"
      raise InputError(f"--{name} is for clean pictures; {arguments.data} {what}")
  make_output_for((), arguments.output)  # refused before hours of work, not behind them
  recogniser = load_on_all_devices(arguments.checkpoint, arguments.weights)
  judge, views = (evaluate_on_labelled, ()) if labelled else (evaluate_on_database, ("pad",))
  options = judging_options(arguments)
  evaluation = judge(recogniser, arguments.data, views=arguments.view or views, progress=progress, **options)
  write_evaluation(evaluation, arguments.output)
  origin = evaluation.report.origin
  print(f"{origin.checkpoint}\n{origin.database} ({arguments.data})")
  for view, figures in evaluation.report.views.items():
    print(f"\nview {view}\n{format_figures(figures)}")
    if unlabelled := getattr(figures, "unlabelled", ()):
      print(f"without a name of ours, left out: {', '.join(unlabelled)}")
  for problem in origin.problems[:10]:
    print(f"amiss: {problem}")
  if len(origin.problems) > 10:
    print(f"amiss: {len(origin.problems) - 10} more; all are in {arguments.output / 'report.json'}")
  print(f"written to {arguments.output}")
