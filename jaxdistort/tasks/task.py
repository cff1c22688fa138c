"""What is asked of a picture, and all that follows from it."""

import abc
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np

from jaxdistort.errors import choose
from jaxdistort.metrics.figures import Figures
from jaxdistort.metrics.predictions import Predictions
from jaxdistort.protocols import Protocol, Samples
from jaxdistort.registry import Registry
from jaxdistort.tasks.label_space import LabelSpace
from jaxdistort.tasks.levels import Level

Targets = Any
"""A tree of arrays [B, ...]: what a task knows of the truth of B pictures."""


class Finding(NamedTuple):
  """What a network says of one kind of distortion.

  Attributes:
    kind: of the label space.
    group: of the kind.
    probability: 0..1.
    severity: 0..1; None where the task asks for none.
    found: whether the kind is named.
    level: what the severity means in the unit of the kind's parameter; None where that is not known.
    angle: of a motion that is found, where the whole picture was looked at for it; else None.
  """

  kind: str
  group: str
  probability: float
  severity: float | None
  found: bool
  level: Level | None = None
  angle: Level | None = None


class GroupFinding(NamedTuple):
  """What a network says of a group of kinds: of several of them together it may be surer than of any.

  Attributes:
    group: of the label space.
    probability: 0..1.
    found: whether the picture has a distortion of this group.
    doubtful: whether that can neither be said nor ruled out.
    severity: 0..1, of the surest of its kinds; None where the task asks for none.
  """

  group: str
  probability: float
  found: bool
  doubtful: bool
  severity: float | None


class Answer(NamedTuple):
  """What a network says of a picture.

  Attributes:
    clean: whether it finds nothing.
    probability_clean: 0..1.
    findings: every kind of the label space, the most probable first.
    groups: every group, the most probable first.
    native: what it says of the picture's own pixels, where the picture was shrunk to be looked at; else None.
    unclear: why nothing can be said; then nothing is found, and it is not clean. "" where something can.
  """

  clean: bool
  probability_clean: float
  findings: tuple[Finding, ...]
  groups: tuple[GroupFinding, ...]
  native: "Answer | None" = None
  unclear: str = ""


