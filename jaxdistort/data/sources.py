"""Where clean pictures come from: sources by name, alone and mixed."""

import re
from typing import NamedTuple, Protocol

import numpy as np

from jaxdistort.data.dead_leaves import DeadLeaves
from jaxdistort.data.folder import Folder, SamplePhotographs
from jaxdistort.data.prepared import Prepared
from jaxdistort.data.tfds import TensorFlowDataset
from jaxdistort.errors import InputError


class Source(Protocol):
  """Clean pictures by index. Its `repr` is the same in every process that reads the same pictures."""

  def __len__(self) -> int: ...

  def file(self, index: int) -> str | None:
    """The file that the picture may have changed with, if there is one."""
    ...

  def name(self, index: int) -> str:
    """Names the picture in reports: a path, where it has one."""
    ...

  def original(self, index: int) -> str:
    """Names the original that the picture shows; splits keep an original's pictures together."""
    ...

  def load(self, index: int, size: int) -> np.ndarray:
    """Loads the picture as uint8 [size, size, 3], always the same (for files: the standard form).

    Args:
      index: 0..len-1.
      size: side in pixels.

    Raises:
      BrokenPicture: the file cannot be read as a picture.
    """
    ...


class WeightedSource(NamedTuple):
  """A source and its share in a mix."""

  source: Source
  weight: float


_HEADS = r"(?:\d*\.?\d+\*)?(?:folder:|tfds:|prepared:|samples\b|synthetic\b)"


def parse_sources(spec: str) -> list[WeightedSource]:
  """Opens the sources that a text names.

  Args:
    spec: `folder:PATH`, `samples`, `synthetic`, `tfds:NAME`, `prepared:DIR` (of scripts/prepare.py), or a mix of
      these with optional weights: `samples+synthetic`, `0.9*folder:photos+0.1*synthetic`.

  Raises:
    InputError: a name that is none of these, or a source that cannot be opened.
  """
  parts = re.split(rf"\+(?={_HEADS})", spec.strip())
  mix = []
  for part in parts:
    match = re.fullmatch(r"(?:(\d*\.?\d+)\*)?(.+)", part, re.DOTALL)
    weight = float(match[1]) if match and match[1] else 1.0
    if weight <= 0:
      raise InputError(f"data source {part!r}: a weight must be above 0")
    mix.append(WeightedSource(_open(match[2] if match else part), weight))
  return mix


def same_sources(first: str, second: str) -> bool:
  """Whether two texts name the same pictures in the same shares, prepared or not."""
  try:
    return first == second or repr(parse_sources(first)) == repr(parse_sources(second))
  except InputError:
    return False


def _open(spec: str) -> Source:
  kind, colon, argument = spec.partition(":")
  if spec == "samples":
    return SamplePhotographs()
  if spec == "synthetic":
    return DeadLeaves()
  if colon and argument and kind == "folder":
    return Folder(argument)
  if colon and argument and kind == "tfds":
    return TensorFlowDataset(argument)
  if colon and argument and kind == "prepared":
    return Prepared(argument)
  raise InputError(
    f"data source {spec!r}: expected folder:PATH, samples, synthetic, tfds:NAME, prepared:DIR, "
    "or a mix such as samples+synthetic"
  )
