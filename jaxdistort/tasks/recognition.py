"""Any number of distortions a picture, each with a probability and a severity."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from scipy.special import expit

from jaxdistort.metrics.figures import RecognitionFigures
from jaxdistort.metrics.multilabel import average_precisions, recognition_figures
from jaxdistort.metrics.predictions import Predictions
from jaxdistort.protocols import Samples
from jaxdistort.tasks.label_space import CLEAN
from jaxdistort.tasks.task import TASKS, Answer, Finding, Task

THRESHOLD = 0.5
"""The probability from which a kind counts as found."""
_SEVERITY_WEIGHT = 1.0  # of the loss of severity, against that of presence


class Presence(NamedTuple):
  """The truth of pictures, float32 [B, K] each.

  Attributes:
    presence: 0 or 1.
    severity: 0..1, NaN where it is not known.
    visibility: 0..1, of what is present: how much of it can be seen.
  """

  presence: Any
  severity: Any
  visibility: Any


@TASKS.register("recognition")
class Recognition(Task):
  """A sigmoid a kind for its presence, one for its severity, one a group; scores are the logits, [B, 2 K + G].

  A kind that is present counts in the loss as far as it is visible: what nobody can see is neither asked for nor held
  against a network. A group is present where one of its kinds is, as visible as the most visible of them.
  """

  name = "recognition"
  selected_by = "mean_average_precision"

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
    present, visible = (self._of_groups(own) for own in (targets.presence, targets.visibility))
    known = (targets.presence > 0) & jnp.isfinite(targets.severity)
    weights = jnp.where(known, targets.visibility, 0)
    errors = jnp.square(jax.nn.sigmoid(severity) - jnp.where(known, targets.severity, 0))
    strength = jnp.sum(weights * errors, axis=1) / jnp.maximum(jnp.sum(known, axis=1), 1).astype(jnp.float32)
    return kinds + _presence_loss(groups, present, visible) + _SEVERITY_WEIGHT * strength

  def _split(self, outputs: Any) -> list[Any]:
    """Logits of presence [..., K], of severity [..., K], of the groups [..., G]."""
    kinds = len(self.labels.kinds)
    return [outputs[..., :kinds], outputs[..., kinds : 2 * kinds], outputs[..., 2 * kinds :]]

  def _of_groups(self, columns: jax.Array) -> jax.Array:
    """The largest of each group's columns, [B, K] to [B, G]."""
    groups = [np.flatnonzero([own == name for own in self.labels.groups]) for name in self.labels.group_names]
    return jnp.stack([jnp.max(columns[:, own], axis=1) for own in groups], axis=1)

  def right(self, outputs: jax.Array, targets: Presence) -> jax.Array:
    found = self._split(outputs)[0] >= _logit(THRESHOLD)
    return jnp.mean((found == (targets.presence > 0)).astype(jnp.float32), axis=1)

  def scores(self, outputs: jax.Array) -> jax.Array:
    return outputs

  def score_losses(self, scores: Any, targets: Presence) -> Any:
    return np.asarray(self.losses(jnp.asarray(scores), Presence(*map(jnp.asarray, targets))))

  def combine(self, means: np.ndarray) -> np.ndarray:
    return means

  def probabilities(self, scores: np.ndarray) -> np.ndarray:
    return expit(self._split(scores)[0])

  def severities(self, scores: np.ndarray) -> np.ndarray:
    return expit(self._split(scores)[1])

  def finds(self, scores: np.ndarray, kind: str) -> np.ndarray:
    return self.probabilities(scores)[..., self.labels.kinds.index(kind)] >= THRESHOLD

  def finds_groups(self, scores: np.ndarray) -> np.ndarray:
    return expit(self._split(scores)[2]) >= THRESHOLD

  def mistaken(self, scores: np.ndarray, targets: Presence) -> np.ndarray:
    return np.any((self.probabilities(scores) >= THRESHOLD) != (targets.presence > 0), axis=1)

  def summary(self, scores: np.ndarray, targets: Presence) -> dict[str, float]:
    precisions = average_precisions(targets.presence > 0, self.probabilities(scores))
    return {
      "loss": float(np.mean(self.score_losses(scores, targets), dtype=np.float64)),
      "mean_average_precision": float(np.nanmean(precisions)) if np.isfinite(precisions).any() else 0.0,
      "exact": float(1 - np.mean(self.mistaken(scores, targets))),
    }

  def figures(self, predictions: Predictions) -> RecognitionFigures:
    return recognition_figures(
      predictions,
      self.labels.kinds,
      probabilities=self.probabilities(predictions.scores),
      severities=self.severities(predictions.scores),
      losses=self.score_losses(predictions.scores, predictions.targets),
      threshold=THRESHOLD,
    )

  def targets_of_kinds(self, kinds: Sequence[str | None]) -> Presence:
    presence = np.array([[kind == name for name in self.labels.kinds] for kind in kinds], np.float32)
    return Presence(presence, np.full_like(presence, np.nan), presence)

  def truth_in_words(self, targets: Presence) -> list[str]:
    return [self._in_words(row) for row in targets.presence > 0]

  def answer_in_words(self, scores: np.ndarray) -> list[str]:
    return [self._in_words(row) for row in self.probabilities(scores) >= THRESHOLD]

  def _in_words(self, present: np.ndarray) -> str:
    return ";".join(name for name, is_there in zip(self.labels.kinds, present, strict=True) if is_there) or CLEAN

  def answers(self, scores: np.ndarray) -> list[Answer]:
    found = []
    for own, severities in zip(self.probabilities(scores), self.severities(scores), strict=True):
      columns = (self.labels.kinds, self.labels.groups, own.tolist(), severities.tolist())
      findings = tuple(sorted((Finding(*each) for each in zip(*columns, strict=True)), key=lambda f: -f.probability))
      # The kinds taken for independent.
      found.append(Answer(bool((own < THRESHOLD).all()), float(np.prod(1 - own)), findings))
    return found


def _presence_loss(logits: jax.Array, presence: jax.Array, visibility: jax.Array) -> jax.Array:
  """The cross entropy of N columns, their mean float32 [B]; what is present counts as far as it is visible."""
  entropy = optax.sigmoid_binary_cross_entropy(logits, presence)
  return jnp.mean(jnp.where(presence > 0, visibility, 1) * entropy, axis=1)


def _logit(probability: float) -> float:
  return float(np.log(probability / (1 - probability)))
