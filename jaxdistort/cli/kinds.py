"""Lists the kinds of distortion: their groups, their parameters with units, bounds and defaults, and who has them.

jaxdistort kinds
jaxdistort kinds motion_blur
jaxdistort kinds --source imagenet_c
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jaxdistort.cli.arguments import ArgumentParser

if TYPE_CHECKING:
  from jaxdistort.distortions.severities.table import SeverityTable


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort kinds")
  parser.add_argument("kinds", nargs="*", metavar="KIND", help="of these alone")
  parser.add_argument("--source", default=None, help="a severity table: its names, and what they mean here")
  return parser.parse_args(arguments)


def main(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  from jaxdistort.distortions import DISTORTIONS, SEVERITY_TABLES

  if arguments.source is not None:
    table = SEVERITY_TABLES.find(arguments.source, "source")
    for name in arguments.kinds or table.entries:
      entry = table.entry(name)
      print(f"{name}  {len(entry.levels)} levels of {entry.distortion}")
    return
  for name in arguments.kinds or DISTORTIONS:
    found = DISTORTIONS.find(name)
    tables = [source for source, table in SEVERITY_TABLES.items() if _has(table, name)]
    print(f"{name}  {found.group}{'; tables: ' + ', '.join(tables) if tables else ''}")
    for own in found.parameters:
      print(f"  --{own.name} {own.low:g}..{own.high:g} {own.unit}".rstrip() + f", default {own.default:g}")


def _has(table: "SeverityTable", name: str) -> bool:
  return any(entry.distortion == name for entry in table.entries.values())
