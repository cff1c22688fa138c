"""What a source of clean pictures is, and the table of all of them, which a new one joins in its own module."""

import abc
import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxdistort.data.splits import SPLITS, split_of
from jaxdistort.errors import InputError, choose
from jaxdistort.progress import Progress
from jaxdistort.registry import Registry


class Source(abc.ABC):
  """Clean pictures by index, 0..len-1. Its `repr` says where they are.

  It goes to worker processes: whatever it holds must pickle, and small.
  """

  @abc.abstractmethod
  def __len__(self) -> int: ...

  @abc.abstractmethod
  def __repr__(self) -> str: ...

  @abc.abstractmethod
  def name(self, index: int) -> str:
    """Names the picture in reports: a path, where it has one."""

  @abc.abstractmethod
  def original(self, index: int) -> str:
    """Names the original that the picture shows, the same wherever the picture lies.

    Splits keep an original's pictures together.
    """

  @abc.abstractmethod
  def load(self, index: int, size: int) -> np.ndarray:
    """Loads the picture as uint8 [size, size, 3], always the same (for files: the standard form).

    Args:
      index: 0..len-1.
      size: side in pixels.

    Raises:
      BrokenPicture: the file cannot be read as a picture.
    """

  def short_name(self, index: int) -> str:
    """The same as `name` without what all pictures of the source have in common."""
    return self.name(index)

  def file(self, index: int) -> str | None:
    """The file that the picture may have changed with; None if there is none."""
    del index

  @property
  def root(self) -> str | None:
    """The folder below which the pictures lie as a person put them there; None if there is none."""
    return None

  def identify(self, progress: Progress) -> None:
    """Learns which originals the pictures show, where that takes a while; else it is learnt when first asked for."""
    del progress

  def members(self, split: str) -> np.ndarray:
    """Indices int64 [n], ascending, of the pictures of a split, or of "all".

    Raises:
      InputError: no such split, or fewer than three originals.
    """
    choose("split", split, (*SPLITS, "all"))
    if split == "all":
      return np.arange(len(self))
    return np.flatnonzero(self._places == SPLITS.index(split))

  @functools.cached_property
  def _places(self) -> np.ndarray:
    """Of every picture, the place of its split in `SPLITS`, int8 [len]."""
    originals = [self.original(i) for i in range(len(self))]
    try:
      split = split_of(originals)
    except InputError as error:
      raise InputError(f"data source {self!r}: {error}") from None
    return np.array([SPLITS.index(split[original]) for original in originals], np.int8)

  def remarks(self) -> tuple[str, ...]:
    """What a person should know of the pictures, a line each: what was left out, or changed since they were copied."""
    return ()


class SourceKind(NamedTuple):
  """A kind of source, as a text names it: PREFIX, or PREFIX:ARGUMENT.

  Attributes:
    prefix: a word.
    open: makes the source, from the argument if the kind takes one; raises InputError if it cannot be opened.
    help: what the pictures are, in a few words.
    argument: what stands behind the colon, in capitals; "" if the kind takes none.
  """

  prefix: str
  open: Callable[..., Source]
  help: str
  argument: str = ""

  @property
  def usage(self) -> str:
    return f"{self.prefix}:{self.argument}" if self.argument else self.prefix


SOURCES: Registry[SourceKind] = Registry("data source")
"""Kinds of sources by prefix."""


def register_source(prefix: str, open: Callable[..., Source], help: str, argument: str = "") -> None:
  """Adds a kind of source; see `SourceKind`.

  Raises:
    ValueError: the prefix is taken.
  """
  SOURCES.register(prefix, SourceKind(prefix, open, help, argument))


def describe_sources(explained: bool = False) -> str:
  """How sources are named, for help and messages: one line, or a line of help for each kind."""
  kinds = sorted(SOURCES.values())
  if explained:
    width = max(len(kind.usage) for kind in kinds)
    return "\n".join(f"{kind.usage:{width}}  {kind.help}" for kind in kinds)
  return ", ".join(kind.usage for kind in kinds) + ", or a mix such as 0.9*samples+0.1*synthetic"
