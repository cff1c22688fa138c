"""Calibrates a recogniser on clean pictures, and writes it as a model file.

jaxdistort calibrate --checkpoint runs/wild --data folder:photos --output recogniser.safetensors

Probabilities then keep their word: those of the validation pictures. Something is found on 1 in 50 clean pictures
(--false-alarms), of which those of the training are some. What was measured is written beside the file, as
recogniser.json.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from jaxdistort.cli.arguments import (
  ArgumentParser,
  add_batches,
  add_checkpoint,
  describe_data,
  load_on_all_devices,
  output_file,
)
from jaxdistort.cli.broken import report_broken
from jaxdistort.cli.terminal import TerminalProgress


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort calibrate", more=describe_data)
  add_checkpoint(parser)
  parser.add_argument("--data", required=True, help="clean pictures, such as folder:photos: those of the training")
  parser.add_argument("--output", required=True, type=_model_file, help="model file to be written (.safetensors)")
  parser.add_argument(
    "--false-alarms", type=_share, default=None, help="share of clean pictures on which something may be found; 0.02"
  )
  add_batches(parser, of="distorted pictures")
  return parser.parse_args(arguments)


def _model_file(text: str) -> Path:
  path = output_file(text)
  if path.suffix != ".safetensors":  # beside it, by another suffix, is the report
    raise argparse.ArgumentTypeError(f"expected a name that ends with .safetensors, got {text!r}")
  return path


def _share(text: str) -> float:
  try:
    value = float(text)
  except ValueError:
    value = -1
  if not 0 < value < 1:
    raise argparse.ArgumentTypeError(f"expected a share between 0 and 1, got {text!r}")
  return value


def main(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  from jaxdistort.evaluation import FALSE_ALARMS, calibrate
  from jaxdistort.files import write_json

  progress = TerminalProgress()
  with progress.signals():
    calibrated = calibrate(
      load_on_all_devices(arguments.checkpoint, arguments.weights),
      arguments.data,
      false_alarms=arguments.false_alarms or FALSE_ALARMS,
      batch_size=arguments.batch_size,
      workers=arguments.workers,
      progress=progress,
    )
  path, report = calibrated.recogniser.save(arguments.output), calibrated.report
  write_json(path.with_suffix(".json"), report)
  errors, alarms = report["expected_calibration_error"], report["false_alarms"]
  report_broken(len(report["broken"]), 0, path.with_suffix(".json"))
  print(f"calibrated on {report['tiles']} tiles of {report['pictures']} pictures (validation)")
  print(f"calibration error {errors['before']:.4f} before, {errors['after']:.4f} after")
  clean = f"{alarms['pictures']:.1%} of {report['clean_pictures']} clean pictures"
  print(f"something is found on {clean}; of those of the validation, on {alarms['validation']:.1%}")
  if report["found_on_clean"]:
    print(f"which these are is said in {path.with_suffix('.json')}; what is not clean among them is better left out")
  print(f"written to {path}")
