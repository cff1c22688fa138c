"""With which config a run may go on."""

import jax
import pytest

from jaxdistort.config import TrainConfig
from jaxdistort.errors import InputError
from jaxdistort.training import resuming
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
