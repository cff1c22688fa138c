"""Inference: a recogniser, from a run or a model file, and what it says of pictures."""

import os
from importlib import resources
from pathlib import Path

import jax
from jax.sharding import Sharding, SingleDeviceSharding

from jaxdistort.errors import InputError
from jaxdistort.inference.description import Description
from jaxdistort.inference.locating import Maps, locate
from jaxdistort.inference.loop import one_behind
from jaxdistort.inference.model_file import SUFFIX, read_model_file, write_model_file
from jaxdistort.inference.predicting import predict, predict_stream
from jaxdistort.inference.recogniser import Recogniser
from jaxdistort.inference.tiling import ScoredPicture, TiledPicture, cannot_tell, gradients_of, score_pictures

__all__ = [
  "Description",
  "Maps",
  "Recogniser",
  "ScoredPicture",
  "TiledPicture",
  "cannot_tell",
  "gradients_of",
  "load",
  "locate",
  "one_behind",
  "predict",
  "predict_stream",
  "read_model_file",
  "score_pictures",
  "write_model_file",
]


_SHIPPED = "recogniser.safetensors"


def load(path: str | Path | None = None, *, sharding: Sharding | None = None, weights: str | None = None) -> Recogniser:
  """Loads a recogniser.

  Args:
    path: a model file (.safetensors), a run's folder (its best checkpoint), or one checkpoint; None: the recogniser
      that comes with the package.
    sharding: where its weights go; the first device if None.
    weights: file of the backbone of a transfer network that a run kept elsewhere, where it is not where the training
      found it.

  Raises:
    InputError: there is nothing there that can be used.
  """
  sharding = sharding or SingleDeviceSharding(jax.devices()[0])
  if path is None:
    with resources.as_file(resources.files("jaxdistort.inference").joinpath(_SHIPPED)) as file:
      return read_model_file(file, sharding)
  place = Path(os.path.expanduser(path))
  if place.is_file():
    if weights is not None:
      raise InputError(f"weights {weights}: model {path} holds all weights of its network")
    return read_model_file(place, sharding)
  if place.suffix == SUFFIX and not place.exists():
    raise InputError(f"model {path}: no such file")
  from jaxdistort.inference.runs import read_run  # Orbax takes a second to import

  return read_run(path, sharding, weights)
