"""Sources by name, alone and mixed."""

import re
import weakref
from typing import NamedTuple

# Each registers itself.
from jaxdistort.data import cuts, dead_leaves, folder, prepared, samples, tfds  # noqa: F401
from jaxdistort.data.source import SOURCES, Source, describe_sources
from jaxdistort.errors import InputError
from jaxdistort.progress import SILENT, Progress


class WeightedSource(NamedTuple):
  """A source and its share in a mix."""

  source: Source
  weight: float


def parse_sources(spec: str, progress: Progress = SILENT) -> list[WeightedSource]:
  """Opens the sources that a text names.

  Args:
    spec: as `describe_sources` says: `folder:PATH`, `samples`, ..., or a mix of these with optional weights, such as
      `samples+synthetic`, `0.9*folder:photos+0.1*synthetic`.
    progress: counts files that must be identified, and hears, once, what is to be known of the pictures.

  Raises:
    InputError: a name that is none of these, or a source that cannot be opened.
  """
  mix = []
  for part in re.split(rf"\+(?={_heads()})", spec.strip()):
    match = re.fullmatch(r"(?:(\d*\.?\d+)\*)?(.+)", part, re.DOTALL)
    weight = float(match[1]) if match and match[1] else 1.0
    if weight <= 0:
      raise InputError(f"data source {part!r}: a weight must be above 0")
    mix.append(WeightedSource(_open(match[2] if match else part), weight))
  if progress is not SILENT:  # looking for changes may ask for the state of millions of files
    for source, _ in mix:
      source.identify(progress)
      _tell_remarks(source, progress)
  return mix


def _heads() -> str:
  """A pattern of how every source begins: behind a plus, another one."""
  kinds = (re.escape(kind.prefix) + (":" if kind.argument else r"\b") for kind in SOURCES.values())
  return rf"(?:\d*\.?\d+\*)?(?:{'|'.join(kinds)})"


def _open(spec: str) -> Source:
  prefix, colon, argument = spec.partition(":")
  kind = SOURCES.get(prefix)
  if kind and kind.argument and argument:
    return kind.open(argument)
  if kind and not kind.argument and not colon:
    return kind.open()
  raise InputError(f"data source {spec!r}: expected {describe_sources()}")


_told: weakref.WeakKeyDictionary[Progress, set[str]] = weakref.WeakKeyDictionary()


def _tell_remarks(source: Source, progress: Progress) -> None:
  """Once, though the source may be opened again."""
  told = _told.setdefault(progress, set())
  for remark in source.remarks():
    if remark not in told:
      told.add(remark)
      progress.tell(remark)
