"""Pictures of a folder, and the sample photographs that come with scikit-image and scikit-learn."""

import functools
import importlib.util
import os
from pathlib import Path

import numpy as np
from PIL import Image

from jaxdistort.data.pictures import SUFFIXES, random_view, read_picture, standardise
from jaxdistort.errors import InputError


class Folder:
  """Every picture below a folder, in the order of their relative paths.

  Files without a picture's suffix, hidden files and hidden folders are ignored; a broken picture shows
  when it is loaded.

  Raises:
    InputError: no such folder, or no picture in it.
  """

  def __init__(self, path: str | os.PathLike[str]):
    self._root = os.path.realpath(os.path.expanduser(os.fspath(path)))
    if not os.path.isdir(self._root):
      kind = "is a file, not a folder" if os.path.exists(self._root) else "does not exist"
      raise InputError(f"data source folder:{path}: {self._root} {kind}")
    self._names = sorted(_picture_names(self._root))
    if not self._names:
      kinds = ", ".join(sorted(s[1:] for s in SUFFIXES))
      raise InputError(f"data source folder:{path}: no picture in {self._root} or below it ({kinds})")

  def __len__(self) -> int:
    return len(self._names)

  def __repr__(self) -> str:
    return f"folder:{self._root}"

  def file(self, index: int) -> str:
    return self.name(index)

  def name(self, index: int) -> str:
    return os.path.join(self._root, self._names[index])

  def original(self, index: int) -> str:
    return self._names[index]

  def load(self, index: int, size: int) -> np.ndarray:
    return standardise(read_picture(self.name(index)), size)


def _picture_names(root: str) -> list[str]:
  """Relative paths, with / between the parts on every system; links to folders are followed once."""
  found, visited = [], {root}
  for folder, subfolders, files in os.walk(root, followlinks=True):
    subfolders[:] = sorted(s for s in subfolders if not s.startswith("."))
    for subfolder in list(subfolders):
      place = os.path.realpath(os.path.join(folder, subfolder))
      if place in visited:
        subfolders.remove(subfolder)
      visited.add(place)
    relative = os.path.relpath(folder, root)
    for file in files:
      if not file.startswith(".") and os.path.splitext(file)[1].lower() in SUFFIXES:
        found.append(Path(relative, file).as_posix())
  return found


class SamplePhotographs:
  """Photographs that come with scikit-image and scikit-learn, each in many crops and scales.

  Views are cut at one and a half times the wanted size or more, so that a view is as sharp as a
  photograph that was shrunk to it.
  """

  VIEWS = 64
  _FILES = (
    *(("skimage", "data", f"{name}.png") for name in ("astronaut", "brick", "camera", "chelsea", "coffee", "coins")),
    *(("skimage", "data", f"{name}.png") for name in ("grass", "gravel", "ihc", "moon")),
    *(("skimage", "data", f"{name}.png") for name in ("motorcycle_left", "motorcycle_right")),
    *(("skimage", "data", f"{name}.jpg") for name in ("hubble_deep_field", "retina", "rocket")),
    *(("sklearn", "datasets", "images", f"{name}.jpg") for name in ("china", "flower")),
  )

  def __len__(self) -> int:
    return len(self._FILES) * self.VIEWS

  def __repr__(self) -> str:
    return "samples"

  def file(self, index: int) -> None:
    return None

  def name(self, index: int) -> str:
    return f"{'/'.join(self._FILES[index // self.VIEWS])}#{index % self.VIEWS}"

  def original(self, index: int) -> str:
    # Both motorcycles are one scene: left and right eye.
    name = Path(self._FILES[index // self.VIEWS][-1]).stem
    return f"samples/{name.removesuffix('_left').removesuffix('_right')}"

  def load(self, index: int, size: int) -> np.ndarray:
    picture = _sample(*self._FILES[index // self.VIEWS])
    return random_view(picture, size, np.random.default_rng(index), smallest=1.5 * size)


@functools.cache
def _sample(package: str, *parts: str) -> Image.Image:
  specification = importlib.util.find_spec(package)  # finds the files without importing the package
  if specification is None or specification.origin is None:
    raise InputError(f"data source samples: the package {package} is not installed")
  return read_picture(Path(specification.origin).parent.joinpath(*parts))
