"""The parts of a run, built once from its config: data, network, step, and who judges it."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
from jax.sharding import Mesh

from jaxdistort.config import TrainConfig
from jaxdistort.data import (
  BrokenPictures,
  PictureSet,
  Seen,
  collected_remarks,
  default_workers,
  make_output_for,
  open_splits,
  placement_of,
)
from jaxdistort.errors import InputError, NothingReadable
from jaxdistort.evaluation import Judge
from jaxdistort.inference import Description, Recogniser, load
from jaxdistort.models import MODELS, Variables, count_parameters
from jaxdistort.models.weights import BackboneReference, WeightsFile, refer
from jaxdistort.progress import SILENT, Progress
from jaxdistort.protocols import Protocol
from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.runtime.processes import any_of, most_of, own_name
from jaxdistort.tasks import Task
from jaxdistort.training.checkpoints import read_kept
from jaxdistort.training.feeding import Batches
from jaxdistort.training.inheriting import check_frozen, inherit
from jaxdistort.training.memory import parts_that_fit
from jaxdistort.training.optimizers import create_optimizer
from jaxdistort.training.sampling import make_sampler
from jaxdistort.training.state import TrainState, create_state
from jaxdistort.training.step import Update


@dataclasses.dataclass
class Parts:
  """What a run is made of; every step replaces `state`, and `seen` grows where the run goes on with other pictures."""

  config: TrainConfig
  workdir: Path
  pictures: dict[str, PictureSet]
  protocol: Protocol
  state: TrainState
  frozen: object
  description: Description
  backbone: BackboneReference
  update: Update
  judge: Judge
  batches: Batches
  placement: str
  workers: int
  broken: BrokenPictures
  seen: Seen

  @property
  def mesh(self) -> Mesh:
    return self.update.mesh

  @property
  def task(self) -> Task:
    return self.update.task

  @property
  def variables(self) -> Variables:
    return Variables(self.state.parameters, self.state.statistics, self.frozen)

  def recogniser(self, path: Path, step: int) -> Recogniser:
    """The network with the weights of the present state, which lie at `path`."""
    return Recogniser(self.description, self.update.structure, self.variables, path, step, self.seen)

  def introduce(self, done: int) -> str:
    """What is going to be trained, on what and where."""
    config, sizes = self.config, {split: len(pictures) for split, pictures in self.pictures.items()}
    trained, total = count_parameters(self.variables)
    backbone = f" on {self.backbone.name} weights" if self.backbone.name else ""
    new = f"a new run with the weights of {config.init}" if config.init else "a new run"
    begin = f"resuming at step {done}" if done else new
    processes = f" of {jax.process_count()} processes" if jax.process_count() > 1 else ""
    parts = f", in {self.update.accumulate} parts" if self.update.accumulate > 1 else ""
    return (
      f"{config.model.name}{backbone}: {trained:,} trainable of {total:,} parameters, {config.data.image_size} px; "
      f"{self.protocol.name}: {self.task.name} of {len(self.task.labels.kinds)} kinds\n"
      f"{config.data.source}: {sizes['train']} pictures for training (from the {self.placement}), "
      f"{sizes['validation']} for validation, {sizes['test']} for test\n"
      f"{self.mesh.devices.size} x {jax.devices()[0].device_kind}{processes}, {config.steps} steps of "
      f"{config.batch_size} pictures{parts}; {begin} in {self.workdir}"
    )


def create_parts(
  config: TrainConfig, backbone: WeightsFile | None, workdir: Path, progress: Progress = SILENT
) -> Parts:
  """Builds the parts of a run; of one that goes on, the checkpoint has the weights, and `config.init` is not read.

  Args:
    config: settled and resolved.
    backbone: file of the weights that the network stands on, if any.
    workdir: the run's folder, made if need be.
    progress: hears of sources that changed, and of pictures for validation and test of which none can be read.

  Raises:
    InputError: pictures, devices or weights do not fit the config.
  """
  mesh = create_mesh(config.fsdp)
  pictures = open_splits(config.data.source, progress)
  protocol = config.create_protocol()
  task = config.create_task(protocol)
  network = config.network_spec(task.width)
  optimizer = create_optimizer(config.optimizer, config.steps)
  begins = config.init and read_kept(workdir) is None
  init = load(config.init, sharding=replicated(mesh)) if begins else None
  taken = inherit(init, network, task) if init else None
  structure, state, frozen = create_state(network, optimizer, config.seed, mesh, backbone, taken)
  if init:
    check_frozen(init, frozen)
  reference = refer(config.model.name, config.model.weights, config.model.fine_tune, backbone)
  kept = {**reference._asdict(), "path": config.model.weights, "seed": str(config.seed)}
  description = Description(network, task, protocol.describe(), config.data.source, task.view, kept)
  size, seed = protocol.clean_side(config.data.image_size), config.seed
  side = config.data.training_side(protocol)
  variables = Variables(state.parameters, state.statistics, frozen)
  accumulate = config.accumulate or most_of(  # the same for all processes
    parts_that_fit(structure, variables, config.batch_size, config.data.image_size, mesh)
  )
  config = dataclasses.replace(config, accumulate=accumulate)  # as it is kept: a resumed run adds in the same order
  _check_batch(config.batch_size, mesh.devices.size, accumulate)
  check_part(config.batch_size // accumulate, MODELS[network.name].build, network.name)
  sample = make_sampler(protocol, task, mesh, seed=seed, size=size, augment=config.data.augment)
  update = Update(structure, task, optimizer, sample, mesh, seed, accumulate)
  placement = placement_of(config.data.placement, len(pictures["train"]), side, mesh)
  workers = default_workers() if config.data.workers < 0 else config.data.workers
  broken = BrokenPictures(workdir / own_name("broken_pictures.jsonl"), size)
  with collected_remarks():  # they are listed when the picture's turn comes
    _check_readable(pictures, side, size, progress)
  make_output_for([source for source, _ in pictures["train"].sources], workdir, "workdir")
  judge = Judge(
    Recogniser(description, structure, variables, workdir, 0),
    protocol,
    mesh,
    batch_size=config.batch_size,
    workers=workers,
    on_broken=broken.add,
  )
  return Parts(
    config=config,
    workdir=workdir,
    pictures=pictures,
    protocol=protocol,
    state=state,
    frozen=frozen,
    description=description,
    backbone=reference,
    update=update,
    judge=judge,
    batches=Batches(pictures["train"], pictures["train"].order(seed), side, config.batch_size),
    placement="host" if any_of(placement == "host") else placement,  # the same for all processes
    workers=workers,
    broken=broken,
    seen=Seen.of(pictures[split] for split in ("train", "validation")) | (init.seen if init else Seen()),
  )


def _check_readable(pictures: dict[str, PictureSet], training_side: int, size: int, progress: Progress) -> None:
  """Looks for a readable picture of each source in each split: what lacks one is said now, not after hours."""
  for split, own in pictures.items():
    for source, members in enumerate(own.members):
      if not len(members):  # of a mix, all serve the training of another source
        continue
      try:
        own.load_or_other(own.number(source, 0), training_side if split == "train" else size)
      except NothingReadable as error:
        if split == "train":
          raise
        progress.tell(f"{split}: {error}; the run goes on without them")


def check_part(pictures: int, network: Any, name: str) -> None:
  """Raises InputError where so few pictures of a batch go through a network at once that it learns nothing."""
  least = getattr(network, "least_part", 1)
  if pictures < least:
    raise InputError(
      f"config: {name} learns from {least} pictures at once or more; batch_size in accumulate parts leaves {pictures}"
    )


def _check_batch(batch_size: int, devices: int, accumulate: int) -> None:
  if batch_size % (devices * accumulate):
    parts = f", {accumulate} parts on each" if accumulate > 1 else ""
    raise InputError(f"config: batch_size {batch_size} cannot be split over {devices} devices{parts}")
