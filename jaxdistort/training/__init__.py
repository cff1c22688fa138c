"""Training: the step, the loop around it, what it records."""

from jaxdistort.training.evaluators import Evaluator, Validation
from jaxdistort.training.sampling import make_sampler
from jaxdistort.training.state import TrainState, create_state
from jaxdistort.training.step import StepMetrics, Update, make_train_step, make_train_steps
from jaxdistort.training.train import train

__all__ = [
  "Evaluator",
  "StepMetrics",
  "TrainState",
  "Update",
  "Validation",
  "create_state",
  "make_sampler",
  "make_train_step",
  "make_train_steps",
  "train",
]
