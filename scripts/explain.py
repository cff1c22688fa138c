"""Shows where in a picture a network's answer comes from, side by side with the picture.

python scripts/explain.py --checkpoint runs/quickstart photos/cat.jpg photos/dog.jpg

Networks with convolutions: a class-activation map (Grad-CAM). SGDNet: its saliency map too.
"""

import argparse
import sys
from pathlib import Path

from jaxdistort.cli import console


def parse_arguments() -> argparse.Namespace:
  parser = console.ArgumentParser(__doc__)
  parser.add_argument("--checkpoint", required=True, help="folder of a run (its best checkpoint), or one checkpoint")
  parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="pictures")
  parser.add_argument(
    "--output", type=console.output_folder, default=Path("explanations"), help="folder for a PNG a picture"
  )
  parser.add_argument(
    "--class", dest="class_name", default=None, help="whose evidence to show; of the most probable class unless given"
  )
  parser.add_argument(
    "--weights", default=None, help="of the base of a transfer network, if they are not where the training had them"
  )
  return parser.parse_args()


def main() -> int:
  arguments = parse_arguments()
  from jaxdistort.inference.explaining import Explained, explain_pictures

  def tell(explained: Explained) -> None:
    if explained.figure:
      print(f"{explained.picture}: {explained.message} -> {explained.figure}")
    else:
      print(f"{explained.picture}: cannot be read: {explained.message}", file=sys.stderr)

  results = explain_pictures(
    arguments.checkpoint,
    arguments.images,
    output=arguments.output,
    class_name=arguments.class_name,
    weights=arguments.weights,
    on_done=tell,
  )
  return int(any(result.figure is None for result in results))


if __name__ == "__main__":
  console.run(main)
