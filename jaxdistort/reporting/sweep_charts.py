"""Charts of severity sweeps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure  # not pyplot: no window, no global state

from jaxdistort.reporting.charts import style_accuracy
from jaxdistort.reporting.drawing import colour, save_chart, words

_COLOURS = ("0.15", "tab:blue", "tab:orange", "tab:green", "tab:red", "tab:purple", "tab:brown", "tab:pink")


def draw_sweeps(sweeps: Sequence[dict[str, Any]], path: Path) -> None:
  """Draws a column for each sweep: accuracy, probabilities of each network, similarity, all over the level.

  Args:
    sweeps: of `sweep_networks`, all of the same networks.
    path: without suffix; see `save_chart`.
  """
  names = [network["name"] for network in sweeps[0]["networks"]]
  # The same colour for an answer of every network, whatever its place there.
  answers = list(dict.fromkeys(name for network in sweeps[0]["networks"] for name in network["probabilities"]))
  rows = 2 + len(names)
  figure = Figure(figsize=(1.4 + 5.2 * len(sweeps), 0.6 + 2.9 * rows), layout="constrained")
  grid = figure.subplots(rows, len(sweeps), squeeze=False, sharex="col")
  for column, sweep in zip(grid.T, sweeps, strict=True):
    fixed = ", ".join(f"{words(name)} {value:g}" for name, value in sweep["fixed"].items())
    _draw_accuracy(column[0], sweep, words(sweep["distortion"]) + (f" ({fixed})" if fixed else ""))
    for axes, network in zip(column[1:-1], sweep["networks"], strict=True):
      _draw_probabilities(axes, sweep["levels"], network, answers)
    _draw_similarity(column[-1], sweep)
    unit = f" ({sweep['unit']})" if sweep["unit"] else ""
    column[-1].set_xlabel(f"{words(sweep['parameter'])}{unit}")
  keys = {
    label: line for axes in grid[1:-1].flat for line, label in zip(*axes.get_legend_handles_labels(), strict=True)
  }
  figure.legend(list(keys.values()), list(keys), loc="outside right center", fontsize=9, title="answer")
  save_chart(figure, path)


def _draw_accuracy(axes: Axes, sweep: dict[str, Any], title: str) -> None:
  style_accuracy(axes)
  axes.axhline(0.5, color="0.6", linewidth=1, linestyle=":")
  known = [network for network in sweep["networks"] if network["accuracy"]]
  for network, own in zip(sweep["networks"], _COLOURS * len(sweep["networks"]), strict=False):
    if network["accuracy"]:
      threshold = network["threshold"]["level"]
      half = f"half from {threshold:.3g}" if threshold is not None else f"half {network['threshold']['recognised']}"
      label = f"{_plain(network['name'])}: {half}"
      _draw_band(axes, sweep["levels"], network["accuracy"], network["accuracy_intervals"], color=own, label=label)
      axes.axhline(network["false_alarms"], color=own, linewidth=1, linestyle="--")
      if threshold is not None:
        axes.plot([threshold], [0.5], "D", color=own, markersize=6)
  if not known:
    axes.text(0.5, 0.25, "no network here knows this kind", ha="center", transform=axes.transAxes)
    axes.set_title(title, fontsize=11)
    return
  axes.plot([], [], "--", color="0.4", linewidth=1, label="undistorted pictures called so")
  # Above the axes, where it covers no curve.
  axes.legend(title=title, title_fontsize=11, fontsize=8.5, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1))


def _draw_probabilities(axes: Axes, levels: list[float], network: dict[str, Any], answers: list[str]) -> None:
  for name, curve in network["probabilities"].items():
    _draw_band(axes, levels, curve["mean"], curve["intervals"], color=colour(answers.index(name)), label=words(name))
  style_accuracy(axes)
  axes.set_ylabel(f"mean probability\n({_plain(network['name'])})")


def _draw_similarity(axes: Axes, sweep: dict[str, Any]) -> None:
  style_accuracy(axes)
  axes.set_ylabel(f"SSIM ({sweep['image_size']} px)", color="tab:blue")
  _draw_band(axes, sweep["levels"], sweep["ssim"]["mean"], sweep["ssim"]["intervals"], color="tab:blue")
  other = axes.twinx()
  other.set_ylabel("PSNR (dB)", color="tab:red")
  _draw_band(other, sweep["levels"], sweep["psnr"]["mean"], sweep["psnr"]["intervals"], color="tab:red")


def _plain(name: str) -> str:
  """A folder's name as it is: no formula between $, and no leading _, which would hide it from a legend."""
  return name.replace("$", r"\$").lstrip("_")


def _draw_band(
  axes: Axes, levels: list[float], means: list[float | None], intervals: list[list[float] | None], **style: Any
) -> None:
  """A curve in its interval; gaps where a mean is not known."""
  values = np.array([np.nan if mean is None else mean for mean in means])
  ends = np.array([ends or [np.nan, np.nan] for ends in intervals])
  axes.plot(levels, values, "o-", markersize=3.5, linewidth=1.5, **style)
  axes.fill_between(levels, ends[:, 0], ends[:, 1], color=style["color"], alpha=0.2, linewidth=0)
