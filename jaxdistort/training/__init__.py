"""Training: the step, the loop around it, what it records."""

from jaxdistort.training.loop import train
from jaxdistort.training.step import StepMetrics, TrainState, create_state, make_sampler, make_train_step

__all__ = ["StepMetrics", "TrainState", "create_state", "make_sampler", "make_train_step", "train"]
