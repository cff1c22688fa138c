"""Sets evaluated runs side by side, in the form of the study's tables, with its own figures beside them.

jaxdistort compare runs/six runs/vgg_six report_live --output comparison
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from jaxdistort.cli.arguments import ArgumentParser, output_folder


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort compare")
  parser.add_argument("folders", nargs="+", type=Path, help="folders of evaluations, or runs (all reports below them)")
  parser.add_argument("--output", type=output_folder, default=None, help="folder for comparison.md and comparison.json")
  return parser.parse_args(arguments)


def main(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  from jaxdistort.files import write_json, write_whole
  from jaxdistort.locking import locked
  from jaxdistort.reporting import compare, format_comparison, read_judgements

  comparison = compare(read_judgements(arguments.folders))
  text = format_comparison(comparison)
  print(text)
  if arguments.output:
    with locked(arguments.output):
      write_whole(arguments.output / "comparison.md", f"{text}\n")
      write_json(arguments.output / "comparison.json", comparison)
    print(f"\nwritten to {arguments.output}")
