"""Training: the step, the loop around it, checkpoints, records."""

from jaxdistort.training.checkpoints import TrainedModel, load_trained
from jaxdistort.training.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig
from jaxdistort.training.loop import train

__all__ = [
  "DataConfig",
  "ModelConfig",
  "OptimizerConfig",
  "ProtocolConfig",
  "TrainConfig",
  "TrainedModel",
  "load_trained",
  "train",
]
