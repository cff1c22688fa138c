"""With which config a run may go on."""

import dataclasses
from types import SimpleNamespace

import jax
import pytest

from jaxdistort.config import TrainConfig
from jaxdistort.errors import InputError
from jaxdistort.inference import load
from jaxdistort.models.weights import refer
from jaxdistort.training import resuming
from jaxdistort.training.checkpoints import Checkpoints
from jaxdistort.training.parts import check_part
from tests.training.tiny import get_config, save_untrained


def test_what_auto_means_is_settled_once(tmp_path, monkeypatch):
  """A run that moves to another kind of device keeps its precision; one that says another is refused."""
  config = get_config()
  config.model.name, config.steps = "softmax", 1
  save_untrained(config, tmp_path)
  assert resuming.read_kept(tmp_path)["config"]["compute_dtype"] == "float32"
  monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
  assert resuming.settle(config, tmp_path).compute_dtype == "float32"
  config.compute_dtype = "bfloat16"
  with pytest.raises(InputError, match=r"compute_dtype='float32' \(now 'bfloat16'\)"):
    resuming.settle(config, tmp_path)


def test_what_a_name_stands_for_may_not_have_changed(tmp_path):
  """Else the outputs of a network would get the names of others."""
  config = get_config()
  config.model.name, config.steps = "softmax", 1
  save_untrained(config, tmp_path)
  recogniser = load(tmp_path)
  reference = refer("softmax", "random", False, None)
  other = dataclasses.replace(recogniser.description, protocol=recogniser.description.protocol | {"period": 3})
  with Checkpoints(tmp_path, recogniser.description, reference) as checkpoints:
    checkpoints.check_description()
  refused = pytest.raises(InputError, match="protocol variable was defined otherwise")
  with Checkpoints(tmp_path, other, reference) as checkpoints, refused:
    checkpoints.check_description()


def test_pictures_enter_as_they_did(tmp_path, monkeypatch):
  """Whatever the file of weights says that is given now, or that there is none."""
  kept = get_config().resolved(None).to_dict()
  kept["model"]["input_scaling"] = "keras"
  monkeypatch.setattr(resuming, "read_kept", lambda workdir: {"config": kept, "data": {"pictures": ""}})
  assert resuming.settle(get_config(), tmp_path).model.input_scaling == "keras"


def test_a_part_of_one_picture_is_refused_where_pictures_are_compared():
  with pytest.raises(InputError, match=r"multiscale learns from 2 pictures at once or more; .* leaves 1"):
    check_part(1, SimpleNamespace(least_part=2), "multiscale")
  check_part(1, SimpleNamespace(), "compact")


def test_a_run_of_another_version_goes_on(tmp_path, monkeypatch):
  """Its config lacks a field that came since, and has one that is gone."""
  config = get_config()
  config.model.name, config.steps = "softmax", 1
  save_untrained(config, tmp_path)
  kept = config.resolved(None).to_dict()
  del kept["task"], kept["optimizer"]["clip_norm"]
  kept["data"]["gone"] = 3
  monkeypatch.setattr(resuming, "read_kept", lambda workdir: {"config": kept, "data": {"pictures": ""}})
  assert resuming.settle(config, tmp_path).optimizer == config.optimizer
  assert TrainConfig.from_dict(kept) == config.resolved(None)
  config.optimizer.clip_norm = 1.0
  with pytest.raises(InputError, match=r"optimizer.clip_norm=0.0 \(now 1.0\)"):
    resuming.settle(config, tmp_path)
