"""Any number of distortions a picture, each with a probability and a severity."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxdistort.metrics.figures import RecognitionFigures
from jaxdistort.metrics.multilabel import Columns, average_precisions, recognition_figures
from jaxdistort.metrics.predictions import Predictions
from jaxdistort.protocols import Samples
from jaxdistort.tasks.calibration import Calibration, log_odds, sigmoid
from jaxdistort.tasks.label_space import CLEAN, LabelSpace
from jaxdistort.tasks.levels import LevelScale
from jaxdistort.tasks.presence import Presence, counted
from jaxdistort.tasks.task import TASKS, Answer, Finding, GroupFinding, Task

FLAT = 1.5
"""Levels from pixel to pixel, on average, below which a tile shows nothing to judge by."""
_TELLING = 1 / 3  # of the tiles that show something
GLOBAL = ("light", "colour")
"""Groups of what befalls a picture as a whole: dark corners are no fault."""
_HIDDEN = ("noise",)  # groups of what texture hides
_SUREST = 2  # tiles that tell these: one alone may be an odd one
_SEVERITIES = 0.001, 0.999  # that have a logit
_NEVER = -100.0  # logit of what is not said
_SEVERITY_WEIGHT = 1.0  # of the loss of severity, against that of presence


@TASKS.register("recognition")
class Recognition(Task):
  """A sigmoid a kind for its presence, one for its severity, one a group; scores are the logits, [B, 2 K + G].

  A kind that is present counts in the loss as far as it is visible: what nobody can see is neither asked for nor held
  against a network. A group is present where one of its kinds is, as visible as the most visible of them.
  """

  name = "recognition"
  selected_by = "mean_average_precision"
  view = "viewing"

  def __init__(
    self, labels: LabelSpace, calibration: Calibration | None = None, levels: Mapping[str, LevelScale] | None = None
  ):
    super().__init__(labels)
    self.levels = dict(levels or {})
    self.calibration = calibration or Calibration.none(len(labels.kinds), len(labels.group_names))

  @property
  def width(self) -> int:
    return 2 * len(self.labels.kinds) + len(self.labels.group_names)

  @property
  def answer_names(self) -> tuple[str, ...]:
    return self.labels.kinds

  def targets(self, samples: Samples, kinds: Sequence[str]) -> Presence:
    places = jnp.asarray(self.labels.places(kinds, "pictures"))
    empty = jnp.zeros((len(samples.presence), len(self.labels.kinds)), jnp.float32)
    columns = (samples.presence.astype(jnp.float32), samples.severity, samples.visibility)
    return Presence(*(empty.at[:, places].set(column) for column in columns))

  def losses(self, outputs: jax.Array, targets: Presence) -> jax.Array:
    logits, severity, groups = self._split(outputs)
    kinds = _presence_loss(logits, targets.presence, targets.visibility)
    present, visible = (self.labels.of_groups(own) for own in (targets.presence, targets.visibility))
    known = (targets.presence > 0) & jnp.isfinite(targets.severity)
    weights = jnp.where(known, targets.visibility, 0)
    errors = jnp.square(jax.nn.sigmoid(severity) - jnp.where(known, targets.severity, 0))
    strength = jnp.sum(weights * errors, axis=1) / jnp.maximum(jnp.sum(known, axis=1), 1).astype(jnp.float32)
    return kinds + _presence_loss(groups, present, visible) + _SEVERITY_WEIGHT * strength

  def _split(self, outputs: Any) -> list[Any]:
    """Logits of presence [..., K], of severity [..., K], of the groups [..., G]."""
    kinds = len(self.labels.kinds)
    return [outputs[..., :kinds], outputs[..., kinds : 2 * kinds], outputs[..., 2 * kinds :]]

  def right(self, outputs: jax.Array, targets: Presence) -> jax.Array:
    found = self._split(outputs)[0] >= 0
    return jnp.mean((found == (targets.presence > 0)).astype(jnp.float32), axis=1)

  def scores(self, outputs: jax.Array) -> jax.Array:
    return outputs

  def score_losses(self, scores: Any, targets: Presence) -> Any:
    return np.asarray(self.losses(jnp.asarray(scores), Presence(*map(jnp.asarray, targets))))

  def tells_by(self, gradients: np.ndarray) -> np.ndarray:
    """The third with the strongest gradients, of the tiles that show something: a sky is smooth in any picture."""
    shown = gradients >= FLAT
    if not shown.any():
      return np.ones(len(gradients), bool)
    return shown & (gradients >= np.quantile(gradients[shown], 1 - _TELLING))

  def combine(self, scores: np.ndarray, overview: np.ndarray | None = None) -> np.ndarray:
    """Means over the tiles; but noise is hidden by texture, so it is told by the tiles that are surest of it."""
    combined = scores.mean(axis=0, dtype=np.float32)
    told, presence = self._hidden
    surest = np.argsort(scores[:, presence], axis=0, kind="stable")[-_SUREST:]
    combined[told] = np.take_along_axis(scores[:, told], surest, axis=0).mean(axis=0, dtype=np.float32)
    return combined if overview is None else np.where(self._is_global, overview, combined)

  def told(
    self, scores: np.ndarray, kinds: Sequence[str], probabilities: np.ndarray, severities: np.ndarray
  ) -> np.ndarray:
    """The scores [W] of a picture of which something else than the network says these kinds.

    A group of which all kinds are said is as probable as its most probable kind.

    Args:
      scores: the network's.
      kinds: what is said.
      probabilities: of each, within 0..1, both excluded: `probabilities` of what is returned gives them.
      severities: of each, 0..1.
    """
    told, places = scores.copy(), [self.labels.kinds.index(kind) for kind in kinds]
    slopes, offsets = (np.array(own)[places] for own in (self.calibration.slopes, self.calibration.offsets))
    told[places] = (log_odds(probabilities) - offsets) / slopes
    told[[len(self.labels.kinds) + place for place in places]] = log_odds(np.clip(severities, *_SEVERITIES))
    for place, group in enumerate(self.labels.group_names):
      if all(kind in kinds for kind, own in zip(self.labels.kinds, self.labels.groups, strict=True) if own == group):
        told[2 * len(self.labels.kinds) + place] = _NEVER  # its probability is then that of its kinds
    return told

  @functools.cached_property
  def _is_global(self) -> np.ndarray:
    """Which scores are told by a whole picture alone, bool [W]."""
    return self._columns_of(GLOBAL)

  @functools.cached_property
  def _hidden(self) -> tuple[np.ndarray, np.ndarray]:
    """Places of the scores of what texture hides, and for each the place of that by which its presence is told."""
    told, kinds = np.flatnonzero(self._columns_of(_HIDDEN)), len(self.labels.kinds)
    is_severity = (told >= kinds) & (told < 2 * kinds)
    return told, np.where(is_severity, told - kinds, told)

  def _columns_of(self, groups: Sequence[str]) -> np.ndarray:
    """Which scores are of these groups, bool [W]."""
    kinds = [group in groups for group in self.labels.groups]
    return np.array([*kinds, *kinds, *(group in groups for group in self.labels.group_names)])

  def logits(self, scores: np.ndarray) -> np.ndarray:
    """Of presence, float [N, K + G]: of the kinds and of the groups, as the calibration takes them."""
    kinds, _, groups = self._split(scores)
    return np.concatenate([kinds, groups], axis=-1)

  def exported(self, scores: jax.Array) -> dict[str, jax.Array]:
    """And the `severities` [B, K], and `groups`, the probabilities of the groups [B, G]."""
    kinds, severities, groups = self._split(scores)
    lines = self.calibration.slopes, self.calibration.offsets
    slopes, offsets = (jnp.asarray(own, jnp.float32)[None] for own in lines)
    both = jax.nn.sigmoid(slopes * jnp.concatenate([kinds, groups], axis=-1) + offsets)
    kinds, groups = both[..., : len(self.labels.kinds)], both[..., len(self.labels.kinds) :]
    return {
      "scores": scores,
      "probabilities": kinds,
      "severities": jax.nn.sigmoid(severities),
      "groups": jnp.maximum(groups, self.labels.of_groups(kinds)),
    }

  def probabilities(self, scores: np.ndarray) -> np.ndarray:
    return self._calibrated(scores)[..., : len(self.labels.kinds)]

  def group_probabilities(self, scores: np.ndarray) -> np.ndarray:
    """float [N, G]: of the group's own logit, and at least that of its most probable kind."""
    both, kinds = self._calibrated(scores), len(self.labels.kinds)
    return np.maximum(both[..., kinds:], self.labels.of_groups(both[..., :kinds]))

  def _calibrated(self, scores: np.ndarray) -> np.ndarray:
    """Probabilities of the kinds and of the groups, [N, K + G]."""
    return self.calibration.probabilities(self.logits(scores))

  def severities(self, scores: np.ndarray) -> np.ndarray:
    return sigmoid(self._split(scores)[1])

  def finds_groups(self, scores: np.ndarray) -> np.ndarray:
    return self._raised(scores, self.calibration.thresholds)

  def doubts_groups(self, scores: np.ndarray) -> np.ndarray:
    """Whether a group is neither found nor ruled out, bool [N, G]."""
    return self._raised(scores, self.calibration.doubts) & ~self.finds_groups(scores)

  def _raised(self, scores: np.ndarray, limits: Sequence[float]) -> np.ndarray:
    """Where a kind of a group reaches its limit, bool [N, G]."""
    return self.labels.of_groups(self.strengths(scores) >= np.array(limits, np.float32))

  def strengths(self, scores: np.ndarray) -> np.ndarray:
    """How strong each kind is expected to be, float [N, K]: its probability times its severity.

    By these alarms are raised. On real pictures, whose every trait computed ones do not have, a network that is unsure
    whether a picture was blurred still sees how strongly; what it takes clean ones for is slight.
    """
    return self.probabilities(scores) * self.severities(scores)

  def found(self, scores: np.ndarray) -> np.ndarray:
    """The kinds that are named, bool [N, K]: of groups that are found, those that are sure enough.

    Of each group it is the surest, and what is likelier than not: one blur is hardly ever two.
    """
    places = [self.labels.group_names.index(group) for group in self.labels.groups]
    naming = np.array(self.calibration.naming, np.float32)
    kinds = self.probabilities(scores)
    stands_out = (kinds >= self.labels.of_groups(kinds)[..., places]) | (kinds > 0.5)
    return (kinds >= naming) & stands_out & self.finds_groups(scores)[..., places]

  def finds(self, scores: np.ndarray, kind: str) -> np.ndarray:
    return self.found(scores)[..., self.labels.kinds.index(kind)]

  def mistaken(self, scores: np.ndarray, targets: Presence) -> np.ndarray:
    return np.any((self.found(scores) != (targets.presence > 0)) & counted(targets), axis=1)

  def summary(self, scores: np.ndarray, targets: Presence) -> dict[str, float]:
    precisions = average_precisions(targets.presence > 0, self.probabilities(scores), counted(targets))
    return {
      "loss": float(np.mean(self.score_losses(scores, targets), dtype=np.float64)),
      "mean_average_precision": float(np.nanmean(precisions)) if np.isfinite(precisions).any() else 0.0,
      "exact": float(1 - np.mean(self.mistaken(scores, targets))),
    }

  def figures(self, predictions: Predictions) -> RecognitionFigures:
    scores, targets = predictions.scores, predictions.targets
    of_groups = Presence(*(self.labels.of_groups(np.asarray(own)) for own in targets))
    groups = of_groups.presence > 0, counted(of_groups)
    kinds = Columns(
      self.labels.kinds, targets.presence > 0, counted(targets), self.probabilities(scores), self.found(scores)
    )
    return recognition_figures(
      predictions,
      kinds,
      Columns(self.labels.group_names, *groups, self.group_probabilities(scores), self.finds_groups(scores)),
      groups_of_kinds=self.labels.groups,
      severities=self.severities(scores),
      losses=self.score_losses(scores, targets),
    )

  def targets_of_kinds(self, kinds: Sequence[str | None]) -> Presence:
    presence = np.array([[kind == name for name in self.labels.kinds] for kind in kinds], np.float32)
    return Presence(presence, np.full_like(presence, np.nan), presence)

  def truth_in_words(self, targets: Presence) -> list[str]:
    return [self._in_words(row) for row in targets.presence > 0]

  def answer_in_words(self, scores: np.ndarray) -> list[str]:
    return [self._in_words(row) for row in self.found(scores)]

  def _in_words(self, present: np.ndarray) -> str:
    return ";".join(name for name, is_there in zip(self.labels.kinds, present, strict=True) if is_there) or CLEAN

  def answers(self, scores: np.ndarray) -> list[Answer]:
    kinds, severities, groups = self.probabilities(scores), self.severities(scores), self.group_probabilities(scores)
    columns = zip(kinds, severities, self.found(scores), groups, self.finds_groups(scores), strict=True)
    doubts = self.doubts_groups(scores)
    return [self._answer(*row, doubt) for row, doubt in zip(columns, doubts, strict=True)]

  def _answer(self, kinds: Any, severities: Any, named: Any, groups: Any, found: Any, doubts: Any) -> Answer:
    each = zip(self.labels.kinds, self.labels.groups, kinds.tolist(), severities.tolist(), named.tolist(), strict=True)
    findings = tuple(sorted((self._finding(*own) for own in each), key=lambda finding: -finding.probability))
    of_groups = []
    for name, probability, is_found, doubtful in zip(self.labels.group_names, groups, found, doubts, strict=True):
      own = [finding for finding in findings if finding.group == name]  # the surest first
      of_groups.append(GroupFinding(name, float(probability), bool(is_found), bool(doubtful), own[0].severity))
    ranked = tuple(sorted(of_groups, key=lambda group: -group.probability))
    # The groups taken for independent.
    return Answer(not found.any(), float(np.prod(1 - groups)), findings, ranked)

  def _finding(self, kind: str, group: str, probability: float, severity: float, named: bool) -> Finding:
    level = self.levels[kind].level(severity) if kind in self.levels else None
    return Finding(kind, group, probability, severity, named, level)

  def to_dict(self) -> dict[str, Any]:
    levels = {kind: scale.to_dict() for kind, scale in self.levels.items()}
    return super().to_dict() | {"calibration": self.calibration.to_dict(), "levels": levels}

  @classmethod
  def from_dict(cls, values: Mapping[str, Any]) -> "Recognition":
    levels = {kind: LevelScale.from_dict(own) for kind, own in values["levels"].items()}
    return cls(LabelSpace.from_dict(values["labels"]), Calibration.from_dict(values["calibration"]), levels)


def _presence_loss(logits: jax.Array, presence: jax.Array, visibility: jax.Array) -> jax.Array:
  """The cross entropy of N columns, their mean float32 [B]; what is present counts as far as it is visible."""
  entropy = optax.sigmoid_binary_cross_entropy(logits, presence)
  return jnp.mean(jnp.where(presence > 0, visibility, 1) * entropy, axis=1)
