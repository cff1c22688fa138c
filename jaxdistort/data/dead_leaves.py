"""Dead leaves: synthetic pictures whose edges and sizes are distributed as in photographs."""

import numpy as np
from PIL import Image, ImageDraw


class DeadLeaves:
  """Pictures of leaves that fell over one another, made when asked for.

  Radii follow a power law with exponent -3, which gives the scale invariance of natural images (Lee,
  Mumford and Huang, Occlusion models for natural images, IJCV 2001). Colours scatter about one tone a
  picture; a slow gradient and fine grain stand for light and texture.
  """

  PICTURES = 4096

  def __len__(self) -> int:
    return self.PICTURES

  def __repr__(self) -> str:
    return "synthetic"

  def name(self, index: int) -> str:
    return f"synthetic#{index}"

  def original(self, index: int) -> str:
    return f"synthetic#{index}"

  def load(self, index: int, size: int, rng: np.random.Generator | None = None) -> np.ndarray:
    return _draw(rng or np.random.default_rng(index), size)


def _draw(rng: np.random.Generator, size: int) -> np.ndarray:
  """uint8 [size, size, 3]."""
  side = 2 * size  # drawn twice as large and shrunk: soft edges
  tone, spread = rng.uniform(0, 255, 3), rng.uniform(15, 90)
  count = int(rng.integers(40, 240))
  smallest, largest = rng.uniform(0.01, 0.03) * side, rng.uniform(0.15, 0.6) * side
  quantiles = rng.random(count)
  radii = (smallest**-2 * (1 - quantiles) + largest**-2 * quantiles) ** -0.5
  if rng.random() < 0.5:
    radii = np.sort(radii)[::-1]  # small leaves on top: more detail
  brightness, tint = rng.normal(size=(count, 1)), 0.6 * rng.normal(size=(count, 3))
  colours = np.clip(tone + spread * (brightness + tint), 0, 255).astype(int)

  canvas = Image.new("RGB", (side, side), tuple(tone.astype(int)))
  pen = ImageDraw.Draw(canvas)
  for radius, colour, centre in zip(radii, colours, rng.uniform(0, side, (count, 2)), strict=True):
    corners = int(rng.integers(2, 7))
    if corners == 2:
      reach = radius * np.array([1, rng.uniform(0.3, 1)])
      pen.ellipse((*(centre - reach), *(centre + reach)), fill=tuple(colour))
    else:
      angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
      outline = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
      pen.polygon([tuple(point) for point in outline], fill=tuple(colour))

  levels = np.asarray(canvas.resize((size, size), Image.Resampling.BOX), np.float32)
  ramp = np.linspace(-1, 1, size, dtype=np.float32)
  slope = rng.normal(size=2) * rng.uniform(0, 50)
  levels = levels + (slope[0] * ramp[:, None] + slope[1] * ramp)[..., None]
  if rng.random() < 0.5:
    levels = levels + rng.uniform(0, 10) * rng.standard_normal((size, size, 1), np.float32)
  return np.clip(levels, 0, 255).astype(np.uint8)
