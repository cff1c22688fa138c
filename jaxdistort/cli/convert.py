"""Converts weights from elsewhere into a file that knows its source and its preprocessing; or a run into a model file.

jaxdistort convert --from keras-vgg16 --download --output weights/vgg16.safetensors
jaxdistort convert --from torchvision-vgg16 vgg16-397923af.pth --output weights/vgg16.safetensors
jaxdistort convert --from sgdnet saliencyoutput-alpha0.25-ss-Koniq10k-1024-....pkl --output weights/sgdnet.safetensors
jaxdistort convert --from run runs/quickstart --output quickstart.safetensors
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from jaxdistort.cli.arguments import ArgumentParser, output_file
from jaxdistort.cli.terminal import TerminalProgress
from jaxdistort.errors import InputError, choose

_RUN = "run"


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort convert")
  parser.add_argument(
    "--from",
    dest="kind",
    required=True,
    help="keras-vgg16, torchvision-vgg16 (or timm's), keras-resnet50, sgdnet (the authors' checkpoint); or run: a "
    "run, or one of its checkpoints, as a model file that holds all that is needed to use it",
  )
  parser.add_argument("file", nargs="?", type=Path, help="the foreign file; with --download, where to put it")
  parser.add_argument("--output", required=True, type=output_file, help="safetensors file to write")
  parser.add_argument("--download", action="store_true", help="fetch the published file, or go on fetching it")
  parser.add_argument(
    "--preprocessing",
    default=None,
    help="keras (BGR minus means), torchvision (RGB, means and deviations), centered or raw (RGB 0..255, as the "
    "study fed its networks); what the weights were trained with unless given",
  )
  parser.add_argument(
    "--weights", default=None, help="with --from run: of the backbone, if they are not where the training had them"
  )
  return parser.parse_args(arguments)


def main(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  if arguments.kind == _RUN:
    _convert_run(arguments)
    return
  if arguments.weights is not None:
    raise InputError("--weights is for --from run")
  from jaxdistort.models.weights import KINDS, convert, download

  kind = KINDS[choose("--from", arguments.kind, [*KINDS, _RUN])]
  source = arguments.file
  if arguments.download:
    source = source or arguments.output.parent / kind.published.name
    download(kind.published, source, progress=TerminalProgress())
  if source is None:
    raise InputError("FILE is missing: the file to convert, or --download; see --help")
  weights = convert(arguments.kind, source, arguments.output, preprocessing=arguments.preprocessing)
  print(
    f"{weights.path}: {weights.architecture}, preprocessing {weights.preprocessing}, SHA-256 {weights.sha256}\n"
    f"from {weights.source}, SHA-256 {weights.source_sha256}"
  )


def _convert_run(arguments: argparse.Namespace) -> None:
  if arguments.download or arguments.preprocessing is not None:
    raise InputError("--download and --preprocessing are for weights from elsewhere, not for --from run")
  if arguments.file is None:
    raise InputError("the run is missing: give its folder; see --help")
  from jaxdistort.inference import load

  recogniser = load(arguments.file, weights=arguments.weights)
  path = recogniser.save(arguments.output)
  labels = recogniser.task.labels
  print(
    f"{path}: {recogniser.description.network.name}, {recogniser.task.name} of {', '.join(labels.kinds)}; "
    f"{path.stat().st_size / 1e6:.1f} MB, from {recogniser.path}"
  )
