"""Fits a linear probe on the features of any network, and sets it beside what the network itself says.

jaxdistort probe --checkpoint runs/pairs --data folder:photos --protocol pairs --output report

Distorted pictures of the training split are drawn; on the mean of the network's last map a logistic regression a kind
is fitted (scikit-learn's MultiOutputClassifier), and judged on other pictures. The network stays as it is.
"""

import argparse
from collections.abc import Sequence

from jaxdistort.cli.arguments import (
  ArgumentParser,
  add_checkpoint,
  add_judging,
  at_least,
  describe_data,
  judging_options,
  load_on_all_devices,
  output_folder,
)
from jaxdistort.cli.broken import listed_broken, report_broken
from jaxdistort.cli.terminal import TerminalProgress
from jaxdistort.errors import InputError


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort probe", more=describe_data)
  add_checkpoint(parser)
  parser.add_argument("--data", required=True, help="clean pictures, such as folder:photos; all kinds below")
  parser.add_argument(
    "--protocol", default=None, help="of any kinds, such as pairs or wild; the one of the training unless given"
  )
  parser.add_argument(
    "--pictures", type=at_least(1), default=5000, help="distorted pictures of the training split to fit on; 5000"
  )
  parser.add_argument(
    "--output", required=True, type=output_folder, help="folder for probe.safetensors and report.json"
  )
  add_judging(parser, a_batch_of="distorted pictures", splits=("auto", "validation", "test"))
  return parser.parse_args(arguments)


def main(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  from jaxdistort.data import is_database
  from jaxdistort.evaluation import probe_network
  from jaxdistort.locking import locked
  from jaxdistort.reporting import format_probe, write_probe

  output, progress = arguments.output, TerminalProgress()
  if is_database(arguments.data):
    raise InputError(f"--data {arguments.data}: is a database; give clean pictures, such as folder:photos")
  with progress.signals(), locked(output):
    recogniser = load_on_all_devices(arguments.checkpoint, arguments.weights)
    with listed_broken(output, arguments.data, recogniser.image_size) as broken:
      report = probe_network(
        recogniser,
        arguments.data,
        protocol=arguments.protocol,
        split=arguments.split or "auto",
        count=arguments.pictures,
        on_broken=broken.add,
        progress=progress,
        **judging_options(arguments),
      )
    write_probe(report, output)
  origin = report.origin
  print(f"{origin.checkpoint}\n{origin.data} ({origin.split} pictures), protocol {origin.protocol}")
  print(format_probe(report))
  for problem in origin.problems:
    print(f"amiss: {problem}")
  for remark in report.remarks:
    print(f"note: {remark}")
  print(f"written to {output}")
  report_broken(origin.broken, broken.remarked, broken.path)
