"""A source of pictures that keeps whoever loads them waiting: so a test knows when work is under way, on any machine.

Its folder and a number name it, `gated:FOLDER:COUNT`. A process that loads may load COUNT pictures; before the next one
it makes FOLDER/waiting, and goes on once there is FOLDER/go.
"""

import time
from pathlib import Path

import numpy as np

from jaxdistort.data.source import Source, register_source

_loaded = 0  # by this process


class Gated(Source):
  """Flat pictures: enough for two shards, and for more batches than a test waits for."""

  def __init__(self, argument: str):
    folder, _, count = argument.rpartition(":")
    self.folder, self.count = Path(folder), int(count)

  def __len__(self) -> int:
    return 2048

  def __repr__(self) -> str:
    return f"gated:{self.folder}"

  def name(self, index: int) -> str:
    return f"gated/{index}"

  def original(self, index: int) -> str:
    return self.name(index)

  def load(self, index: int, size: int) -> np.ndarray:
    global _loaded  # noqa: PLW0603
    if _loaded == self.count:
      (self.folder / "waiting").touch()
      while not (self.folder / "go").exists():
        time.sleep(0.01)
    _loaded += 1
    return np.full((size, size, 3), index % 256, np.uint8)


def register() -> None:
  """Adds it to the sources of this process; a worker gets it from its parent."""
  register_source("gated", Gated, "pictures that wait", "FOLDER:COUNT")
