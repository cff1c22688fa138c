"""Writes a recogniser for programs without this package: ONNX, or StableHLO for CPU and CUDA.

jaxdistort export --output recogniser.onnx
jaxdistort export --checkpoint runs/wild --output recogniser.stablehlo

Pictures go in as uint8 [B, H, W, 3], probabilities and severities come out. What they mean is written beside the file,
as recogniser.json.
"""

import argparse
from collections.abc import Sequence

from jaxdistort.cli.arguments import ArgumentParser, add_recogniser, output_file


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort export")
  add_recogniser(parser)
  parser.add_argument("--output", required=True, type=output_file, help="file to be written, .onnx or .stablehlo")
  return parser.parse_args(arguments)


def main(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  from jaxdistort.inference import load
  from jaxdistort.inference.exporting import export_recogniser

  path = export_recogniser(load(arguments.checkpoint), arguments.output)
  print(f"{path}: {path.stat().st_size / 1e6:.1f} MB; what its numbers mean is in {path.with_suffix('.json')}")
