"""Shows where in a picture a network's answer comes from, side by side with the picture.

jaxdistort explain --checkpoint runs/quickstart photos/cat.jpg photos/dog.jpg

Networks with convolutions: a class-activation map (Grad-CAM). SGDNet: its saliency map too.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from jaxdistort.cli.arguments import ArgumentParser, add_checkpoint, output_folder


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort explain")
  add_checkpoint(parser)
  parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="pictures")
  parser.add_argument("--output", type=output_folder, default=Path("explanations"), help="folder for a PNG a picture")
  parser.add_argument(
    "--class", dest="answer", default=None, help="whose evidence to show; of the surest answer unless given"
  )
  return parser.parse_args(arguments)


def main(words: Sequence[str]) -> int:
  arguments = parse_arguments(words)
  from jaxdistort.errors import printable
  from jaxdistort.inference import load
  from jaxdistort.reporting.explanations import Explained, draw_explanations

  def report(explained: Explained) -> None:
    if explained.figure:
      print(printable(f"{explained.picture}: {explained.message} -> {explained.figure}"))
    else:
      print(printable(f"{explained.picture}: cannot be read: {explained.message}"), file=sys.stderr)

  recogniser = load(arguments.checkpoint, weights=arguments.weights)
  results = draw_explanations(
    recogniser, arguments.images, output=arguments.output, answer=arguments.answer, on_done=report
  )
  return int(any(result.figure is None for result in results))
