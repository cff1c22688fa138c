"""Checkpoints of a run: the newest and the best, written while training goes on (Orbax)."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jax
import orbax.checkpoint as ocp
from flax import nnx
from jax.sharding import Sharding
from orbax.checkpoint.checkpoint_managers import preservation_policy as policy

from jaxdistort.config import TrainConfig
from jaxdistort.errors import CheckpointFailed, InputError
from jaxdistort.models import Variables, split_network
from jaxdistort.weights import BaseReference, check_reference, load_base, open_base, refer

FOLDER = "checkpoints"


def _accuracy(metrics: dict[str, float]) -> float:
  return metrics["accuracy"]


class Checkpoints:
  """The checkpoints below a run's folder; a context manager that finishes writing on leaving.

  A checkpoint counts once it is complete: it is written beside its place and renamed, so a process
  killed at any moment leaves the one before.

  Args:
    workdir: the run's folder.
    base: the weights that the network stands on, which are not saved.
  """

  def __init__(self, workdir: Path, base: BaseReference = BaseReference()):  # noqa: B008  # immutable
    self._base = base
    options = ocp.CheckpointManagerOptions(
      best_fn=_accuracy,
      # A `max_to_keep` would count by metric alone and could delete the newest, and with it the resume.
      preservation_policy=policy.AnyPreservationPolicy(
        [policy.LatestN(1), policy.BestN(get_metric_fn=_accuracy, n=1, keep_checkpoints_without_metrics=False)]
      ),
      cleanup_tmp_directories=True,
    )
    self._manager = ocp.CheckpointManager((workdir / FOLDER).absolute(), options=options)

  def __enter__(self) -> "Checkpoints":
    return self

  def __exit__(self, *error: object) -> None:
    self._manager.close()

  @property
  def latest_step(self) -> int | None:
    return self._manager.latest_step()

  @property
  def best_step(self) -> int | None:
    """The best by validation accuracy; the newest if none was validated."""
    return _best_step(self._manager)

  def place(self, step: int) -> Path:
    """The folder of a checkpoint."""
    return Path(self._manager.directory / str(step))

  def describe_latest(self) -> str:
    step = self.latest_step
    return (
      "there is no checkpoint yet"
      if step is None
      else f"the last good checkpoint is {self._manager.directory / str(step)}"
    )

  def save(self, state: Any, config: TrainConfig, position: dict[str, Any], metrics: dict[str, Any] | None) -> None:
    """Begins to write a checkpoint; copies the state off the device before it returns.

    Args:
      state: a NamedTuple of array trees, named by its `step`.
      config: of the run.
      position: of the data: what a resume must read next.
      metrics: of the validation, with `accuracy` and `loss`; None for a checkpoint that only serves a resume.

    Raises:
      CheckpointFailed: this one, or the one before it, could not be written.
    """
    step = int(state.step)  # sync point
    items = ocp.args.Composite(
      state=ocp.args.StandardSave(state._asdict()),
      config=ocp.args.JsonSave(config.to_dict()),
      data=ocp.args.JsonSave(position),
      base=ocp.args.JsonSave(self._base._asdict()),
    )
    with self._failures_told():
      self._check_space(sum(leaf.nbytes for leaf in jax.tree.leaves(state)))
      chosen = {name: metrics[name] for name in ("accuracy", "loss")} if metrics else None
      self._manager.save(step, args=items, metrics=chosen, force=True)

  def wait(self) -> None:
    """Waits until the last checkpoint is complete.

    Raises:
      CheckpointFailed: it could not be written.
    """
    with self._failures_told():
      self._manager.wait_until_finished()

  def _check_space(self, needed: int) -> None:
    """Raises OSError rather than let the storage fill the disk and fail in threads, with a traceback for each."""
    free = shutil.disk_usage(self._manager.directory).free
    if free < needed:
      raise OSError(f"No space left on the device: {needed / 1e6:,.1f} MB are needed, {free / 1e6:,.1f} MB are free")

  @contextmanager
  def _failures_told(self) -> Generator[None]:
    try:
      yield
    except Exception as error:  # storage below Orbax raises anything
      self._manager.reload()
      kept = self.describe_latest()
      reason = " ".join(str(error).split())[:200]
      raise CheckpointFailed(
        f"a checkpoint could not be written below {self._manager.directory}: {reason}; {kept}"
      ) from error

  def check_base(self) -> None:
    """Raises InputError if the newest checkpoint was trained on other base weights."""
    if self.latest_step is not None:
      self._check_base(self.latest_step)

  def _check_base(self, step: int) -> None:
    place = self._manager.directory / str(step)
    with _damage_told(place, "; remove it to go on from an older one"):
      described = self._manager.restore(step, args=ocp.args.Composite(base=ocp.args.JsonRestore()))
      check_reference(place, described["base"], self._base)

  def restore(self, step: int, like: Any) -> tuple[Any, dict[str, Any]]:
    """Reads a checkpoint onto the devices of `like`, however many wrote it.

    Returns:
      The state, a NamedTuple like `like`, and the position of the data.

    Raises:
      InputError: its files are damaged, or it was trained on other base weights.
    """
    items = ocp.args.Composite(
      state=ocp.args.StandardRestore(jax.tree.map(_abstract, like._asdict())), data=ocp.args.JsonRestore()
    )
    self._check_base(step)
    with _damage_told(self._manager.directory / str(step), "; remove it to go on from an older one"):
      restored = self._manager.restore(step, args=items)
    return type(like)(**restored["state"]), restored["data"]


def _best_step(manager: ocp.CheckpointManager) -> int | None:
  best = manager.best_step()
  return manager.latest_step() if best is None else best


@contextmanager
def _damage_told(checkpoint: Any, advice: str = "") -> Generator[None]:
  try:
    yield
  except InputError:
    raise
  except Exception as error:  # damaged files: Orbax and the storage below it raise anything
    reason = " ".join(str(error).split())[:200]
    raise InputError(f"checkpoint {checkpoint}: cannot be read ({type(error).__name__}: {reason}){advice}") from error


def _abstract(leaf: jax.Array) -> jax.ShapeDtypeStruct:
  return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding)


class TrainedModel(NamedTuple):
  """What a checkpoint holds for those who use a model.

  Attributes:
    path: of the checkpoint.
    step: number of updates.
    config: of its run.
    pictures: `repr` of the `PictureSet` that it was trained on.
    structure, variables: the network.
  """

  path: Path
  step: int
  config: TrainConfig
  pictures: str
  structure: nnx.GraphDef
  variables: Variables


def load_trained(path: str | Path, sharding: Sharding, weights: str | None = None) -> TrainedModel:
  """Loads the best checkpoint of a run, or a given one.

  Args:
    path: a run's folder, its checkpoints folder, or one checkpoint in it.
    sharding: where the variables go.
    weights: file of the base of a transfer network; where the training found it if None.

  Raises:
    InputError: there is no checkpoint, or it cannot be read; the base weights are missing, or others.
  """
  place = Path(path).expanduser().absolute()
  chosen = int(place.name) if place.name.isdigit() and place.parent.name == FOLDER else None
  folder = place.parent if chosen is not None else place / FOLDER
  if not folder.is_dir() and place.name == FOLDER:
    folder = place
  if not folder.is_dir():
    kind = "holds no checkpoints" if place.exists() else "does not exist"
    raise InputError(f"checkpoint {path}: {kind}; give the folder of a run, such as runs/quickstart")
  with ocp.CheckpointManager(
    folder, options=ocp.CheckpointManagerOptions(best_fn=_accuracy, read_only=True)
  ) as manager:
    step = _best_step(manager) if chosen is None else chosen
    if step is None or step not in manager.all_steps():
      raise InputError(f"checkpoint {path}: no complete checkpoint there")
    with _damage_told(folder / str(step)):
      return _read(manager, folder, step, sharding, weights)


def _read(
  manager: ocp.CheckpointManager, folder: Path, step: int, sharding: Sharding, weights: str | None
) -> TrainedModel:
  items = ocp.args.Composite(config=ocp.args.JsonRestore(), data=ocp.args.JsonRestore(), base=ocp.args.JsonRestore())
  described = manager.restore(step, args=items)
  config = TrainConfig.from_dict(described["config"])
  structure, like = split_network(nnx.eval_shape(lambda: config.create_network(nnx.Rngs(0))))
  frozen = {}
  if like.frozen:
    frozen = _load_frozen(folder / str(step), config, described["base"], like, sharding, weights)
  elif weights is not None:
    raise InputError(f"--weights {weights}: checkpoint {folder / str(step)} holds all weights of its network")
  shapes = {"parameters": like.parameters, "statistics": like.statistics}
  wanted = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), shapes)
  # Partial: the optimiser's state, twice as large as the network, stays on disk.
  restore = ocp.args.PyTreeRestore(
    wanted, restore_args=ocp.checkpoint_utils.construct_restore_args(wanted), partial_restore=True
  )
  state = manager.restore(step, args=ocp.args.Composite(state=restore))["state"]
  variables = Variables(state["parameters"], state["statistics"], frozen)
  return TrainedModel(folder / str(step), step, config, described["data"]["pictures"], structure, variables)


def _load_frozen(
  checkpoint: Path,
  config: TrainConfig,
  kept: dict[str, str],
  like: Variables,
  sharding: Sharding,
  weights: str | None,
) -> Any:
  """The frozen variables that a checkpoint refers to, from their file or, if they were random, drawn again."""
  model = config.model
  given = model.weights if weights is None else weights
  file = open_base(model.name, given, how="--weights")
  check_reference(checkpoint, kept, refer(model.name, given, model.fine_tune, file))
  if file:
    return load_base(file, like, sharding).frozen
  draw = jax.jit(lambda: split_network(config.create_network(nnx.Rngs(config.seed)))[1].frozen, out_shardings=sharding)
  return draw()
