"""Tasks: what is asked of a picture."""

from jaxdistort.tasks.classification import Classification
from jaxdistort.tasks.label_space import CLEAN, LabelSpace
from jaxdistort.tasks.recognition import Presence, Recognition
from jaxdistort.tasks.task import TASKS, Answer, Finding, Targets, Task, task_from_dict

__all__ = [
  "CLEAN",
  "TASKS",
  "Answer",
  "Classification",
  "Finding",
  "LabelSpace",
  "Presence",
  "Recognition",
  "Targets",
  "Task",
  "task_from_dict",
]
