"""A recogniser from the checkpoints of a run (Orbax)."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from absl import logging
from flax import nnx
from jax.sharding import Sharding

from jaxdistort.data import Seen
from jaxdistort.errors import InputError, reason_of
from jaxdistort.files import check_unicode, parse_json, read_json
from jaxdistort.inference.description import Description
from jaxdistort.inference.recogniser import Recogniser
from jaxdistort.models import Variables, split_network
from jaxdistort.models.weights import RANDOM, check_reference, load_backbone, open_backbone, refer

FOLDER = "checkpoints"
"""Below a run's folder, where its checkpoints are."""
SELECTED = "selected"
"""The name, in a checkpoint's metrics, of the figure by which the best is chosen."""


_ADVICE = "; give another checkpoint of the run"


def selected(metrics: dict[str, float]) -> float:
  """The figure by which checkpoints are compared; higher is better."""
  return metrics[SELECTED]


def best_step(manager: ocp.CheckpointManager) -> int | None:
  """The best by validation; the newest if none was validated."""
  best = manager.best_step()
  return manager.latest_step() if best is None else best


def check_figures(folder: Path) -> None:
  """Raises InputError where a checkpoint has figures that cannot be read: Orbax reads those of all, old ones too."""
  if folder.exists() and not folder.is_dir():
    raise InputError(f"{folder}: is a file, where the checkpoints of a run should be")
  for place in folder.iterdir() if folder.is_dir() else ():
    file = place / "metrics" / "metrics"
    if place.name.isdigit() and file.exists() and not isinstance(read_json(file).get(SELECTED), int | float):
      raise InputError(
        f"checkpoint {place}: its figures are damaged ({file}); remove the folder {file.parent}, and it counts as one "
        "that was not validated, or remove the checkpoint"
      )


@contextmanager
def open_read_only(folder: Path) -> Generator[ocp.CheckpointManager]:
  """The checkpoints in a folder, without Orbax' warnings that it will not write there."""
  options = ocp.CheckpointManagerOptions(best_fn=selected, read_only=True, create=False, save_interval_steps=0)
  check_unicode(folder)
  check_figures(folder)
  before = logging.get_verbosity()
  logging.set_verbosity(logging.ERROR)
  try:
    with ocp.CheckpointManager(folder, options=options) as manager:
      yield manager
  finally:
    logging.set_verbosity(before)


def read_run(path: str | Path, sharding: Sharding, weights: str | None = None) -> Recogniser:
  """Reads the best checkpoint of a run, or a given one.

  Args:
    path: a run's folder, its checkpoints folder, or one checkpoint in it.
    sharding: where the variables go.
    weights: file of the backbone of a transfer network; where the training found it if None.

  Raises:
    InputError: there is no checkpoint, or it cannot be read; the backbone's weights are missing, or others.
  """
  place = Path(os.path.expanduser(path)).absolute()
  chosen = int(place.name) if place.name.isdigit() and place.parent.name == FOLDER else None
  folder = place.parent if chosen is not None else place / FOLDER
  if not folder.is_dir() and place.name == FOLDER:
    folder = place
  if not folder.is_dir():
    kind = "holds no checkpoints" if place.exists() else "does not exist"
    raise InputError(f"checkpoint {path}: {kind}; give the folder of a run, or a model file")
  with open_read_only(folder) as manager:
    step = best_step(manager) if chosen is None else chosen
    if step is None or step not in manager.all_steps():
      raise InputError(f"checkpoint {path}: no complete checkpoint there")
    return _read(manager, folder / str(step), sharding, weights)


def _read(manager: ocp.CheckpointManager, place: Path, sharding: Sharding, weights: str | None) -> Recogniser:
  step = int(place.name)
  with damage_reported(place, _ADVICE):
    items = ocp.args.Composite(description=ocp.args.JsonRestore(), data=ocp.args.JsonRestore())
    kept = manager.restore(step, args=items)
    description, seen = Description.from_dict(kept["description"]), Seen.from_text(kept["data"]["seen"])
  structure, like = split_network(nnx.eval_shape(lambda: description.network.build(nnx.Rngs(0))))
  frozen = {}
  if like.frozen:
    frozen = _frozen(place, description, like, sharding, weights)
  elif weights is not None:
    raise InputError(f"weights {weights}: checkpoint {place} holds all weights of its network")
  shapes = {"parameters": like.parameters, "statistics": like.statistics}
  wanted = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), shapes)
  # Partial: the optimiser's state, twice as large as the network, stays on disk.
  restore = ocp.args.PyTreeRestore(
    wanted, restore_args=ocp.checkpoint_utils.construct_restore_args(wanted), partial_restore=True
  )
  with damage_reported(place, _ADVICE):
    check_array_metadata(place)
    state = manager.restore(step, args=ocp.args.Composite(state=restore))["state"]
  return Recogniser(description, structure, Variables(**state, frozen=frozen), place, step, seen)


def _frozen(place: Path, description: Description, like: Variables, sharding: Sharding, weights: str | None) -> Any:
  """The frozen variables that a checkpoint refers to, from their file or, if they were random, drawn again."""
  network, kept = description.network, description.backbone
  given = kept["path"] if weights is None else weights
  file = open_backbone(network.name, given, what="weights")
  check_reference(place, kept, refer(network.name, given, network.fine_tune, file))
  if given != RANDOM and file:
    return load_backbone(file, like, sharding).frozen
  seed = int(kept["seed"])
  draw = jax.jit(lambda: split_network(network.draw(seed))[1].frozen, out_shardings=sharding)
  return draw()


def check_array_metadata(checkpoint: Path) -> None:
  """Raises ValueError on what would make Orbax' threads write stack traces, besides the error that it raises."""
  for file in (checkpoint / "state" / "array_metadatas").glob("*"):
    parse_json(file.read_bytes())


@contextmanager
def damage_reported(checkpoint: Any, advice: str = "") -> Generator[None]:
  """Reports in one line what storage makes of damaged files; whatever else goes wrong is a bug, and stays one."""
  try:
    yield
  except InputError:
    raise
  except PermissionError as error:
    raise InputError(f"checkpoint {checkpoint}: cannot be read ({reason_of(error)}: {error.filename})") from error
  except (OSError, ValueError, KeyError, TypeError) as error:  # of Orbax and what is below it
    reason = " ".join(str(error).split())[:200]
    raise InputError(f"checkpoint {checkpoint}: is damaged ({type(error).__name__}: {reason}){advice}") from error
