"""Draws the documentation's pictures of all distortions: each at five severities, and what severities lose.

python -m benchmarks.gallery
"""

from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from jaxdistort.data import SamplePhotographs
from jaxdistort.distortions import DISTORTIONS, GROUPS, distort
from jaxdistort.distortions.severities.perceptual import LOSS_AT_ONE, SCALES

_DOCS = Path(__file__).parents[1] / "docs"
_SEVERITIES = (0.2, 0.4, 0.6, 0.8, 1.0)
_SIDE, _GAP, _LINE = 96, 4, 14  # px


def names_by_group() -> list[str]:
  """The distortions, those of a group together."""
  return [name for group in GROUPS for name, own in DISTORTIONS.items() if own.group == group]


def draw_gallery(columns: int = 3) -> Image.Image:
  """Every kind at five severities, on a photograph of scikit-image's."""
  samples = SamplePhotographs()
  image = samples.load(3 * samples.VIEWS + 1, _SIDE)  # a cat
  names = names_by_group()
  rows = -(-len(names) // columns)
  cell = (_SIDE * len(_SEVERITIES) + 4 * _GAP, _SIDE + _LINE + _GAP)
  sheet = Image.new("RGB", (columns * cell[0] - 4 * _GAP, rows * cell[1]), "white")
  pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
  batch = np.repeat(image[None], len(_SEVERITIES), axis=0)
  for place, name in enumerate(names):
    left, top = place // rows * cell[0], place % rows * cell[1]
    pen.text((left, top), f"{name}  ({DISTORTIONS[name].group})", "black", font)
    pictures = distort(batch, name, severity=np.array(_SEVERITIES), key=jax.random.key(3))
    for i, picture in enumerate(pictures):
      sheet.paste(Image.fromarray(picture), (left + i * _SIDE, top + _LINE))
  return sheet


def draw_scales() -> Figure:
  """Loss of structure and of colour by severity, a line a distortion, a panel a group."""
  figure = Figure(figsize=(14, 7), layout="constrained")
  axes: Sequence[Axes] = figure.subplots(2, 4, sharex=True, sharey=True).ravel().tolist()
  for axis, group in zip(axes, GROUPS, strict=True):
    for name in (n for n in names_by_group() if n in SCALES and DISTORTIONS[n].group == group):
      scale = SCALES[name]
      (line,) = axis.plot(scale.severities, 1 - np.array(scale.ssim), label=name)
      axis.plot(scale.severities, np.array(scale.difference) / 50, ":", color=line.get_color())
    severities = np.linspace(0, 1, 50)
    axis.plot(severities, LOSS_AT_ONE * severities**2, color="lightgrey", linewidth=4, zorder=0)
    axis.set_title(group)
    axis.set_ylim(0, 0.65)
    axis.legend(fontsize=7, loc="upper left")
  figure.supxlabel("severity")
  figure.supylabel("1 - SSIM (lines), mean difference in CIELAB / 50 (dotted), loss aimed at (grey)")
  return figure


def parameter_table() -> str:
  """The distortions with their parameters, as a Markdown table."""
  lines = ["| distortion | group | parameters: bounds, unit (default) |", "|---|---|---|"]
  for name in names_by_group():
    own = DISTORTIONS[name]
    op = getattr(own.op, "__name__", name)
    called = f"`{name}`" if op == name else f"`{name}`: `{op}`"
    parameters = [f"{p.name} {p.bounds}{', whole' * p.whole} ({p.default:g})" for p in own.parameters]
    lines.append(f"| {called} | {own.group} | {', '.join(parameters)} |")
  return "\n".join(lines)


def main() -> None:
  draw_gallery().save(_DOCS / "distortions.jpg", quality=72, optimize=True)
  draw_scales().savefig(_DOCS / "severity.png", dpi=80)
  print(parameter_table())


if __name__ == "__main__":
  main()
