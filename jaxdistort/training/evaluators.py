"""What is looked at while a run goes on."""

import math
from typing import Any, NamedTuple, Protocol

from jaxdistort.data import PictureSet
from jaxdistort.evaluation import Judge
from jaxdistort.models import Variables
from jaxdistort.progress import Progress
from jaxdistort.tasks import Task


class Evaluator(Protocol):
  """Something that tells how good a network is; called at every evaluation of a run."""

  @property
  def name(self) -> str:
    """Stands before its figures in metrics.jsonl."""
    ...

  def __call__(self, variables: Variables, progress: Progress) -> dict[str, float]:
    """Figures of a network with these weights; all must be finite."""
    ...


class Validation(NamedTuple):
  """Loss and accuracy (or what the task is chosen by) on the validation pictures, without intervals.

  Attributes:
    judge: answers to the pictures.
    task: of the network.
    pictures: of the validation.
    name: see `Evaluator`.
  """

  judge: Judge
  task: Task
  pictures: PictureSet
  name: str = "validation"

  def __call__(self, variables: Variables, progress: Progress) -> dict[str, float]:
    predictions = self.judge(variables, self.pictures, progress).predictions
    return self.task.summary(predictions.scores, predictions.targets)


def not_finite(figures: dict[str, Any]) -> list[str]:
  """A word on each figure that is not finite."""
  return [f"{name} is {value}" for name, value in figures.items() if not math.isfinite(value)]
