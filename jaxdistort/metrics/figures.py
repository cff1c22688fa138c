"""The figures of a set of predictions, typed: what reports are made of."""

import dataclasses
from typing import Any

from jaxdistort.metrics.curves import ReliabilityBin, SeverityBin

Interval = list[float] | None
"""Low and high end of a 95 % interval; None where it cannot be told, as of fewer than five originals."""


@dataclasses.dataclass(frozen=True)
class Bin:
  """The pictures whose value lies between two bounds.

  Attributes:
    low, high: of the value.
    pictures: how many.
    accuracy: share of them that were answered rightly.
    interval: of the accuracy.
  """

  low: float
  high: float
  pictures: int
  accuracy: float
  interval: Interval


@dataclasses.dataclass(frozen=True)
class Binned:
  """Accuracy by a value, in its unit."""

  unit: str
  bins: list[Bin]


@dataclasses.dataclass(frozen=True)
class Unlabelled:
  """Pictures of a type that the network has no name for: how many, and the share that is given each answer."""

  pictures: int
  answers: dict[str, float]


@dataclasses.dataclass(frozen=True)
class MeanLevel:
  """Mean level of a class's pictures, and by predicted class in percent of it.

  Attributes:
    unit: of the level.
    mean: of all of them.
    percent: predicted class -> percent of the mean; empty where the mean says nothing (levels of both signs).
  """

  unit: str
  mean: float
  percent: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Figures:
  """What can be said of every task's answers.

  Attributes:
    pictures: that count.
    originals: that they show.
    accuracy: share of the pictures that were answered rightly (of several kinds: all of them, and no other).
    loss: mean of the task's loss.
    intervals: figure -> 95 % interval, by original.
    names: the network's answers, in their order.
    accuracy_by_ssim: "all" or a kind of picture -> bins of the SSIM; empty where none is known.
    accuracy_by_level: parameter ("kind.parameter"), or type of a database -> bins of its level.
    mean_level: the same -> levels by the surest answer, as in the study's table.
    accuracy_by_score: bins of what people said of the pictures; empty where that is not known.
    unlabelled: types of a database for which the network has no name, left out of everything else.
    without_unchanged: accuracy and number of pictures without the levels that change nothing; None where there are
      none.
  """

  pictures: int
  originals: int
  accuracy: float
  loss: float
  intervals: dict[str, Interval]
  names: tuple[str, ...]
  accuracy_by_ssim: dict[str, list[Bin]] = dataclasses.field(default_factory=dict)
  accuracy_by_level: dict[str, Binned] = dataclasses.field(default_factory=dict)
  mean_level: dict[str, MeanLevel] = dataclasses.field(default_factory=dict)
  accuracy_by_score: list[Bin] = dataclasses.field(default_factory=list)
  unlabelled: dict[str, Unlabelled] = dataclasses.field(default_factory=dict)
  without_unchanged: dict[str, float] | None = None

  @property
  def headline(self) -> dict[str, float]:
    """The figures that come first, by name."""
    return {"accuracy": self.accuracy, "loss": self.loss}

  def to_dict(self) -> dict[str, Any]:
    """Ready for JSON."""
    return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class OfClass:
  """How well one class, or one kind, is told; support is the number of its pictures."""

  precision: float
  recall: float
  f1: float
  support: int


@dataclasses.dataclass(frozen=True)
class ClassificationFigures(Figures):
  """Of answers that name one class.

  Attributes:
    balanced_accuracy: mean recall of the classes that have pictures.
    confusion_matrix: counts; rows are true classes, in the order of `names`.
    per_class: class -> figures.
  """

  balanced_accuracy: float = 0.0
  confusion_matrix: list[list[int]] = dataclasses.field(default_factory=list)
  per_class: dict[str, OfClass] = dataclasses.field(default_factory=dict)

  @property
  def headline(self) -> dict[str, float]:
    return {"accuracy": self.accuracy, "balanced_accuracy": self.balanced_accuracy, "loss": self.loss}


@dataclasses.dataclass(frozen=True)
class OfPresence(OfClass):
  """How well a kind, or a group of kinds, is found.

  Attributes:
    average_precision: over all thresholds; None where no picture has it.
  """

  average_precision: float | None = None


@dataclasses.dataclass(frozen=True)
class OfKind(OfPresence):
  """How well one kind of several is found.

  Attributes:
    severity_error: mean absolute error where it is present; None where no severity is known.
    severity_rank_correlation: Spearman's, likewise.
  """

  severity_error: float | None = None
  severity_rank_correlation: float | None = None


