"""Sets people's answers to a human test beside the recogniser's on the same pictures.

jaxdistort human-report answers.sqlite --data photos/ --output report/

The test is made again from the file of answers and the folder of its clean pictures. Without --data people are judged
alone.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from jaxdistort.cli.arguments import ArgumentParser, add_recogniser, output_folder


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort human-report")
  parser.add_argument("answers", type=Path, metavar="ANSWERS", help="the SQLite file that the server wrote")
  parser.add_argument("--data", type=Path, default=None, metavar="FOLDER", help="the clean pictures of the test")
  add_recogniser(parser)
  parser.add_argument("--output", type=output_folder, default=None, metavar="DIR", help="for report.json and report.md")
  return parser.parse_args(arguments)


def main(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  from jaxdistort.errors import InputError
  from jaxdistort.files import make_output, write_json, write_whole
  from jaxdistort.human import HumanTest, make_report, read_store
  from jaxdistort.human.tables import format_report
  from jaxdistort.inference import load

  if arguments.data is None and arguments.checkpoint is not None:
    raise InputError("--checkpoint is of no use without --data: a recogniser needs the pictures")
  questionnaire, given = read_store(arguments.answers)
  test = None if arguments.data is None else HumanTest(arguments.data, questionnaire)
  recogniser = None if test is None else load(arguments.checkpoint)
  report = make_report(questionnaire, given, test=test, recogniser=recogniser)
  text = format_report(report)
  print(text)
  if arguments.output is not None:
    make_output(arguments.output, without_pictures=True)
    write_json(arguments.output / "report.json", report.to_dict())
    write_whole(arguments.output / "report.md", f"{text}\n")
    print(f"\nwritten to {arguments.output}")
