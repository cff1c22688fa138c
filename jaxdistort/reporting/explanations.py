"""Explanations as figures: a picture as the network sees it, and where in it the answer comes from."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxdistort.data import make_output_for, read_noting, read_picture, standardise
from jaxdistort.errors import printable
from jaxdistort.files import free_name
from jaxdistort.inference import Recogniser
from jaxdistort.inference.explaining import make_explainer
from jaxdistort.reporting.drawing import words
from jaxdistort.reporting.grids import draw_explanation


class Explained(NamedTuple):
  """A picture that was explained, or could not be.

  Attributes:
    picture: its path.
    figure: the figure's path; None if the picture could not be read.
    message: the surest answers, with the remarks on the picture; or what is wrong with it.
  """

  picture: Path
  figure: Path | None
  message: str


def draw_explanations(
  recogniser: Recogniser,
  pictures: Sequence[Path],
  *,
  output: Path,
  answer: str | None = None,
  on_done: Callable[[Explained], Any] = lambda explained: None,
) -> list[Explained]:
  """Draws for each picture, side by side: the picture as the network sees it, and where its answer comes from.

  Args:
    recogniser: a network with a last map, on one device.
    pictures: files.
    output: folder for a PNG a picture.
    answer: whose evidence is shown; of each picture's surest answer if None.
    on_done: gets each picture when it is done.

  Raises:
    InputError: a network that has no map, an answer that it does not have, or a folder that holds pictures.
  """
  explain, task = make_explainer(recogniser, answer), recogniser.task
  make_output_for((), output)
  results: list[Explained] = []
  for path in pictures:
    picture, reason, remarks = read_noting(None, read_picture, path)
    if picture is None:
      explained = Explained(path, None, reason)
    else:
      image = standardise(picture, recogniser.image_size)
      explanation = jax.device_get(explain(recogniser.variables, jnp.asarray(image[None])))  # sync point
      probabilities = task.probabilities(explanation.scores)[0]
      best = np.argsort(-probabilities)[:3]
      message = ", ".join(f"{words(task.answer_names[i])} {probabilities[i]:.1%}" for i in best)
      figure = _place(output, path.stem, {result.figure for result in results})
      maps = {f"evidence for {words(task.answer_names[explanation.target[0]])} (Grad-CAM)": explanation.activation[0]}
      if explanation.saliency is not None:
        maps = {"where SGDNet looks (saliency)": explanation.saliency[0]} | maps
      draw_explanation(image, maps, f"{_short(path.name)}\n{message}", figure)
      explained = Explained(path, figure, f"{message} ({remarks})" if remarks else message)
    results.append(explained)
    on_done(explained)
  return results


def _short(name: str) -> str:
  name = printable(name)
  return name if len(name) <= 60 else f"{name[:40]}…{name[-19:]}"


def _place(folder: Path, stem: str, taken: set[Path | None]) -> Path:
  """A name that no picture of this call has; figures of earlier calls are replaced."""
  return free_name(folder, stem, ".png", taken, word="_explained")
