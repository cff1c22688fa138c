"""Pictures in figures: drawn without a window, readable at half size."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from matplotlib.figure import Figure  # not pyplot: no window, no global state

from jaxdistort.evaluation import Outcome
from jaxdistort.files import making_whole
from jaxdistort.tasks import Answer, Task


def draw_examples(outcome: Outcome, task: Task, path: Path) -> None:
  """Draws the first pictures that were judged under their true and their given answer."""
  rows = [shown.row for shown in outcome.first]
  predictions = outcome.predictions
  targets = jax.tree.map(lambda column: column[rows], predictions.targets)
  scores = predictions.scores[rows]
  wrong = task.mistaken(scores, targets)
  given = [_probability(answer) for answer in task.answers(scores)]
  titles = [
    f"{truth}\n{f'called {answer}' if mistaken else 'right'}, {probability:.0%}".replace("_", " ")
    for truth, answer, mistaken, probability in zip(
      task.truth_in_words(targets), task.answer_in_words(scores), wrong, given, strict=True
    )
  ]
  colours = ["firebrick" if mistaken else "black" for mistaken in wrong]
  draw_grid(np.stack([shown.image for shown in outcome.first]), titles, path, colours)


def _probability(answer: Answer) -> float:
  """Of what the answer says: of the least sure of the kinds that it names, or that the picture is clean."""
  named = [finding.probability for finding in answer.findings if finding.found]
  return min(named, default=answer.probability_clean)


def draw_grid(images: np.ndarray, titles: Sequence[str], path: Path, colours: Sequence[str] | None = None) -> None:
  """Draws pictures uint8 [N, S, S, 3], each under its title."""
  columns = min(len(images), 7)
  rows = -(-len(images) // columns)
  figure = Figure(figsize=(2.1 * columns, 2.6 * rows), layout="constrained")
  grid = figure.subplots(rows, columns, squeeze=False).ravel()
  for axes in grid:
    axes.axis("off")
  for axes, image, title, colour in zip(grid, images, titles, colours or ["black"] * len(images), strict=False):
    axes.imshow(image, interpolation="nearest")
    axes.set_title(title, fontsize=8.5, color=colour)  # the longest class name fits its picture
  _save(figure, path, dpi=100)


def draw_explanation(image: np.ndarray, maps: dict[str, np.ndarray], title: str, path: Path) -> None:
  """Draws a picture uint8 [S, S, 3], and beside it each map [h, w] laid over it, as shares of the map's maximum."""
  size = len(image)
  figure = Figure(figsize=(3.4 * (1 + len(maps)) + 0.8, 4.1), layout="constrained")
  left, *others = figure.subplots(1, 1 + len(maps), squeeze=False)[0]
  left.imshow(image)
  left.set_title("as the network sees it", fontsize=10)
  for axes, (name, values) in zip(others, maps.items(), strict=True):
    axes.imshow(image.mean(-1), cmap="gray", vmin=0, vmax=255)
    shares = values / values.max() if values.max() > 0 else values
    layer = axes.imshow(
      shares,
      cmap="inferno",
      vmin=0,
      vmax=1,
      alpha=0.6,
      interpolation="bilinear",
      extent=(-0.5, size - 0.5, size - 0.5, -0.5),
    )
    axes.set_title(name if values.max() > 0 else f"{name}: none", fontsize=10)
  for axes in (left, *others):
    axes.axis("off")
  figure.colorbar(layer, ax=others, label="share of the map's maximum", shrink=0.8)
  figure.suptitle(title, fontsize=10.5, parse_math=False)  # names of files may hold a $
  with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Glyph .* missing from font")  # and letters of any script
    _save(figure, path, dpi=110)


def _save(figure: Figure, path: Path, *, dpi: int) -> None:
  with making_whole(path) as unfinished:
    figure.savefig(unfinished, format="png", dpi=dpi)
