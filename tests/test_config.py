"""Configs: what they refuse, and the files that ship."""

import dataclasses
import runpy
from pathlib import Path

import pytest

from jaxdistort.config import TrainConfig
from jaxdistort.errors import InputError

_FILES = sorted((Path(__file__).parents[1] / "configs").glob("*.py"))


@pytest.mark.parametrize("file", _FILES, ids=lambda f: f.stem)
def test_shipped_configs_are_valid_and_described(file):
  module = runpy.run_path(str(file))
  module["get_config"]().validate()
  for word in ("python scripts/train.py --config", "accuracy", "CPU"):
    assert word in module["__doc__"], f"{file.name}: its docstring says nothing of {word!r}"


def test_the_asked_for_configs_ship():
  assert {"quickstart", "softmax", "vgg_scratch"} <= {file.stem for file in _FILES}


@pytest.mark.parametrize(
  ("field", "value", "message"),
  [
    ("batch_size", 0, "batch_size must be at least 1, got 0"),
    ("model.name", "vgg", "model.name: 'vgg' is not one of"),
    ("optimizer.name", "rmspro", "did you mean 'rmsprop'"),
    ("protocol.name", "seven", "protocol.name"),
    ("protocol.jpeg_quality", 101, r"protocol.jpeg_quality must be within 0\.\.100"),
    ("data.image_size", 8, r"data.image_size must be within 32\.\.4096"),
    ("optimizer.learning_rate", float("nan"), "optimizer.learning_rate"),
    ("compute_dtype", "float16", "compute_dtype"),
  ],
)
def test_values_that_cannot_work_are_named(field, value, message):
  config = TrainConfig()
  *sections, name = field.split(".")
  section = config
  for part in sections:
    section = getattr(section, part)
  setattr(section, name, value)
  with pytest.raises(InputError, match=message):
    config.validate()


def test_configs_survive_json():
  config = TrainConfig(batch_size=7)
  assert TrainConfig.from_dict(config.to_dict()) == config
  with pytest.raises(InputError, match=r"'data.sorce' is not one of"):
    TrainConfig.from_dict({"data": {"sorce": "samples"}})
  assert dataclasses.asdict(config)["data"]["source"]