@dataclasses.dataclass(frozen=True)
class RecognitionFigures(Figures):
  """Of answers that may name several kinds, or none.

  Attributes:
    mean_average_precision: over the kinds that have pictures.
    mean_average_precision_of_groups: the same over groups of kinds.
    macro_f1: mean F1 of the kinds, at the task's thresholds.
    false_alarms: share of the clean pictures on which something is found; None where there are none.
    expected_calibration_error: of the probabilities of all kinds, 15 bins (Naeini and others, AAAI 2015).
    per_kind: kind -> figures, of the pictures where it is absent or can be seen.
    per_group: group -> figures, likewise.
    precision_recall: group -> (recall, precision) at falling thresholds.
    reliability: of the probabilities of all kinds.
    severities: what was estimated, by the true severity.
    confusion: counts of pictures with a kind (rows) by the surest kind of its group, in the order of `names`.
  """

  mean_average_precision: float = 0.0
  mean_average_precision_of_groups: float = 0.0
  macro_f1: float = 0.0
  false_alarms: float | None = None
  expected_calibration_error: float = 0.0
  per_kind: dict[str, OfKind] = dataclasses.field(default_factory=dict)
  per_group: dict[str, OfPresence] = dataclasses.field(default_factory=dict)
  precision_recall: dict[str, list[tuple[float, float]]] = dataclasses.field(default_factory=dict)
  reliability: list[ReliabilityBin] = dataclasses.field(default_factory=list)
  severities: list[SeverityBin] = dataclasses.field(default_factory=list)
  confusion: list[list[int]] = dataclasses.field(default_factory=list)

  @property
  def headline(self) -> dict[str, float]:
    first = {"mean_average_precision": self.mean_average_precision, "macro_f1": self.macro_f1}
    return first | {"accuracy": self.accuracy, "loss": self.loss}


@dataclasses.dataclass(frozen=True)
class Share:
  """A share of some pictures: its value, of how many, and its 95 % interval by scene."""

  value: float
  pictures: int
  interval: Interval


@dataclasses.dataclass(frozen=True)
class OfGroup:
  """How well a group of distortions is found on labelled pictures.

  Attributes:
    found: share of the pictures with a label of the group on which it is; None where there are none.
    false_alarms: share of the pictures without one on which it is; likewise.
  """

  found: Share | None
  false_alarms: Share | None


@dataclasses.dataclass(frozen=True)
class OfLabelledKind:
  """How well a kind is found on labelled pictures, but those of which only its group is known.

  Attributes:
    recall: share of the pictures with the kind on which it is found; None where there are none.
    precision: share of the pictures on which it is found that have it; likewise.
    f1: the harmonic mean of both, 0 where either is 0 or None.
    severity_error: mean absolute error where it is present; None where no severity is known.
    severity_rank_correlation: Spearman's, likewise.
  """

  recall: Share | None
  precision: Share | None
  f1: float
  severity_error: float | None
  severity_rank_correlation: float | None


@dataclasses.dataclass(frozen=True)
class OfLabelled:
  """What is found on some labelled pictures.

  Attributes:
    pictures: how many.
    scenes: that they show.
    accuracy: share of the pictures on which the groups of their labels are found, and no others.
    clean: share of the clean pictures that are called clean; None where there are none.
    groups: group of the network -> figures.
    kinds: kind -> figures; of those that are present or found.
    confusion: label -> answer -> pictures; the surest kind of the label's group, or "nothing" where neither the group
      nor a kind of it is found. Labels are kinds and, where they tell only a group, what they say.
  """

  pictures: int
  scenes: int
  accuracy: Share
  clean: Share | None
  groups: dict[str, OfGroup]
  kinds: dict[str, OfLabelledKind]
  confusion: dict[str, dict[str, int]]


@dataclasses.dataclass(frozen=True)
class LabelledFigures:
  """The figures of labelled pictures: of all of them, and of each subset."""

  whole: OfLabelled
  subsets: dict[str, OfLabelled]

  @property
  def pictures(self) -> int:
    return self.whole.pictures

  @property
  def accuracy(self) -> float:
    return self.whole.accuracy.value

  def to_dict(self) -> dict[str, Any]:
    """Ready for JSON, with pictures and accuracy at the top, as in the figures of a task."""
    return {"pictures": self.pictures, "accuracy": self.accuracy, **dataclasses.asdict(self)}
