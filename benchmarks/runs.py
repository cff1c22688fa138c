"""The parts of a training run, built as the run builds them, but with random weights and without a folder to keep."""

import dataclasses
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from jaxdistort.config import TrainConfig
from jaxdistort.models import MODELS
from jaxdistort.models.weights import RANDOM
from jaxdistort.training.parts import Parts, create_parts


@contextmanager
def open_parts(config: TrainConfig, data: str | None = None) -> Generator[Parts]:
  """The parts of a run that nobody keeps.

  Args:
    config: of the run.
    data: clean pictures, the config's unless given.

  Raises:
    InputError: something in the config cannot be used.
  """
  config = with_data(without_weights(config), data)
  config.validate()
  with tempfile.TemporaryDirectory(prefix="benchmark") as folder:
    yield create_parts(config.resolved(None), None, Path(folder))


def without_weights(config: TrainConfig) -> TrainConfig:
  """The config with random weights in place of pretrained ones, which are as fast."""
  if not MODELS.find(config.model.name).pretrained:
    return config
  return dataclasses.replace(config, model=dataclasses.replace(config.model, weights=RANDOM))


def with_data(config: TrainConfig, source: str | None) -> TrainConfig:
  """The config with other clean pictures, if there are any given."""
  if source is None:
    return config
  return dataclasses.replace(config, data=dataclasses.replace(config.data, source=source))
