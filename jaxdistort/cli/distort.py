"""Distorts pictures, and writes them as PNG.

jaxdistort distort cat.jpg --output spoiled/ --kind motion_blur --distance 20 --angle 0.5
jaxdistort distort photos/ --output spoiled/ --kind camera_noise --severity 0.4 --kind jpeg --quality 30
jaxdistort distort cat.jpg --output spoiled.png --source imagenet_c --kind motion_blur --severity 3

Several kinds follow each other. What is said behind a kind is its own: its parameters, or a severity: perceptual, from
0 to 1, or with --source a level of a severity table. `jaxdistort kinds` lists them all.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jaxdistort.cli.arguments import ArgumentParser, output_folder
from jaxdistort.cli.listed import names_below

if TYPE_CHECKING:
  import numpy as np

_KIND = "--kind"


class _Step(NamedTuple):
  """A kind with what is said of it: its severity and its parameters."""

  kind: str
  given: dict[str, float]


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(
    __doc__, prog="jaxdistort distort", usage="jaxdistort distort IMAGE... --output OUTPUT [options] --kind KIND [...]"
  )
  parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="pictures, or folders of pictures")
  parser.add_argument("--output", type=Path, required=True, help="folder; or a .png file, of one picture")
  parser.add_argument("--source", default=None, help="severity table by which severities count, such as imagenet_c")
  parser.add_argument("--seed", type=int, default=0, help="of what is random; 0")
  parser.add_argument(_KIND, dest="steps", action="append", metavar="KIND", help="a distortion; repeatable")
  words, *steps = _split_at_kinds(arguments)
  parsed = parser.parse_args([*words, *(word for step in steps for word in step[:2])])
  if not steps:
    parser.error(f"no {_KIND} is given")
  parsed.steps = [_step(parser, step) for step in steps]
  return parsed


def _split_at_kinds(words: Sequence[str]) -> list[list[str]]:
  parts: list[list[str]] = [[]]
  for word in words:
    if word == _KIND:
      parts.append([word])
    elif word.startswith(f"{_KIND}="):
      parts.append(word.split("=", 1))
    else:
      parts[-1].append(word)
  return parts


def _step(parser: ArgumentParser, words: Sequence[str]) -> _Step:
  """Of `--kind NAME --parameter VALUE ...`."""
  given, rest = {}, [part for word in words[2:] for part in word.split("=", 1)]
  for name, value in zip(rest[::2], rest[1::2], strict=False):
    try:
      given[name.removeprefix("--").replace("-", "_")] = float(value)
    except ValueError:
      parser.error(f"{words[1]}: {name}: expected a number, got {value!r}")
  if len(rest) % 2 or not all(name.startswith("--") for name in rest[::2]):
    parser.error(f"{words[1]}: expected --PARAMETER NUMBER behind it, got {' '.join(rest)}; other options come before")
  return _Step(words[1], given)


def main(words: Sequence[str]) -> int:
  arguments = parse_arguments(words)
  from jaxdistort.errors import InputError, printable
  from jaxdistort.files import make_output

  files = _files(arguments.images)
  is_single = arguments.output.suffix.lower() == ".png" and not arguments.output.is_dir()
  if is_single and len(files) > 1:
    raise InputError(f"{arguments.output}: one file for {len(files)} pictures; give a folder")
  output_folder(str(arguments.output.parent if is_single else arguments.output))
  places = [arguments.output if is_single else arguments.output / Path(name).with_suffix(".png") for _, name in files]
  if not is_single and os.path.realpath(arguments.output) in map(os.path.realpath, arguments.images):
    raise InputError(f"{arguments.output}: is the folder of the pictures; give another")
  _check_nothing_lost([file for file, _ in files], places)
  if not is_single:
    make_output(arguments.output)
  unread = 0
  for number, ((file, _), place) in enumerate(zip(files, places, strict=True)):
    error = _write(file, place, arguments, number)
    unread += bool(error)
    print(printable(f"{file}: {error or place}"))
  return int(unread > 0)


def _files(paths: Sequence[Path]) -> list[tuple[Path, str]]:
  """Every picture, and its name in the output."""
  from jaxdistort.errors import InputError

  files: list[tuple[Path, str]] = []
  for path in paths:
    names = names_below(path) if path.is_dir() else None
    files += [(path, path.name)] if names is None else [(path / name, name) for name in names]
  taken: dict[Path, Path] = {}
  for file, name in files:
    other = taken.setdefault(Path(name).with_suffix(".png"), file)
    if other != file:
      raise InputError(f"{file} and {other} would be written to the same file; give them one at a time")
  if not files:
    raise InputError(f"{', '.join(map(str, paths))}: no pictures there")
  return files


def _check_nothing_lost(files: Sequence[Path], places: Sequence[Path]) -> None:
  """Raises InputError where a picture that is read would be replaced."""
  from jaxdistort.errors import InputError

  read = {os.path.realpath(file) for file in files}
  lost = next((place for place in places if os.path.realpath(place) in read), None)
  if lost is not None:
    raise InputError(f"{lost}: is one of the pictures, which would be lost; give another output")


def _write(file: Path, place: Path, arguments: argparse.Namespace, number: int) -> str:
  """Distorts a picture; why it cannot be read, or ""."""
  import numpy as np
  from PIL import Image

  from jaxdistort.data.pictures import read_or, read_picture
  from jaxdistort.files import writing_whole

  picture, error = read_or(None, read_picture, file)
  if picture is None:
    return error
  distorted = Image.fromarray(_distorted(np.asarray(picture), arguments, number))
  place.parent.mkdir(parents=True, exist_ok=True)
  with writing_whole(place) as stream:
    distorted.save(stream, "PNG")
  return ""


def _distorted(image: "np.ndarray", arguments: argparse.Namespace, number: int) -> "np.ndarray":
  import jax

  from jaxdistort.distortions import Step, distort_in_turn

  steps = []
  for kind, given in arguments.steps:
    parameters = dict(given)
    severity = parameters.pop("severity", None)
    steps.append(Step(kind, severity, arguments.source, parameters))
  return distort_in_turn(image, steps, key=jax.random.fold_in(jax.random.key(arguments.seed), number))
