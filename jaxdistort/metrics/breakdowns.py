"""Where a network is right: by level, by SSIM, by people's scores; with intervals by original."""

import itertools
from collections.abc import Mapping

import numpy as np

from jaxdistort.metrics.bootstrap import accuracy_intervals
from jaxdistort.metrics.figures import Bin, Binned
from jaxdistort.metrics.predictions import Predictions

_BINS = 5
_FEW = 12  # levels that are shown one by one
_SSIM_EDGES = np.linspace(0, 1, 11)


def accuracy_in_bins(
  values: np.ndarray, right: np.ndarray, originals: np.ndarray, edges: np.ndarray | None = None
) -> list[Bin]:
  """Accuracy of the pictures in each bin of a value, with a 95 % interval; bins without pictures are left out.

  Args:
    values: float [N]; NaN are left out.
    right: bool [N].
    originals: [N].
    edges: of the bins, the last one closed, and values outside in the nearest; without them each value is its own
      bin if there are few, and else there are five bins of equally many pictures.
  """
  known = np.isfinite(values)
  values, right, originals = values[known], right[known], originals[known]
  distinct = np.unique(values)
  if edges is None and len(distinct) > _FEW:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)))
  if edges is None:
    ranges = [(value, value, values == value) for value in distinct]
  else:
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    ranges = [(low, high, place == i) for i, (low, high) in enumerate(itertools.pairwise(edges))]
  return [
    Bin(
      float(low),
      float(high),
      int(inside.sum()),
      float(right[inside].mean()),
      accuracy_intervals(originals[inside], right[inside, None])[0],
    )
    for low, high, inside in ranges
    if inside.any()
  ]


def accuracy_by_ssim(
  predictions: Predictions, right: np.ndarray, groups: Mapping[str, np.ndarray]
) -> dict[str, list[Bin]]:
  """Accuracy in tenths of the SSIM (the study's Figures 5 and 6), of "all" pictures and of groups of them.

  Args:
    predictions: on N pictures.
    right: bool [N].
    groups: name -> bool [N].

  Returns:
    Name -> bins; empty where no SSIM is known.
  """
  everything = {"all": np.ones(len(right), bool), **groups}
  found = {
    name: accuracy_in_bins(predictions.ssim[own], right[own], predictions.originals[own], _SSIM_EDGES)
    for name, own in everything.items()
  }
  return {name: bins for name, bins in found.items() if bins}


def accuracy_by_level(predictions: Predictions, right: np.ndarray) -> dict[str, Binned]:
  """Accuracy by the level of each parameter that varies."""
  found = {}
  for column, (name, unit) in enumerate(zip(predictions.level_names, predictions.level_units, strict=True)):
    levels = predictions.levels[:, column]
    if len(np.unique(levels[np.isfinite(levels)])) > 1:
      found[name] = Binned(unit, accuracy_in_bins(levels, right, predictions.originals))
  return found
