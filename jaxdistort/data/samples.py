"""The sample photographs that come with scikit-image and scikit-learn."""

import functools
import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image

from jaxdistort.data.pictures import random_view, read_picture
from jaxdistort.data.source import Source, register_source
from jaxdistort.errors import InputError


class SamplePhotographs(Source):
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

  def name(self, index: int) -> str:
    return f"{'/'.join(self._FILES[index // self.VIEWS])}#{index % self.VIEWS}"

  def original(self, index: int) -> str:
    # Both motorcycles are one scene: left and right eye.
    name = Path(self._FILES[index // self.VIEWS][-1]).stem
    return f"samples/{name.removesuffix('_left').removesuffix('_right')}"

  def load(self, index: int, size: int) -> np.ndarray:
    picture = _sample(*self._FILES[index // self.VIEWS])
    return random_view(picture, size, np.random.default_rng(index), smallest=1.5 * size)


register_source("samples", SamplePhotographs, "photographs that come with scikit-image and scikit-learn")


@functools.cache
def _sample(package: str, *parts: str) -> Image.Image:
  specification = importlib.util.find_spec(package)  # finds the files without importing the package
  if specification is None or specification.origin is None:
    raise InputError(f"data source samples: the package {package} is not installed")
  return read_picture(Path(specification.origin).parent.joinpath(*parts))
