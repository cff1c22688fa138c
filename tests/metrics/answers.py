"""Answers as a network might give them."""

import numpy as np

from jaxdistort.metrics.predictions import Predictions
from jaxdistort.tasks import Classification, LabelSpace

TASK = Classification(LabelSpace(("gaussian_blur", "marble"), ("blur", "warp")))
NAMES = TASK.answer_names  # clean, gaussian_blur, marble


def predictions(labels, predicted, *, confidence=0.8, levels=None, ssim=None) -> Predictions:
  """Answers to two pictures an original, the probabilities of all other classes equal.

  Args:
    labels: true classes, by number.
    predicted: those that are named.
    confidence: of each answer.
    levels: (kind.parameter, unit) -> [N]; NaN where it is unknown.
    ssim: [N]; unknown if None.
  """
  labels, predicted, levels = np.array(labels, np.int32), np.array(predicted), levels or {}
  count = len(labels)
  probabilities = np.full((count, len(NAMES)), (1 - confidence) / (len(NAMES) - 1), np.float32)
  probabilities[np.arange(count), predicted] = confidence
  originals, unknown = np.arange(count) // 2, np.full(count, np.nan)
  columns = np.stack(list(levels.values()), axis=1) if levels else np.empty((count, 0))
  names, units = (tuple(spec[i] for spec in levels) for i in (0, 1))
  return Predictions(
    originals,
    originals,
    labels,
    np.log(probabilities),
    columns.astype(np.float32),
    names,
    units,
    unknown if ssim is None else np.array(ssim),
    unknown,
  )
