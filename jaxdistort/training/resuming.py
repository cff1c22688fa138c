"""Whether a folder's run may go on with a config, and with which values."""

import dataclasses
from pathlib import Path
from typing import Any

from jaxdistort.config import TrainConfig
from jaxdistort.data import open_pictures
from jaxdistort.errors import InputError
from jaxdistort.inference.runs import damage_reported
from jaxdistort.training.checkpoints import read_kept

# How closely the run is watched, where its pictures, weights and arithmetic lie. (That the backbone's weights are the
# same is for the checkpoint to say.)
_FREE = frozenset(
  {
    "evaluate_every",
    "log_every",
    "steps_per_dispatch",
    "fsdp",
    "accumulate",
    "data.workers",
    "data.placement",
    "model.weights",
  }
)
_RESOLVED = ("compute_dtype",)  # fields whose "auto" a run resolves once, wherever it goes on


def settle(config: TrainConfig, workdir: Path) -> TrainConfig:
  """The config of a run in `workdir`: as given, but where the run there has settled what "auto" means, or began.

  The run's own config is that of its newest checkpoint. Fields that its version did not know count as the default.

  Raises:
    InputError: `workdir` holds a run whose results another config made, or the source is another that cannot be opened.
  """
  kept = read_kept(workdir)
  if kept is None:
    return config
  with damage_reported(f"of {workdir}", "; remove the newest to go on from an older one"):
    before = TrainConfig.from_dict(kept["config"])
  for name in _RESOLVED:
    if getattr(config, name) == "auto":
      config = dataclasses.replace(config, **{name: getattr(before, name)})
  if config.accumulate == 0:
    config = dataclasses.replace(config, accumulate=before.accumulate)
  if config.model.input_scaling == "auto":
    settled = dataclasses.replace(config.model, input_scaling=before.model.input_scaling)
    config = dataclasses.replace(config, model=settled)
  config = dataclasses.replace(config, init=before.init)  # kept for the record: the checkpoint has the weights
  then, now = _flatten(before.to_dict()), _flatten(config.to_dict())
  free = free_fields(config)
  changed = [name for name in now if name not in free and then[name] != now[name]]
  if "data.source" in changed and _holds(now["data.source"], kept["data"]["pictures"]):
    changed.remove("data.source")  # moved, renamed, prepared
  if changed:
    found = ", ".join(f"{name}={then[name]!r} (now {now[name]!r})" for name in changed)
    raise InputError(f"workdir {workdir}: holds a run with {found}; give another workdir, or remove it to begin anew")
  return config


def free_fields(config: TrainConfig) -> set[str]:
  """Fields that a resumed run may give other values, because its results do not depend on them."""
  length = set() if config.optimizer.schedule == "cosine" else {"steps"}  # a cosine ends at its last step
  return length | _FREE


def _holds(source: str, fingerprint: str) -> bool:
  """Whether a source gives the training pictures of this fingerprint; InputError where it cannot be opened."""
  return open_pictures(source, "train").fingerprint() == fingerprint


def _flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
  flat = {}
  for name, value in values.items():
    flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
  return flat
