"""The distortions of other libraries, for comparison: each in its own best form, on pictures in its own layout.

Nothing here is needed by the rest of the project, and nothing of them is imported before it is asked for.
"""

import importlib.util

import numpy as np

from benchmarks.peers.albumentations import Albumentations
from benchmarks.peers.corruptions import Corruptions
from benchmarks.peers.jhlabs import JHLabs
from benchmarks.peers.kornia import Kornia
from benchmarks.peers.opencv import OpenCV
from benchmarks.peers.work import Library, Work

__all__ = [
  "PEERS",
  "Albumentations",
  "Corruptions",
  "JHLabs",
  "Kornia",
  "Library",
  "OpenCV",
  "Work",
  "installed_peers",
]

PEERS = ("imagecorruptions", "JH Labs", "kornia", "OpenCV", "albumentations")
"""The names of their columns."""

_INSTALLED = (
  (Kornia, ("torch", "kornia")),
  (OpenCV, ("cv2",)),
  (Albumentations, ("albumentations",)),
)


def installed_peers(images: np.ndarray) -> tuple[list[Library], list[str]]:
  """Those of kornia, OpenCV and albumentations that are installed, and a line for each that is not.

  Args:
    images: the pictures to be distorted, uint8 [B, S, S, 3].
  """
  peers: list[Library] = []
  missing = []
  for library, needs in _INSTALLED:
    if all(importlib.util.find_spec(module) for module in needs):
      peers.append(library(images))
    else:
      missing.append(f"{library.name} is not installed: pip install 'jaxdistort[bench]'")
  return peers, missing
