"""Evaluates a trained network on clean pictures, distorted on the device by a protocol.

python scripts/evaluate.py --checkpoint runs/quickstart --data folder:photos --protocol six --output report
"""

import argparse
from pathlib import Path

from jaxdistort import console


def parse_arguments() -> argparse.Namespace:
  parser = console.ArgumentParser(__doc__)
  parser.add_argument("--checkpoint", required=True, help="folder of a run (its best checkpoint), or one checkpoint")
  parser.add_argument("--data", required=True, help="folder:PATH, samples, synthetic, tfds:NAME, or a mix")
  parser.add_argument("--protocol", default=None, help="six or variable; the one of the training unless given")
  parser.add_argument("--output", required=True, type=Path, help="folder for report.json and confusion_matrix.png")
  parser.add_argument(
    "--split",
    choices=("auto", "all", "train", "validation", "test"),
    default="auto",
    help="auto: all pictures; the test pictures if the network was trained on any of --data",
  )
  parser.add_argument(
    "--jpeg-quality", type=int, default=None, help="of the last step; 0: no JPEG; as trained unless given"
  )
  parser.add_argument("--batch-size", type=console.at_least(1), default=64, help="distorted pictures a batch")
  parser.add_argument("--workers", type=console.at_least(0), default=None, help="decoding processes; 0: threads")
  parser.add_argument(
    "--weights", default=None, help="of the base of a transfer network, if they are not where the training had them"
  )
  return parser.parse_args()


def main() -> None:
  arguments = parse_arguments()
  from jaxdistort.evaluation import evaluate_checkpoint, format_report

  report = evaluate_checkpoint(
    arguments.checkpoint,
    arguments.data,
    output=arguments.output,
    protocol=arguments.protocol,
    split=arguments.split,
    jpeg_quality=arguments.jpeg_quality,
    batch_size=arguments.batch_size,
    workers=arguments.workers,
    weights=arguments.weights,
  )
  print(f"{report['checkpoint']}\n{report['data']} ({report['split']} pictures), protocol {report['protocol']}")
  print(format_report(report))
  print(f"written to {arguments.output}")
  if report["broken"]:
    print(
      f"{report['broken']} pictures could not be read and were left out: {arguments.output / 'broken_pictures.jsonl'}"
    )


if __name__ == "__main__":
  console.run(main)
