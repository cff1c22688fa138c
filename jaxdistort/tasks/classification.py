"""One class a picture: clean, or the one distortion that is on it. The study's task."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxdistort.errors import InputError
from jaxdistort.metrics.classification import classification_figures
from jaxdistort.metrics.figures import ClassificationFigures
from jaxdistort.metrics.predictions import Predictions
from jaxdistort.protocols import Protocol, Samples
from jaxdistort.tasks.label_space import CLEAN
from jaxdistort.tasks.task import TASKS, Answer, Finding, GroupFinding, Task


@TASKS.register("classification")
class Classification(Task):
  """Softmax over clean and the kinds; targets are class numbers int32 [B]; scores are log-probabilities."""

  name = "classification"
  selected_by = "accuracy"

  @property
  def width(self) -> int:
    return len(self.labels.classes)

  @property
  def answer_names(self) -> tuple[str, ...]:
    return self.labels.classes

  def check(self, protocol: Protocol) -> None:
    super().check(protocol)
    if len(protocol.stages) > 1:
      raise InputError(
        f"protocol {protocol.name}: puts several distortions on a picture, a classification names one; "
        "give the task recognition"
      )

  def targets(self, samples: Samples, kinds: Sequence[str]) -> jax.Array:
    classes = jnp.asarray([1 + place for place in self.labels.places(kinds, "pictures")], jnp.int32)
    return jnp.where(jnp.any(samples.presence, axis=1), classes[jnp.argmax(samples.presence, axis=1)], jnp.int32(0))

  def losses(self, outputs: jax.Array, targets: jax.Array) -> jax.Array:
    return optax.softmax_cross_entropy_with_integer_labels(outputs, targets)

  def right(self, outputs: jax.Array, targets: jax.Array) -> jax.Array:
    return (jnp.argmax(outputs, -1) == targets).astype(jnp.float32)

  def scores(self, outputs: jax.Array) -> jax.Array:
    return jax.nn.log_softmax(outputs)

  def score_losses(self, scores: Any, targets: Any) -> Any:
    return -scores[np.arange(len(scores)), targets]

  def combine(self, scores: np.ndarray, overview: np.ndarray | None = None) -> np.ndarray:
    del overview  # the study's pictures are looked at all over
    mean = np.mean(scores, axis=0)
    return mean - np.logaddexp.reduce(mean)

  def exported(self, scores: jax.Array) -> dict[str, jax.Array]:
    return {"scores": scores, "probabilities": jnp.exp(scores)}

  def probabilities(self, scores: np.ndarray) -> np.ndarray:
    return np.exp(scores)

  def severities(self, scores: np.ndarray) -> None:
    del scores

  def finds(self, scores: np.ndarray, kind: str) -> np.ndarray:
    return np.argmax(scores, axis=-1) == self.labels.classes.index(kind)

  def finds_groups(self, scores: np.ndarray) -> np.ndarray:
    named = np.array((CLEAN, *self.labels.groups))[np.argmax(scores, axis=1)]
    return named[:, None] == np.array(self.labels.group_names)[None]

  def mistaken(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    return np.argmax(scores, axis=1) != targets

  def summary(self, scores: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    return {
      "loss": float(np.mean(self.score_losses(scores, targets), dtype=np.float64)),
      "accuracy": float(1 - np.mean(self.mistaken(scores, targets))),
    }

  def figures(self, predictions: Predictions) -> ClassificationFigures:
    return classification_figures(predictions, self.labels.classes)

  def targets_of_kinds(self, kinds: Sequence[str | None]) -> np.ndarray:
    return np.array([0 if kind is None else self.labels.classes.index(kind) for kind in kinds], np.int32)

  def truth_in_words(self, targets: np.ndarray) -> list[str]:
    return [self.labels.classes[target] for target in targets]

  def answer_in_words(self, scores: np.ndarray) -> list[str]:
    return [self.labels.classes[k] for k in np.argmax(scores, axis=1)]

  def answers(self, scores: np.ndarray) -> list[Answer]:
    rows = zip(self.probabilities(scores).tolist(), self.finds_groups(scores).tolist(), strict=True)
    return [self._answer(*row) for row in rows]

  def _answer(self, probabilities: list[float], found: list[bool]) -> Answer:
    surest = int(np.argmax(probabilities))
    kinds, groups = self.labels.kinds, self.labels.groups
    findings = [
      Finding(kind, group, own, None, surest == place)
      for place, (kind, group, own) in enumerate(zip(kinds, groups, probabilities[1:], strict=True), 1)
    ]
    of_groups = [
      GroupFinding(name, sum(f.probability for f in findings if f.group == name), is_found, False, None)
      for name, is_found in zip(self.labels.group_names, found, strict=True)
    ]
    return Answer(
      surest == 0,
      probabilities[0],
      tuple(sorted(findings, key=lambda finding: -finding.probability)),
      tuple(sorted(of_groups, key=lambda group: -group.probability)),
    )
