"""Evaluates a trained network on clean pictures, distorted on the device by a protocol, or on a database.

python scripts/evaluate.py --checkpoint runs/quickstart --data folder:photos --protocol six --output report
python scripts/evaluate.py --checkpoint runs/quickstart --data live:databaserelease2 --view patches --output report
"""

import argparse

from jaxdistort.cli import console
from jaxdistort.errors import InputError


def parse_arguments() -> argparse.Namespace:
  parser = console.ArgumentParser(__doc__)
  parser.add_argument("--checkpoint", required=True, help="folder of a run (its best checkpoint), or one checkpoint")
  parser.add_argument(
    "--data",
    required=True,
    help="folder:PATH, samples, synthetic, tfds:NAME, prepared:DIR or a mix; or a database: live:PATH, tid2008:PATH, "
    "tid2013:PATH, csiq:PATH, kadid10k:PATH",
  )
  parser.add_argument("--protocol", default=None, help="six or variable; the one of the training unless given")
  parser.add_argument(
    "--view",
    action="append",
    default=None,
    help="of a database's pictures, repeatable: pad (to a square; default), center, patches (at native size)",
  )
  parser.add_argument(
    "--output", required=True, type=console.output_folder, help="folder for report.html, report.json and more"
  )
  console.add_judging_arguments(parser, a_batch_of="distorted pictures")
  return parser.parse_args()


def main() -> None:
  arguments = parse_arguments()
  from jaxdistort.data import is_database
  from jaxdistort.evaluation import evaluate_checkpoint, format_report

  if is_database(arguments.data):
    evaluate_database(arguments)
    return
  if arguments.view:
    raise InputError("--view is for databases, such as live:PATH; a protocol distorts standardised pictures")
  report = evaluate_checkpoint(
    arguments.checkpoint,
    arguments.data,
    output=arguments.output,
    protocol=arguments.protocol,
    split=arguments.split or "auto",
    jpeg_quality=arguments.jpeg_quality,
    batch_size=arguments.batch_size,
    workers=arguments.workers,
    weights=arguments.weights,
  )
  print(f"{report['checkpoint']}\n{report['data']} ({report['split']} pictures), protocol {report['protocol']}")
  print(format_report(report))
  print(f"written to {arguments.output}")
  console.tell_broken(report["broken"], arguments.output)


def evaluate_database(arguments: argparse.Namespace) -> None:
  from jaxdistort.evaluation import evaluate_on_database, format_report

  for name in ("protocol", "split"):
    if getattr(arguments, name):
      raise InputError(f"--{name} is for clean pictures; {arguments.data} is a database that is judged whole")
  report = evaluate_on_database(
    arguments.checkpoint,
    arguments.data,
    output=arguments.output,
    views=tuple(arguments.view or ("pad",)),
    jpeg_quality=arguments.jpeg_quality,
    batch_size=arguments.batch_size,
    workers=arguments.workers,
    weights=arguments.weights,
  )
  print(f"{report['checkpoint']}\n{report['database']} ({arguments.data})")
  for view, figures in report.get("views", {report.get("view"): report}).items():
    print(f"\nview {view}\n{format_report(figures)}")
    if figures["unlabelled"]:
      print(f"without a class, left out: {', '.join(figures['unlabelled'])}")
  for problem in report["problems"][:10]:
    print(f"amiss: {problem}")
  if len(report["problems"]) > 10:
    print(f"amiss: {len(report['problems']) - 10} more; all are in {arguments.output / 'report.json'}")
  print(f"written to {arguments.output}")


if __name__ == "__main__":
  console.run(main)
