"""Whether a folder's run may go on with a config."""

import json
from pathlib import Path
from typing import Any

from jaxdistort.config import TrainConfig
from jaxdistort.data.sources import same_sources
from jaxdistort.errors import InputError

# How closely the run is watched, where its pictures, weights and arithmetic lie. (That the base's weights are the same
# is for the checkpoint to say.)
_FREE = frozenset(
  {"evaluate_every", "log_every", "steps_per_dispatch", "fsdp", "data.workers", "data.placement", "model.weights"}
)


def check_same_run(config: TrainConfig, workdir: Path) -> None:
  """Raises InputError if `workdir` holds a run whose results another config made."""
  try:
    before = _flatten(json.loads((workdir / "config.json").read_text()))
  except FileNotFoundError:
    return
  except (OSError, ValueError) as error:
    raise InputError(f"workdir {workdir}: config.json cannot be read ({error}); give another workdir") from error
  if not any(path.name.isdigit() for path in workdir.glob("checkpoints/*")):
    return
  now = _flatten(config.to_dict())
  free = free_fields(config)
  changed = [name for name in now if name not in free and before.get(name) != now[name]]
  if "data.source" in changed and same_sources(before["data.source"], now["data.source"]):
    changed.remove("data.source")
  if changed:
    told = ", ".join(f"{name}={before.get(name)!r} (now {now[name]!r})" for name in changed)
    raise InputError(f"workdir {workdir}: holds a run with {told}; give another workdir, or remove it to begin anew")


def free_fields(config: TrainConfig) -> set[str]:
  """Fields that a resumed run may give other values, because its results do not depend on them."""
  length = set() if config.optimizer.schedule == "cosine" else {"steps"}  # a cosine ends at its last step
  return length | _FREE


def _flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
  flat = {}
  for name, value in values.items():
    flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
  return flat
