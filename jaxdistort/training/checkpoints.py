"""Checkpoints of a run: the newest and the best, written while training goes on (Orbax)."""

import json
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import preservation_policy as policy

from jaxdistort.config import TrainConfig
from jaxdistort.errors import CheckpointFailed, InputError
from jaxdistort.files import check_unicode
from jaxdistort.inference import Description
from jaxdistort.inference.runs import (
  FOLDER,
  SELECTED,
  best_step,
  check_array_metadata,
  check_figures,
  damage_reported,
  open_read_only,
  selected,
)
from jaxdistort.models.weights import BackboneReference, check_reference

_ADVICE = "; remove it to go on from an older one"
_ADVICE_ON_BEST = "; it is the best: remove it to be content with the newest, or the run to begin anew"


class Checkpoints:
  """The checkpoints below a run's folder; a context manager that finishes writing on leaving.

  A checkpoint counts once it is complete: it is written beside its place and renamed, so a process
  killed at any moment leaves the one before.

  Args:
    workdir: the run's folder.
    description: of the network, written into every checkpoint.
    backbone: the weights that the network stands on, which are not saved.

  Raises:
    InputError: the figures of a checkpoint there are damaged, or the folder's name is no UTF-8.
  """

  def __init__(self, workdir: Path, description: Description, backbone: BackboneReference):
    self._description, self._backbone = description, backbone
    options = ocp.CheckpointManagerOptions(
      best_fn=selected,
      # A `max_to_keep` would count by metric alone and could delete the newest, and with it the resume.
      preservation_policy=policy.AnyPreservationPolicy(
        [policy.LatestN(1), policy.BestN(get_metric_fn=selected, n=1, keep_checkpoints_without_metrics=False)]
      ),
      cleanup_tmp_directories=True,
    )
    check_unicode((workdir / FOLDER).absolute())
    check_figures(workdir / FOLDER)
    self._manager = ocp.CheckpointManager((workdir / FOLDER).absolute(), options=options)

  def __enter__(self) -> "Checkpoints":
    return self

  def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
    try:
      with self._failures_reported():
        self._manager.close()
    except CheckpointFailed:
      if kind is None:  # otherwise what came first is told
        raise

  @property
  def latest_step(self) -> int | None:
    return self._manager.latest_step()

  @property
  def best_step(self) -> int | None:
    """The best by validation; the newest if none was validated."""
    return best_step(self._manager)

  def place(self, step: int) -> Path:
    """The folder of a checkpoint."""
    return Path(self._manager.directory / str(step))

  def describe_latest(self) -> str:
    step = self.latest_step
    return "there is no checkpoint yet" if step is None else f"the last good checkpoint is {self.place(step)}"

  def save(
    self, state: Any, config: TrainConfig, position: Mapping[str, Any], figures: Mapping[str, float] | None
  ) -> None:
    """Begins to write a checkpoint; copies the state off the device before it returns.

    Args:
      state: a NamedTuple of array trees, named by its `step`.
      config: of the run.
      position: of the data: what a resume must read next.
      figures: of the validation, the task's `selected_by` among them; None for a checkpoint that only serves a resume.

    Raises:
      CheckpointFailed: this one, or the one before it, could not be written.
    """
    step = int(state.step)  # sync point
    items = ocp.args.Composite(
      state=ocp.args.StandardSave(state._asdict()),
      config=ocp.args.JsonSave(config.to_dict()),
      data=ocp.args.JsonSave(dict(position)),
      description=ocp.args.JsonSave(self._description.to_dict()),
    )
    metrics = None
    if figures is not None:
      metrics = {**figures, SELECTED: figures[self._description.task.selected_by]}
    with self._failures_reported():
      self._manager.wait_until_finished()  # as saving would; then free space and steps are certain
      self._check_space(sum(leaf.nbytes for leaf in jax.tree.leaves(state)))
      self._manager.save(step, args=items, metrics=metrics, force=True)

  def wait(self) -> None:
    """Waits until the last checkpoint is complete.

    Raises:
      CheckpointFailed: it could not be written.
    """
    with self._failures_reported():
      self._manager.wait_until_finished()

  def check(self) -> None:
    """Raises CheckpointFailed if it is known by now that the last checkpoint could not be written; does not wait.

    Of several processes none: all of them hear of it together, when they save again.
    """
    if jax.process_count() == 1 and not self._manager.is_saving_in_progress():
      self.wait()

  def _check_space(self, needed: int) -> None:
    """Raises OSError rather than let the storage fill the disk and fail in threads, with a traceback for each."""
    free = shutil.disk_usage(self._manager.directory).free
    if free < needed:
      raise OSError(f"No space left on the device: {needed / 1e6:,.1f} MB are needed, {free / 1e6:,.1f} MB are free")

  @contextmanager
  def _failures_reported(self) -> Generator[None]:
    try:
      yield
    except Exception as error:  # storage below Orbax raises anything
      try:
        self._manager.reload()
        kept = self.describe_latest()
      except OSError:  # the folder is gone, or its disk
        kept = "those before it cannot be found either"
      reason = " ".join(str(error).split())[:200]
      raise CheckpointFailed(
        f"a checkpoint could not be written below {self._manager.directory}: {reason}; {kept}"
      ) from error

  def check_description(self) -> None:
    """Raises InputError if the newest checkpoint is of other backbone weights, or of another task or protocol."""
    if self.latest_step is not None:
      self._check_description(self.latest_step)

  def _check_description(self, step: int) -> None:
    """What a config names, and the program defines, may have changed since: outputs would get other names."""
    place, ours = self.place(step), json.loads(json.dumps(self._description.to_dict()))
    with damage_reported(place, self._advice(step)):
      items = ocp.args.Composite(description=ocp.args.JsonRestore())
      kept = self._manager.restore(step, args=items)["description"]
      changed = [name for name in ("task", "protocol") if kept[name] != ours[name]]
    check_reference(place, kept["backbone"], self._backbone)
    if changed:
      raise InputError(
        f"{place}: was trained when {changed[0]} {ours[changed[0]]['name']} was defined otherwise; begin anew in "
        "another workdir, with this run as init"
      )

  def _advice(self, step: int) -> str:
    return _ADVICE if step == self.latest_step else _ADVICE_ON_BEST

  def restore(self, step: int, like: Any) -> tuple[Any, dict[str, Any]]:
    """Reads a checkpoint onto the devices of `like`, however many wrote it.

    Returns:
      The state, a NamedTuple like `like`, and the position of the data.

    Raises:
      InputError: its files are damaged, or see `check_description`.
    """
    items = ocp.args.Composite(
      state=ocp.args.StandardRestore(jax.tree.map(_abstract, like._asdict())), data=ocp.args.JsonRestore()
    )
    self._check_description(step)
    with damage_reported(self.place(step), self._advice(step)):
      check_array_metadata(self.place(step))
      restored = self._manager.restore(step, args=items)
    return type(like)(**restored["state"]), restored["data"]


def read_kept(workdir: Path) -> dict[str, Any] | None:
  """The "config" and the position of the "data" in a run's newest complete checkpoint; None if there is none."""
  if not (workdir / FOLDER).is_dir():
    return None
  with open_read_only((workdir / FOLDER).absolute()) as manager:
    step = manager.latest_step()
    if step is None:
      return None
    with damage_reported(workdir / FOLDER / str(step), _ADVICE):
      items = ocp.args.Composite(config=ocp.args.JsonRestore(), data=ocp.args.JsonRestore())
      return dict(manager.restore(step, args=items).items())


def _abstract(leaf: jax.Array) -> jax.ShapeDtypeStruct:
  return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding)
