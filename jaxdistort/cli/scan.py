"""Says what is wrong with all pictures below a folder, in a table.

jaxdistort scan photos/ --output answers.csv

A row a picture, written as soon as it is known. The same command goes on where it was stopped; on a finished table it
looks at new and changed files alone. --shard 3/16 judges the third of sixteen parts, for as many machines.
"""

import argparse
import os
from collections.abc import Sequence

from jaxdistort.cli.arguments import ArgumentParser, add_recogniser, at_least, output_file, output_folder
from jaxdistort.cli.listed import complain
from jaxdistort.cli.terminal import TerminalProgress


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort scan")
  parser.add_argument("folder", metavar="DIR", help="folder of pictures, with all below it; or its URL (s3://, ...)")
  parser.add_argument(
    "--output", type=output_file, required=True, help="table, .csv, .jsonl or .parquet; gone on with if it is there"
  )
  add_recogniser(parser)
  parser.add_argument("--shard", type=_shard, default=(1, 1), metavar="K/N", help="the K-th of N parts of the pictures")
  parser.add_argument(
    "--sort-into", type=output_folder, default=None, metavar="DIR", help="link the pictures there by what was found"
  )
  parser.add_argument(
    "--report", type=output_file, default=None, metavar="HTML", help="page on what is found, with the worst pictures"
  )
  parser.add_argument("--workers", type=at_least(1), default=None, help="threads that decode; as many as processors")
  return parser.parse_args(arguments)


def _shard(text: str) -> tuple[int, int]:
  number, _, count = text.partition("/")
  if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
    raise argparse.ArgumentTypeError(f"expected K/N, K from 1 to N, got {text!r}")
  return int(number), int(count)


def main(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  from jaxdistort.errors import printable
  from jaxdistort.inference import load
  from jaxdistort.scanning import FORMATS, PARQUET, Shard, scan

  if arguments.output.suffix != PARQUET:
    FORMATS.find(arguments.output.suffix, f"table {arguments.output}: suffix")
  progress = TerminalProgress()
  recogniser = load(arguments.checkpoint)
  workers = arguments.workers or os.cpu_count() or 1
  with progress.signals():
    shard = Shard(*arguments.shard)
    done = scan(
      recogniser,
      arguments.folder,
      arguments.output,
      shard=shard,
      sorted_into=arguments.sort_into,
      reported_to=arguments.report,
      workers=workers,
      progress=progress,
    )
  for remark in done.left_out:
    complain(remark)
  broken = f", {done.broken} of which could not be read" if done.broken else ""
  print(printable(f"{done.judged} pictures judged{broken}; {done.pictures} in {arguments.output}"))
