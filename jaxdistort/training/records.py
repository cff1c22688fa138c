"""What a run leaves to be read: metrics.jsonl and TensorBoard, a picture grid, broken pictures, a progress bar."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tensorboardX import SummaryWriter
from tqdm import tqdm

from jaxdistort.data import PictureSet


class Metrics:
  """Rows of metrics.jsonl and scalars of TensorBoard, one row a step that has anything to say.

  Args:
    workdir: of the run.
    step: where the run resumes; later rows, of steps to be done again, are dropped.
  """

  def __init__(self, workdir: Path, step: int):
    path = workdir / "metrics.jsonl"
    kept = [row for row in _complete_rows(path) if json.loads(row)["step"] <= step]
    path.write_text("".join(f"{row}\n" for row in kept))
    self._rows = path.open("a")
    self._board = SummaryWriter(str(workdir / "tensorboard"), purge_step=step + 1)

  def __enter__(self) -> "Metrics":
    return self

  def __exit__(self, *error: object) -> None:
    self._rows.close()
    self._board.close()

  def write(self, step: int, values: Mapping[str, float]) -> None:
    self._rows.write(json.dumps({"step": step, **values}) + "\n")
    self._rows.flush()
    for name, value in values.items():
      self._board.add_scalar(name, value, step)


def _complete_rows(path: Path) -> list[str]:
  """The rows of a file whose last one a crash may have cut short."""
  rows = path.read_text().split("\n")[:-1] if path.exists() else []
  return [row for row in rows if row.startswith("{") and row.endswith("}")]


class BrokenPictures:
  """Lists pictures that could not be read in a file, once each, with the reason.

  Args:
    path: broken_pictures.jsonl; made when the first picture fails.
    image_size: at which pictures are read again to learn the reason.
  """

  def __init__(self, path: Path, image_size: int):
    self.path, self._size = path, image_size
    self._known = {json.loads(row)["picture"] for row in _complete_rows(path)}

  def __len__(self) -> int:
    return len(self._known)

  def add(self, pictures: PictureSet, numbers: np.ndarray) -> None:
    for number in numbers.tolist():
      name = pictures.name(number)
      if name not in self._known:
        self._known.add(name)
        with self.path.open("a") as file:
          file.write(json.dumps({"picture": name, "reason": pictures.why_broken(number, self._size)}) + "\n")


def progress_bar(total: int, done: int = 0, *, unit: str, title: str, leave: bool = True) -> tqdm:
  """A bar with rate and time left; in a log file a line now and then."""
  terminal = sys.stderr.isatty()
  return tqdm(
    leave=leave,
    total=total,
    initial=done,
    desc=title,
    unit=unit,
    dynamic_ncols=terminal,
    mininterval=0.5 if terminal else 10,
    smoothing=0.1,
  )


def draw_grid(images: np.ndarray, titles: list[str], path: Path) -> None:
  """Draws pictures uint8 [N, S, S, 3], each under its title."""
  from matplotlib.figure import Figure  # without pyplot: no window, no global state

  columns = min(len(images), 7)
  rows = -(-len(images) // columns)
  figure = Figure(figsize=(2.1 * columns, 2.5 * rows), layout="constrained")
  grid = figure.subplots(rows, columns, squeeze=False).flat
  for axes in grid:
    axes.axis("off")
  for axes, image, title in zip(grid, images, titles, strict=False):
    axes.imshow(image, interpolation="nearest")
    axes.set_title(title, fontsize=9)
  figure.savefig(path, dpi=100)
