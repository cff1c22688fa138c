"""Prepares clean pictures, so that training reads them without decoding; or a finished distorted data set.

jaxdistort prepare --data folder:photos --output prepared
jaxdistort prepare --data folder:photos --protocol variable --format jpeg --output distorted

The same command goes on where it was stopped; pictures that changed, came or went are prepared again.
"""

import argparse
from collections.abc import Sequence
from typing import Any

from jaxdistort.cli.arguments import ArgumentParser, at_least, describe_data, output_folder
from jaxdistort.cli.broken import report_broken
from jaxdistort.cli.terminal import TerminalProgress
from jaxdistort.errors import InputError
from jaxdistort.protocols import PROTOCOLS

_OF_DISTORTED_SETS = ("format", "jpeg_quality", "seed", "split")


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort prepare", more=describe_data)
  parser.add_argument("--data", required=True, help="clean pictures, such as folder:photos; all kinds below")
  parser.add_argument("--output", required=True, type=output_folder, help="folder to be made, or gone on with")
  parser.add_argument("--image-size", type=at_least(32), default=224, help="side of pictures in pixels (224)")
  parser.add_argument("--workers", type=at_least(0), default=None, help="decoding processes; 0: threads")
  parser.add_argument(
    "--no-augment", action="store_true", help="training pictures no larger than the others, without room for crops"
  )
  distorted = parser.add_argument_group("a distorted data set (of prepared:DIR and of mixes too)")
  distorted.add_argument("--protocol", default=None, help=", ".join(PROTOCOLS))
  distorted.add_argument("--format", default=None, help="jpeg (default): files in folders; arrayrecord: as tfds reads")
  distorted.add_argument(
    "--jpeg-quality", type=int, default=None, help="of the last step (the protocol's own); 0: PNG files"
  )
  distorted.add_argument("--seed", type=int, default=None, help="of the distortions (0)")
  distorted.add_argument("--split", default=None, help="train, validation, test or all (default)")
  return parser.parse_args(arguments)


def main(words: Sequence[str]) -> None:
  arguments = parse_arguments(words)
  given = {name: getattr(arguments, name) for name in _OF_DISTORTED_SETS if getattr(arguments, name) is not None}
  if arguments.protocol is not None:
    if arguments.no_augment:
      raise InputError("--no-augment is for prepared pictures; those of a distorted set have --image-size in any case")
    _make_distorted(arguments, given)
    return
  if given:
    raise InputError(f"--{next(iter(given)).replace('_', '-')} is for distorted sets; give --protocol too")
  from jaxdistort.data.preparing import prepare

  options = {"image_size": arguments.image_size, "augment": not arguments.no_augment, "workers": arguments.workers}
  done = prepare(arguments.data, arguments.output, progress=TerminalProgress(), **options)
  state = f"{done.made} of {done.shards} shards made" if done.made else "up to date"
  print(
    f"{done.pictures - done.broken} pictures, {done.size / 1e9:.2f} GB, {state}: --data prepared:{arguments.output}"
  )
  report_broken(done.broken, done.remarked, f"reasons in {arguments.output}/shard-*.csv")


def _make_distorted(arguments: argparse.Namespace, given: dict[str, Any]) -> None:
  from jaxdistort.generation import generate

  options = {"protocol": arguments.protocol, "image_size": arguments.image_size, "workers": arguments.workers}
  form = given.pop("format", "jpeg")
  done = generate(arguments.data, arguments.output, form=form, progress=TerminalProgress(), **options, **given)
  state = f"{done.made} made now" if done.made else "finished before"
  print(f"{done.pictures} pictures ({state}) in {arguments.output}, listed in {arguments.output / 'manifest.csv'}")
  report_broken(done.broken, done.remarked, arguments.output / "broken_pictures.jsonl")
