"""Configs: what they refuse, and the files that ship."""

import dataclasses
import json
import runpy
from pathlib import Path

import pytest

from jaxdistort.config import TaskConfig, TrainConfig
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
    ("protocol.name", "seven", "protocol.name: 'seven' is not one of"),
    ("task.name", "recognise", "task.name: 'recognise' is not one of .* did you mean 'recognition'"),
    ("protocol.jpeg_quality", 101, r"protocol.jpeg_quality must be within -1\.\.100"),
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
  config = TrainConfig(batch_size=7, task=TaskConfig("recognition"))
  assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
  assert dataclasses.asdict(config)["data"]["source"]


def test_configs_of_other_versions_are_understood():
  """Fields that came since have their defaults; fields that are gone are left out."""
  kept = TrainConfig(batch_size=7).to_dict()
  del kept["task"], kept["model"]["pool"]
  kept["data"]["cache"], kept["momentum"] = "disk", 0.9
  assert TrainConfig.from_dict(kept) == TrainConfig(batch_size=7)


def test_what_auto_means_here_is_written_down():
  config = TrainConfig().resolved(None)
  assert (config.compute_dtype, config.model.input_scaling) == ("float32", "centered")
  assert TrainConfig(compute_dtype="bfloat16").resolved(None).compute_dtype == "bfloat16"
