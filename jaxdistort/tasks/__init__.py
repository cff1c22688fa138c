"""Tasks: what is asked of a picture."""

from jaxdistort.tasks.calibration import Calibration, best_f1_thresholds, fit_calibration, thresholds_for
from jaxdistort.tasks.classification import Classification
from jaxdistort.tasks.label_space import CLEAN, LabelSpace
from jaxdistort.tasks.levels import Level, LevelScale
from jaxdistort.tasks.presence import VISIBLE, Presence, counted
from jaxdistort.tasks.recognition import FLAT, GLOBAL, Recognition
from jaxdistort.tasks.task import TASKS, Answer, Finding, GroupFinding, Targets, Task, task_from_dict

__all__ = [
  "CLEAN",
  "FLAT",
  "GLOBAL",
  "TASKS",
  "VISIBLE",
  "Answer",
  "Calibration",
  "Classification",
  "Finding",
  "GroupFinding",
  "LabelSpace",
  "Level",
  "LevelScale",
  "Presence",
  "Recognition",
  "Targets",
  "Task",
  "best_f1_thresholds",
  "counted",
  "fit_calibration",
  "task_from_dict",
  "thresholds_for",
]