class Task(abc.ABC):
  """What is asked of a picture: names, targets, loss, answers, and the figure that tells the best checkpoint.

  A network gives `width` outputs a picture (or a tile of one). Of these come its scores, float32 [B, W], which may be
  averaged over the tiles of a picture, and of the scores everything that is said or measured. Training, evaluation,
  sweeps and explanations know this interface, never which task it is.

  Attributes:
    name: as in `TASKS`.
    selected_by: name of the figure, among those of `summary`, by which checkpoints are chosen; higher is better.
    labels: the label space.
    view: of pictures of any size (`VIEWS`), unless something else is asked.
  """

  name: ClassVar[str]
  selected_by: ClassVar[str]
  view: ClassVar[str] = "patches"

  def __init__(self, labels: LabelSpace):
    self.labels = labels

  @property
  @abc.abstractmethod
  def width(self) -> int:
    """Outputs of the network a picture."""

  @property
  @abc.abstractmethod
  def answer_names(self) -> tuple[str, ...]:
    """The columns of `probabilities`."""

  def check(self, protocol: Protocol) -> None:
    """Raises InputError if the pictures of a protocol cannot be asked this."""
    self.labels.places(protocol.kinds, f"protocol {protocol.name}")

  # In programs, on the device.

  @abc.abstractmethod
  def targets(self, samples: Samples, kinds: Sequence[str]) -> Targets:
    """The truth of distorted pictures; `kinds` names the columns of `samples.presence`."""

  @abc.abstractmethod
  def losses(self, outputs: jax.Array, targets: Targets) -> jax.Array:
    """The loss of each picture, float32 [B]."""

  @abc.abstractmethod
  def right(self, outputs: jax.Array, targets: Targets) -> jax.Array:
    """How right the answer to each picture is, float32 [B] within 0..1: shown while training goes on."""

  @abc.abstractmethod
  def scores(self, outputs: jax.Array) -> jax.Array:
    """float32 [B, W]."""

  @abc.abstractmethod
  def score_losses(self, scores: Any, targets: Targets) -> Any:
    """The loss of each picture by its scores, float32 [N]; of arrays of JAX or numpy."""

  # On the host.

  def tells_by(self, gradients: np.ndarray) -> np.ndarray:
    """By which tiles of a picture it tells, bool [n], of their gradients float [n]: levels from pixel to pixel."""
    return np.ones(len(gradients), bool)

  @abc.abstractmethod
  def combine(self, scores: np.ndarray, overview: np.ndarray | None = None) -> np.ndarray:
    """The scores [W] of a picture.

    Args:
      scores: of the tiles by which it tells, [n, W].
      overview: scores [W] of the whole picture, shrunk, where it was looked at.
    """

  @abc.abstractmethod
  def exported(self, scores: jax.Array) -> dict[str, jax.Array]:
    """What a program without this package gets of scores [B, W], by name, to be traced: at least the scores
    themselves and the `probabilities` [B, C].
    """

  @abc.abstractmethod
  def probabilities(self, scores: np.ndarray) -> np.ndarray:
    """float [N, C], C = len(answer_names)."""

  @abc.abstractmethod
  def severities(self, scores: np.ndarray) -> np.ndarray | None:
    """float [N, K] within 0..1; None where the task asks for none."""

  @abc.abstractmethod
  def finds(self, scores: np.ndarray, kind: str) -> np.ndarray:
    """Whether the answers name a kind, bool [N]."""

  @abc.abstractmethod
  def finds_groups(self, scores: np.ndarray) -> np.ndarray:
    """Whether the answers name a kind of each group, or the group alone, bool [N, G] (`LabelSpace.group_names`)."""

  @abc.abstractmethod
  def mistaken(self, scores: np.ndarray, targets: Targets) -> np.ndarray:
    """Whether the answers are wrong, bool [N]."""

  @abc.abstractmethod
  def summary(self, scores: np.ndarray, targets: Targets) -> dict[str, float]:
    """The figures of a validation, "loss" and `selected_by` among them; cheap, without intervals."""

  @abc.abstractmethod
  def figures(self, predictions: Predictions) -> Figures:
    """The figures of a report, with intervals."""

  @abc.abstractmethod
  def targets_of_kinds(self, kinds: Sequence[str | None]) -> Targets:
    """The truth of N pictures that have one kind of the label space each, or none (None)."""

  @abc.abstractmethod
  def truth_in_words(self, targets: Targets) -> list[str]:
    """The truth of each of N pictures as a person reads it."""

  @abc.abstractmethod
  def answer_in_words(self, scores: np.ndarray) -> list[str]:
    """The answer to each of N pictures as a person reads it, in the same form."""

  @abc.abstractmethod
  def answers(self, scores: np.ndarray) -> list[Answer]:
    """The answers to N pictures."""

  def output_of(self, name: str) -> int:
    """The output of the network that speaks for an answer.

    Raises:
      InputError: there is none of this name.
    """
    return self.answer_names.index(choose("answer", name, self.answer_names))

  def to_dict(self) -> dict[str, Any]:
    """What a checkpoint or a model file keeps."""
    return {"name": self.name, "labels": self.labels.to_dict()}

  @classmethod
  def from_dict(cls, values: Mapping[str, Any]) -> "Task":
    """Reads what `to_dict` gave."""
    return cls(LabelSpace.from_dict(values["labels"]))


TASKS: Registry[type[Task]] = Registry("task")
"""Tasks by name: classes that are built from a label space."""


def task_from_dict(values: Any) -> Task:
  """The task that a file describes (see `Task.to_dict`)."""
  return TASKS.find(values["name"]).from_dict(values)
