"""Says what is wrong with all pictures below a folder, in a table.

jaxdistort scan photos/ --output answers.csv

A row a picture, written as soon as it is known. The same command goes on where it was stopped; on a finished table it
looks at new and changed files alone.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from jaxdistort.cli.arguments import ArgumentParser, at_least, output_file
from jaxdistort.cli.terminal import TerminalProgress


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort scan")
  parser.add_argument("folder", type=Path, metavar="DIR", help="folder of pictures, with all below it")
  parser.add_argument(
    "--output", type=output_file, required=True, help="table, .csv or .jsonl; gone on with if it is there"
  )
  parser.add_argument(
    "--checkpoint", default=None, help="run, checkpoint or model file; the weights of the package unless given"
  )
  parser.add_argument("--workers", type=at_least(1), default=None, help="threads that decode; as many as processors")
  return parser.parse_args(arguments)


def main(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  from jaxdistort.errors import printable
  from jaxdistort.inference import load
  from jaxdistort.scanning import FORMATS, scan

  FORMATS.find(arguments.output.suffix, f"table {arguments.output}: suffix")
  progress = TerminalProgress()
  recogniser = load(arguments.checkpoint)
  workers = arguments.workers or os.cpu_count() or 1
  with progress.signals():
    done = scan(recogniser, arguments.folder, arguments.output, workers=workers, progress=progress)
  for remark in done.left_out:
    print(printable(remark), file=sys.stderr)
  broken = f", {done.broken} of which could not be read" if done.broken else ""
  print(printable(f"{done.judged} pictures judged{broken}; {done.pictures} in {arguments.output}"))
