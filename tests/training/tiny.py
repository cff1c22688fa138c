"""A run of seconds, for tests."""

from pathlib import Path

import jax
import jax.numpy as jnp

from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig
from jaxdistort.data import SamplePhotographs
from jaxdistort.data.source import SOURCES, register_source
from jaxdistort.inference import Description
from jaxdistort.models.weights import refer
from jaxdistort.runtime.mesh import create_mesh
from jaxdistort.training import TrainState, create_state
from jaxdistort.training.checkpoints import Checkpoints
from jaxdistort.training.optimizers import create_optimizer


class TinySet(SamplePhotographs):
  """Sample photographs in few views: pictures to validate on are those of one original."""

  VIEWS = 3

  def __repr__(self) -> str:
    return "tiny"


if "tiny" not in SOURCES:  # commands run this file anew
  register_source("tiny", TinySet, "sample photographs in few views")


def get_config() -> TrainConfig:
  return TrainConfig(
    data=DataConfig(source="tiny", image_size=32, workers=0, placement="host"),
    protocol=ProtocolConfig(name="variable", jpeg_quality=0),
    model=ModelConfig(name="compact"),
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=1e-3),
    batch_size=16,
    steps=12,
    evaluate_every=4,
    log_every=2,
  )


def save_untrained(config: TrainConfig, workdir: Path) -> tuple[TrainState, object]:
  """The checkpoint of a run that has just begun, without the seconds of beginning it; its state and frozen weights."""
  backbone = config.open_backbone()
  config = config.resolved(backbone)
  protocol = config.create_protocol()
  task = config.create_task(protocol)
  network = config.network_spec(task.width)
  optimizer = create_optimizer(config.optimizer, config.steps)
  _, state, frozen = create_state(network, optimizer, config.seed, create_mesh(devices=jax.devices()[:1]), backbone)
  reference = refer(config.model.name, config.model.weights, config.model.fine_tune, backbone)
  kept = {**reference._asdict(), "path": config.model.weights, "seed": str(config.seed)}
  description = Description(network, task, protocol.describe(), config.data.source, backbone=kept)
  with Checkpoints(workdir, description, reference) as checkpoints:
    checkpoints.save(
      state._replace(step=jnp.int32(1)), config, {"next_batch": 1, "pictures": "of a test", "seen": ""}, None
    )
  return state, frozen
