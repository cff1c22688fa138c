"""A run of seconds, for tests."""

from pathlib import Path

import jax.numpy as jnp

from jaxdistort.training.checkpoints import Checkpoints
from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig
from jaxdistort.runtime.mesh import create_mesh
from jaxdistort.training import TrainState, create_state
from jaxdistort.training.optimizers import create_optimizer
from jaxdistort.weights import refer


def get_config() -> TrainConfig:
  return TrainConfig(
    data=DataConfig(source="samples+synthetic", image_size=32, workers=0, placement="host"),
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
  base = config.open_base()
  config = config.with_scaling_of(base)
  optimizer = create_optimizer(config.optimizer, config.steps)
  _, state, frozen = create_state(config.create_network, optimizer, config.seed, create_mesh(), base)
  reference = refer(config.model.name, config.model.weights, config.model.fine_tune, base)
  with Checkpoints(workdir, reference) as checkpoints:
    checkpoints.save(state._replace(step=jnp.int32(1)), config, {"next_batch": 1, "pictures": "of a test"}, None)
  return state, frozen
