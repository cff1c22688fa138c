"""Says what is wrong with pictures, and how strongly.

jaxdistort predict photo.jpg
jaxdistort predict --json photos/ > answers.json
jaxdistort predict --fail-on "blur>=0.5" --fail-on "any>=0.8" upload.jpg
curl -s https://example.org/photo.jpg | jaxdistort predict -

Severities run from 0 (invisible) over 0.25 (slight) to 1. A picture without a finding is called clean; where nothing
can be told, that is said. Exit status: 0; 1 where a condition of --fail-on holds; 2 where something could not be run or
a picture could not be read.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxdistort.cli.arguments import ArgumentParser, add_recogniser, output_folder
from jaxdistort.cli.listed import complain, names_below

if TYPE_CHECKING:
  from PIL import Image

  from jaxdistort.inference import Recogniser
  from jaxdistort.inference.files import Judged
  from jaxdistort.inference.verdicts import Condition

STATUS_OF_ERRORS = 2
_STANDARD_INPUT = "-"


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort predict")
  parser.add_argument(
    "images", nargs="+", metavar="IMAGE", help="picture, folder of pictures, URL, or - for standard input"
  )
  add_recogniser(parser)
  parser.add_argument("--json", action="store_true", help="a list of {path, clean, distortions, ...}")
  parser.add_argument("--advice", action="store_true", help="what helps against what is found")
  parser.add_argument(
    "--map", type=output_folder, default=None, metavar="DIR", help="a PNG for each picture: where what is found is"
  )
  parser.add_argument(
    "--fail-on",
    action="append",
    default=[],
    metavar="CONDITION",
    help="group, kind or any, found with a severity of at least this: blur>=0.5; repeatable",
  )
  return parser.parse_args(arguments)


def main(words: Sequence[str]) -> int:
  arguments = parse_arguments(words)
  from jaxdistort.data.outputs import make_output_for
  from jaxdistort.inference import load
  from jaxdistort.inference.files import judge_files
  from jaxdistort.inference.locating import check_maps
  from jaxdistort.inference.verdicts import parse_condition, refusals

  recogniser = load(arguments.checkpoint)
  conditions = [parse_condition(text, recogniser.task.labels) for text in arguments.fail_on]
  show = _Json() if arguments.json else _Text(arguments.advice)
  read, unread, refused = _Reader(), 0, 0
  maps: set[Path] = set()
  if arguments.map is not None:
    check_maps(recogniser)
    make_output_for((), arguments.map, "--map")
  for judged in judge_files(recogniser, _listed(arguments.images), read=read):
    holding = [] if judged.answer is None else refusals(judged.answer, conditions)
    show.one(judged, holding)
    if arguments.map is not None and judged.answer is not None:
      maps.add(_write_map(recogniser, judged, read(judged.path), arguments.map, maps))
    unread, refused = unread + (judged.answer is None), refused + bool(holding)
  show.end()
  return STATUS_OF_ERRORS if unread else int(refused > 0)


def _listed(paths: Sequence[str]) -> Iterator[str]:
  from jaxdistort.errors import InputError

  for path in paths:
    if path != _STANDARD_INPUT and os.path.isdir(path):
      names = names_below(path)
      if not names:
        raise InputError(f"{path}: no pictures in this folder")
      yield from (os.path.join(path, name) for name in names)
    else:
      yield path


def _write_map(
  recogniser: "Recogniser", judged: "Judged", picture: "Image.Image", folder: Path, taken: set[Path]
) -> Path:
  """Beside the picture every group that is found; the most probable one where none is. Gives the file."""
  from jaxdistort.files import free_name, writing_whole
  from jaxdistort.inference.overlays import overlay

  answer = judged.answer
  assert answer is not None
  names = [group.group for group in answer.groups if group.found] or [answer.groups[0].group]
  drawn = overlay(picture, recogniser.locate(picture), names)
  path = "standard input" if judged.path == _STANDARD_INPUT else os.path.normpath(judged.path)
  stem = path.lstrip("./").replace("/", "_")  # a name that begins with a point would be hidden
  place = free_name(folder, stem, ".png", taken)
  with writing_whole(place) as file:
    drawn.save(file, "PNG")
  return place


class _Reader:
  """Reads pictures by their paths, and standard input once."""

  def __init__(self) -> None:
    self._piped: bytes | None = None

  def __call__(self, path: str) -> "Image.Image":
    from jaxdistort.data.pictures import read_picture
    from jaxdistort.data.remote import fetch, is_remote

    if is_remote(path):
      return read_picture(fetch(path))
    if path != _STANDARD_INPUT:
      return read_picture(path)
    if self._piped is None:
      self._piped = sys.stdin.buffer.read()
    return read_picture(self._piped)


class _Text:
  """A line a picture."""

  def __init__(self, advises: bool):
    self._advises = advises

  def one(self, judged: "Judged", holding: "Sequence[Condition]") -> None:
    from jaxdistort.errors import printable
    from jaxdistort.inference.verdicts import advice_of, in_words

    if judged.answer is None:
      complain(f"{judged.path}: {judged.error}")
      return
    print(printable(f"{judged.path}: {in_words(judged.answer)}{'  [refused]' if holding else ''}"), flush=True)
    for sentence in advice_of(judged.answer) if self._advises else ():
      print(f"  {sentence}")

  def end(self) -> None:
    pass


class _Json:
  """A list of records, one a line, each written as soon as it is known."""

  def __init__(self) -> None:
    self._begun = False

  def one(self, judged: "Judged", holding: "Sequence[Condition]") -> None:
    from jaxdistort.inference.verdicts import advice_of, record_of

    record: dict[str, Any] = {"path": judged.path}
    if judged.answer is None:
      record["error"] = judged.error
    else:
      conditions = [f"{own.name}>={own.least:g}" for own in holding]
      record |= record_of(judged.answer) | {"advice": advice_of(judged.answer), "refused_for": conditions}
    print(",\n" if self._begun else "[\n", json.dumps(record), sep="", end="", flush=True)
    self._begun = True

  def end(self) -> None:
    print("\n]" if self._begun else "[]")
