"""What programs for people with pictures find, on the same labelled pictures: ours, CleanVision, image-quality-ai.

python -m benchmarks.finders labels.csv clean.csv

For each of blurred, noisy, dark and bright: how many of the pictures with that label are found, how many of those that
are found have it, and on how many clean pictures it is found (a false alarm). A picture whose label leaves something
open counts nowhere. Of the others whichever is installed takes part: pip install cleanvision image-quality-ai.
"""

import argparse
import importlib.util
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxdistort.data.labelled import LabelledPicture, open_labelled
from jaxdistort.distortions import DISTORTIONS, GROUPS
from jaxdistort.evaluation.labels import OTHER_NAMES
from jaxdistort.inference import load
from jaxdistort.inference.files import judge_files
from jaxdistort.tasks import Answer

FAULTS = ("blurred", "noisy", "dark", "bright")
_OF_NAMES = {"blur": "blurred", "noise": "noisy", "underexposure": "dark", "overexposure": "bright"}
_CLEANVISION = {"blurred": "is_blurry_issue", "dark": "is_dark_issue", "bright": "is_light_issue"}

Found = list[set[str]]
"""Faults of each picture; a program that cannot tell a fault finds none of it."""


class Row(NamedTuple):
  """A program's figures for one fault.

  Attributes:
    program: its name.
    fault: one of `FAULTS`.
    found: of the pictures that have it.
    present: pictures that have it.
    wrong: pictures on which it is found and which have others alone.
    alarms: clean pictures on which it is found.
    clean: clean pictures.
  """

  program: str
  fault: str
  found: int
  present: int
  wrong: int
  alarms: int
  clean: int

  @property
  def precision(self) -> float:
    return self.found / max(1, self.found + self.wrong + self.alarms)


def main(words: Sequence[str] | None = None) -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("tables", nargs="+", type=Path, help="as of evaluate --data labelled:FILE.csv")
  parser.add_argument("--checkpoint", default=None, help="of ours; the weights of the package unless given")
  arguments = parser.parse_args(words)
  rows = [own for table in arguments.tables for own in open_labelled(f"labelled:{table}").rows]
  pictures = [own for own in rows if is_known(own)]
  truths = [faults_of(own) for own in pictures]
  print(f"{len(pictures)} pictures, {sum(not own.labels for own in pictures)} of them clean\n")
  print("| program | pictures/s | fault | found | precision | false alarms on clean ones |")
  print("|---|---|---|---|---|---|")
  for name, find in programs(arguments.checkpoint):
    begun = time.perf_counter()
    found = find([str(own.path) for own in pictures])
    speed = len(pictures) / (time.perf_counter() - begun)
    for row in figures(name, truths, [not own.labels for own in pictures], found):
      print(
        f"| {row.program} | {speed:.0f} | {row.fault} | {row.found} of {row.present} | {row.precision:.2f} "
        f"| {row.alarms} of {row.clean} |"
      )


def is_known(picture: LabelledPicture) -> bool:
  """Whether all its labels are names of distortions or groups, and none is in doubt."""
  return not picture.doubtful and all(name in DISTORTIONS or name in GROUPS for name in _names(picture))


def faults_of(picture: LabelledPicture) -> set[str]:
  """What of `FAULTS` a picture is labelled with."""
  names = _names(picture)
  return _faults(names | {DISTORTIONS[name].group for name in names if name in DISTORTIONS})


def _names(picture: LabelledPicture) -> set[str]:
  return {OTHER_NAMES.get(label.name, label.name) for label in picture.labels}


def _faults(names: set[str]) -> set[str]:
  """Of names of kinds and groups."""
  return {fault for name, fault in _OF_NAMES.items() if name in names}


def figures(program: str, truths: Sequence[set[str]], clean: Sequence[bool], found: Found) -> Iterator[Row]:
  """The rows of a program, a fault each."""
  for fault in FAULTS:
    has = [fault in own for own in truths]
    said = [fault in own for own in found]
    yield Row(
      program,
      fault,
      sum(a and b for a, b in zip(has, said, strict=True)),
      sum(has),
      sum(said and not has and not own for has, said, own in zip(has, said, clean, strict=True)),
      sum(a and b for a, b in zip(clean, said, strict=True)),
      sum(clean),
    )


def programs(checkpoint: str | None) -> Iterator[tuple[str, Callable[[list[str]], Found]]]:
  """Those that are installed, by their names."""
  yield "jaxdistort", lambda paths: _ours(checkpoint, paths)
  if importlib.util.find_spec("cleanvision"):
    yield "CleanVision", _cleanvision
  if importlib.util.find_spec("image_quality_ai"):
    yield "image-quality-ai", _image_quality_ai


def _ours(checkpoint: str | None, paths: list[str]) -> Found:
  judged = judge_files(load(checkpoint), paths, native=False, workers=2)
  return [set() if own.answer is None else _faults(_found(own.answer)) for own in judged]


def _found(answer: Answer) -> set[str]:
  """Names of the groups and kinds."""
  groups = {group.group for group in answer.groups if group.found}
  return groups | {finding.kind for finding in answer.findings if finding.found}


def _cleanvision(paths: list[str]) -> Found:
  from cleanvision import Imagelab

  with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    lab: Any = Imagelab(filepaths=paths)
    lab.find_issues({"blurry": {}, "dark": {}, "light": {}}, n_jobs=1, verbose=False)
  issues = lab.issues.to_dict("index")  # of pictures that it reads: not of BMP and TIFF
  return [{fault for fault, column in _CLEANVISION.items() if issues.get(path, {}).get(column)} for path in paths]


def _image_quality_ai(paths: list[str]) -> Found:
  import image_quality_ai

  low = image_quality_ai.DEFAULT_THRESHOLDS.exposure_mean_low
  found = []
  for path in paths:
    metrics = image_quality_ai.assess(path).metrics
    failed = {name for name, metric in metrics.items() if metric.applies and not metric.ok}
    own = {fault for fault, name in (("blurred", "sharpness"), ("noisy", "noise")) if name in failed}
    if "exposure" in failed:
      own.add("dark" if metrics["exposure"].value < low else "bright")
    found.append(own)
  return found


if __name__ == "__main__":
  main()
