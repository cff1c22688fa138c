"""Converts weights from elsewhere into a safetensors file that knows its source and its preprocessing.

python scripts/convert_weights.py --from keras-vgg16 --download --output weights/vgg16.safetensors
python scripts/convert_weights.py --from torchvision-vgg16 vgg16-397923af.pth --output weights/vgg16.safetensors
python scripts/convert_weights.py --from sgdnet saliencyoutput-alpha0.25-ss-Koniq10k-1024-....pkl \\
  --output weights/sgdnet.safetensors
"""

import argparse
from pathlib import Path

from jaxdistort.cli import console
from jaxdistort.errors import InputError, choose


def parse_arguments() -> argparse.Namespace:
  parser = console.ArgumentParser(__doc__)
  parser.add_argument(
    "--from",
    dest="kind",
    required=True,
    help="keras-vgg16, torchvision-vgg16 (or timm's), keras-resnet50, sgdnet (the authors' checkpoint)",
  )
  parser.add_argument("file", nargs="?", type=Path, help="the foreign file; with --download, where to put it")
  parser.add_argument("--output", required=True, type=Path, help="safetensors file to write")
  parser.add_argument("--download", action="store_true", help="fetch the published file, or go on fetching it")
  parser.add_argument(
    "--preprocessing",
    default=None,
    help="keras (BGR minus means), torchvision (RGB, means and deviations), centered or raw (RGB 0..255, as the "
    "paper fed its networks); what the weights were trained with unless given",
  )
  return parser.parse_args()


def main() -> None:
  arguments = parse_arguments()
  from jaxdistort.weights import KINDS, KNOWN, convert, download

  known = KNOWN[choose("--from", arguments.kind, KINDS)]
  source = arguments.file
  if arguments.download:
    source = source or arguments.output.parent / known.name
    download(known, source)
  if source is None:
    raise InputError("FILE is missing: the file to convert, or --download; see --help")
  weights = convert(arguments.kind, source, arguments.output, preprocessing=arguments.preprocessing)
  print(
    f"{weights.path}: {weights.architecture}, preprocessing {weights.preprocessing}, SHA-256 {weights.sha256}\n"
    f"from {weights.source}, SHA-256 {weights.source_sha256}"
  )


if __name__ == "__main__":
  console.run(main)
