"""Figures of severity sweeps: curves with intervals, and the level from which a distortion is recognised."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxdistort.evaluation.sweeping import SweepOutcome
from jaxdistort.metrics.bootstrap import accuracy_intervals, bootstrap_by_original, known_ends

_HALF = 0.5


def report_sweep(outcome: SweepOutcome, names: Sequence[str]) -> dict[str, Any]:
  """The figures of a sweep, ready for JSON.

  Args:
    outcome: of the sweep.
    names: of the networks.

  Returns:
    distortion, parameter, unit, fixed (the other parameters), levels [L], pictures, originals; ssim and psnr, each
    with mean [L] (of the pictures where it is finite; None if of none) and intervals [L]; networks: for each its name,
    accuracy [L] and accuracy_intervals (how often it finds the distortion; None if it does not know it), false_alarms
    (share of the undistorted pictures that it names so, which an accuracy must exceed to mean anything), threshold (see
    `detection_threshold`), and
    probabilities: answer -> mean [L] and intervals [L].
  """
  sweep, originals = outcome.sweep, outcome.originals
  similarity = outcome.ssim.mean(axis=0, dtype=np.float64)
  places = np.arange(len(similarity))
  weak_first = bool(np.dot(places - places.mean(), similarity) <= 0)  # on the whole the pictures change more and more
  report = {
    "distortion": sweep.distortion,
    "parameter": sweep.parameter,
    "unit": sweep.unit,
    "fixed": sweep.fixed,
    "levels": list(sweep.levels),
    "pictures": len(originals),
    "originals": len(np.unique(originals)),
    "ssim": _curve(originals, outcome.ssim),
    "psnr": _curve(originals, outcome.psnr),
    "networks": [],
  }
  for name, (task, scores, undistorted) in zip(names, outcome.answers, strict=True):
    own: dict[str, Any] = {"name": name}
    own |= dict.fromkeys(("accuracy", "accuracy_intervals", "false_alarms", "threshold"))
    if sweep.distortion in task.labels.kinds:
      right = task.finds(scores, sweep.distortion)
      own |= {
        "accuracy": right.mean(axis=0).tolist(),
        "accuracy_intervals": accuracy_intervals(originals, right),
        "false_alarms": float(np.mean(task.finds(undistorted, sweep.distortion))),
        "threshold": detection_threshold(originals, right, sweep.levels, weak_first=weak_first),
      }
    probabilities = task.probabilities(scores)
    own["probabilities"] = {
      answer: _curve(originals, probabilities[:, :, k]) for k, answer in enumerate(task.answer_names)
    }
    report["networks"].append(own)
  return report


def _curve(originals: np.ndarray, values: np.ndarray) -> dict[str, Any]:
  """Mean of [N, L] at each level, and its 95 % intervals by original, of finite values; None where there are none."""
  finite = np.isfinite(values)
  rows = np.column_stack([finite, np.where(finite, values, 0)]).astype(np.float64)
  levels = values.shape[1]

  def means(sums: np.ndarray) -> np.ndarray:
    counts = sums[:, :levels]
    return np.divide(sums[:, levels:], counts, out=np.full_like(counts, np.nan), where=counts > 0)

  ends = bootstrap_by_original(originals, rows, means)
  return {
    "mean": [None if math.isnan(mean) else mean for mean in means(rows.sum(axis=0)[None])[0].tolist()],
    "intervals": known_ends(ends),
  }


def detection_threshold(
  originals: np.ndarray, right: np.ndarray, levels: Sequence[float], *, weak_first: bool
) -> dict[str, Any]:
  """The level from which half of the pictures are recognised: the first crossing of 1/2, coming from the weak end.

  Between levels the accuracy is taken for a straight line.

  Args:
    originals: [N].
    right: bool [N, L].
    levels: [L], ascending.
    weak_first: whether the first level is the weakest, not the strongest.

  Returns:
    level, and its interval (95 %, by original; None where resampling shows no doubt, as of few originals), low
    end first, where an end is None if it lies beyond the levels. Where there is no level, it is None, and `recognised`
    is "at every level", "at the weakest level already" (but not at every one) or "at no level". falls_back: whether
    fewer than half are recognised at a stronger level.
  """
  if not weak_first:
    right, levels = right[:, ::-1], levels[::-1]
  last = len(levels) - 1

  def level_at(place: float) -> float | None:
    return float(np.interp(place, np.arange(len(levels)), levels)) if 0 <= place <= last else None

  rows = np.column_stack([np.ones(len(right)), right])
  place = float(_first_crossing(right.mean(axis=0)[None])[0])

  def crossings(sums: np.ndarray) -> np.ndarray:
    return _first_crossing(sums[:, 1:] / sums[:, :1])[:, None]

  # Beyond the levels, places are mere codes, between which nothing lies.
  low, high = bootstrap_by_original(originals, rows, crossings, method="nearest")[0].tolist()
  interval = None if math.isnan(low) else [level_at(low), level_at(high)]
  if interval and not weak_first:
    interval.reverse()
  half = right.mean(axis=0) >= _HALF
  threshold: dict[str, Any] = {"level": level_at(place), "interval": interval}
  threshold["falls_back"] = bool(half.any() and not half[np.argmax(half) :].all())
  if threshold["level"] is None:
    early = "at the weakest level already" if threshold["falls_back"] else "at every level"
    threshold["recognised"] = early if place < 0 else "at no level"
  return threshold


def _first_crossing(curves: np.ndarray) -> np.ndarray:
  """Where curves [R, L] first reach 1/2, in places from 0 to L - 1; -1 if at once, L if never."""
  reached = curves >= _HALF
  after = np.clip(np.argmax(reached, axis=1), 1, curves.shape[1] - 1)
  rows = np.arange(len(curves))
  below, above = curves[rows, after - 1], curves[rows, after]
  step = np.divide(_HALF - below, above - below, out=np.zeros(len(curves)), where=above > below)
  places = after - 1 + np.clip(step, 0, 1)
  return np.select([reached[:, 0], ~reached.any(axis=1)], [-1.0, float(curves.shape[1])], places)


def format_sweep(report: dict[str, Any]) -> str:
  """A sweep as a table: a row for each level; below it, from which level on each network recognises half."""
  unit = f" ({report['unit']})" if report["unit"] else ""
  head = f"{report['parameter']}{unit}"
  names = [network["name"] for network in report["networks"]]
  lines = [f"{report['distortion']} on {report['pictures']} pictures: accuracy"]
  lines.append("  ".join([head, *names, "SSIM", "PSNR (dB)"]))
  for place, level in enumerate(report["levels"]):
    accuracies = [
      f"{network['accuracy'][place]:>{len(name)}.3f}" if network["accuracy"] else f"{'-':>{len(name)}}"
      for name, network in zip(names, report["networks"], strict=True)
    ]
    psnr = report["psnr"]["mean"][place]
    similarity = [f"{report['ssim']['mean'][place]:.2f}", f"{psnr:9.1f}" if psnr is not None else f"{'∞':>9}"]
    lines.append("  ".join([f"{level:>{len(head)}.4g}", *accuracies, *similarity]))
  for name, network in zip(names, report["networks"], strict=True):
    alarms = network["false_alarms"]
    more = "" if alarms is None else f"; of undistorted pictures it calls {alarms:.1%} so"
    lines.append(f"{name}: {_threshold_in_words(network['threshold'], report)}{more}")
  return "\n".join(lines)


def _threshold_in_words(threshold: dict[str, Any] | None, report: dict[str, Any]) -> str:
  if threshold is None:
    return f"does not know {report['distortion']}"
  if threshold["level"] is None:
    return f"half are recognised {threshold['recognised']}"
  found = f"half are recognised from {threshold['level']:.3g} {report['unit']}".rstrip() + " on"
  found += ", but not at all stronger levels" if threshold["falls_back"] else ""
  if threshold["interval"] is None:
    return found
  low, high = (f"{end:.3g}" if end is not None else "beyond the levels" for end in threshold["interval"])
  return f"{found} (95 %: {low} to {high})"
