"""Training: the step, the loop around it, what it records."""

from jaxdistort.training.loop import train
from jaxdistort.training.sampling import make_sampler
from jaxdistort.training.step import (
  StepMetrics,
  TrainState,
  create_state,
  make_train_step,
  make_train_steps,
  make_update,
)

__all__ = [
  "StepMetrics",
  "TrainState",
  "create_state",
  "make_sampler",
  "make_train_step",
  "make_train_steps",
  "make_update",
  "train",
]
