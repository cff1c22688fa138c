"""Dead leaves: synthetic pictures whose edges and sizes are distributed as in photographs."""

import functools

import numpy as np
from PIL import Image, ImageDraw

from jaxdistort.data.pictures import random_view
from jaxdistort.data.source import Source, register_source


class DeadLeaves(Source):
  """Views of canvases on which leaves fell over one another, made when asked for.

  Radii follow a power law with exponent -3, which gives the scale invariance of natural images (Lee,
  Mumford and Huang, Occlusion models for natural images, IJCV 2001). Colours scatter about one tone a
  canvas; a slow gradient and fine grain, of each view, stand for light and texture.
  """

  CANVASES, VIEWS = 128, 32

  def __len__(self) -> int:
    return self.CANVASES * self.VIEWS

  def __repr__(self) -> str:
    return "synthetic"

  def name(self, index: int) -> str:
    return f"{self.original(index)}#{index % self.VIEWS}"

  def original(self, index: int) -> str:
    return f"synthetic/{index // self.VIEWS}"

  def load(self, index: int, size: int) -> np.ndarray:
    rng = np.random.default_rng(index)
    view = random_view(_canvas(index // self.VIEWS, 2 * size), size, rng, smallest=size)
    return _light_and_grain(view[..., rng.permutation(3)], rng)


register_source("synthetic", DeadLeaves, "pictures of dead leaves, drawn when asked for")


@functools.lru_cache(DeadLeaves.CANVASES)
def _canvas(seed: int, side: int) -> Image.Image:
  rng = np.random.default_rng(seed)
  tone, spread = rng.uniform(0, 255, 3), rng.uniform(15, 90)
  count = int(rng.integers(80, 800))
  smallest, largest = rng.uniform(0.005, 0.03) * side, rng.uniform(0.1, 0.5) * side
  quantiles = rng.random(count)
  radii = (smallest**-2 * (1 - quantiles) + largest**-2 * quantiles) ** -0.5
  if rng.random() < 0.5:
    radii = np.sort(radii)[::-1]  # small leaves on top: more detail
  brightness, tint = rng.normal(size=(count, 1)), 0.6 * rng.normal(size=(count, 3))
  colours = np.clip(tone + spread * (brightness + tint), 0, 255).astype(int)

  # Drawn twice as large and shrunk: soft edges.
  canvas = Image.new("RGB", (2 * side, 2 * side), tuple(tone.astype(int).tolist()))
  pen = ImageDraw.Draw(canvas)
  for radius, colour in zip(2 * radii, colours.tolist(), strict=True):
    pen.polygon([tuple(corner) for corner in _outline(rng, radius, 2 * side)], fill=tuple(colour))
  return canvas.reduce(2)


def _outline(rng: np.random.Generator, radius: float, side: int) -> list[list[float]]:
  """Corners of one leaf: of an ellipse, or of a polygon with 3 to 6 corners."""
  if rng.random() < 0.5:
    angles, squeeze = np.linspace(0, 2 * np.pi, 24, endpoint=False), rng.uniform(0.3, 1)
  else:
    angles, squeeze = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 7))), 1.0
  turn = rng.uniform(0, np.pi)
  rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
  outline = rotation @ np.stack([np.cos(angles), squeeze * np.sin(angles)])
  return (rng.uniform(0, side, (2, 1)) + radius * outline).T.tolist()


def _light_and_grain(view: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """uint8 [S, S, 3] under a slow gradient, half the time with fine grain."""
  size = len(view)
  ramp = np.linspace(-1, 1, size, dtype=np.float32)
  slope = rng.normal(size=2).astype(np.float32) * rng.uniform(0, 50)
  light = slope[0] * ramp[:, None] + slope[1] * ramp
  if rng.random() < 0.5:
    light += np.float32(rng.uniform(0, 10)) * rng.standard_normal((size, size), np.float32)
  return np.clip(view + light[..., None], 0, 255).astype(np.uint8)
