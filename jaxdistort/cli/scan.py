"""Says what is wrong with all pictures below a folder, in a table.

jaxdistort scan photos/ --output answers.csv --report answers.html
jaxdistort scan s3://bucket/photos --output answers.parquet --engine ray

A row a picture, written as soon as it is known. The same command goes on where it was stopped; on a finished table it
looks at new and changed files alone. --shard 3/16 judges the third of sixteen parts, for as many machines. Parquet is
written at the end; until then, and to go on by, the rows are in OUTPUT.jsonl.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jaxdistort.cli.arguments import ArgumentParser, add_recogniser, at_least, output_file, output_folder
from jaxdistort.cli.listed import complain
from jaxdistort.cli.terminal import TerminalProgress

if TYPE_CHECKING:
  from jaxdistort.inference import Recogniser
  from jaxdistort.scanning.judging import Judgement
  from jaxdistort.scanning.makers import Maker

_PARQUET = ".parquet"
_HERE, _RAY = "here", "ray"


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort scan")
  parser.add_argument("folder", metavar="DIR", help="folder of pictures, with all below it, or its URL (s3://, ...)")
  parser.add_argument(
    "--output", type=output_file, required=True, help="table: .csv, .jsonl or .parquet; gone on with if it is there"
  )
  add_recogniser(parser)
  parser.add_argument("--shard", type=_shard, default=(1, 1), metavar="K/N", help="the K-th of N parts of the pictures")
  parser.add_argument(
    "--sort-into", type=output_folder, default=None, metavar="DIR", help="link the pictures there by what was found"
  )
  parser.add_argument(
    "--report", type=output_file, default=None, metavar="HTML", help="page on what is found, with the worst pictures"
  )
  parser.add_argument(
    "--xmp", action="store_true", help="write a sidecar beside each picture: stars and keywords for photo managers"
  )
  parser.add_argument("--engine", choices=(_HERE, _RAY), default=_HERE, help="ray: the workers of a Ray cluster")
  parser.add_argument("--address", default=None, help="of the Ray cluster; one on this machine is begun unless given")
  parser.add_argument(
    "--workers", type=at_least(1), default=None, help="threads that decode, or Ray's workers; as many as processors"
  )
  return parser.parse_args(arguments)


def _shard(text: str) -> tuple[int, int]:
  number, _, count = text.partition("/")
  if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
    raise argparse.ArgumentTypeError(f"expected K/N, K from 1 to N, got {text!r}")
  return int(number), int(count)


def main(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  from jaxdistort.errors import InputError, printable
  from jaxdistort.inference import load
  from jaxdistort.scanning import FORMATS, Shard, scan

  output: Path = arguments.output
  table = output.with_name(f"{output.name}.jsonl") if output.suffix == _PARQUET else output
  FORMATS.find(table.suffix, f"table {output}: suffix")
  report = arguments.report and os.path.realpath(arguments.report)
  if report in map(os.path.realpath, (output, table)):
    raise InputError(f"--report {arguments.report}: is the table itself; give another name")
  progress, judge = TerminalProgress(), _engine(arguments)
  recogniser = load(arguments.checkpoint)
  with progress.signals():
    done = scan(
      recogniser,
      arguments.folder,
      table,
      shard=Shard(*arguments.shard),
      then=_makers(arguments, recogniser),
      judge=judge,
      workers=arguments.workers or os.cpu_count() or 1,
      progress=progress,
    )
  for remark in done.remarks:
    complain(remark)
  broken = f", {done.broken} of which could not be read" if done.broken else ""
  print(printable(f"{done.judged} pictures judged{broken}; {done.pictures} in {output}"))


def _engine(arguments: argparse.Namespace) -> "Callable[[list[str]], Iterator[Judgement]] | None":
  """Who judges, unless it is this process."""
  from jaxdistort.data.remote import is_remote
  from jaxdistort.errors import InputError

  if arguments.engine == _HERE:
    if arguments.address is not None:
      raise InputError(f"--address is for --engine {_RAY}")
    return None
  from jaxdistort.scanning.cluster import judge_on_ray

  folder = arguments.folder if is_remote(arguments.folder) else os.path.abspath(arguments.folder)
  checkpoint = None if arguments.checkpoint is None else os.path.abspath(arguments.checkpoint)
  return lambda names: judge_on_ray(
    folder, names, checkpoint=checkpoint, address=arguments.address, workers=arguments.workers
  )


def _makers(arguments: argparse.Namespace, recogniser: "Recogniser") -> "list[Maker]":
  """What is made of the table, besides it."""
  from jaxdistort.data.remote import is_remote
  from jaxdistort.errors import InputError
  from jaxdistort.scanning import makers

  if is_remote(arguments.folder) and (arguments.sort_into is not None or arguments.xmp):
    raise InputError("--sort-into and --xmp are for folders of this machine")
  made = []
  if arguments.sort_into is not None:
    made.append(makers.links(arguments.sort_into))
  if arguments.xmp:
    made.append(makers.sidecars())
  if arguments.output.suffix == _PARQUET:
    made.append(makers.parquet(arguments.output, recogniser.task.labels))
  if arguments.report is not None:
    made.append(makers.page(arguments.report))
  return made
