"""Maps laid over their picture, to look at; with no more than Pillow."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from jaxdistort.data.views import at_viewing_scale
from jaxdistort.inference.locating import Maps

_CAPTION = 18  # px
_RED = np.array([230, 30, 20], np.float32)
_OPAQUE = 0.75  # of the colour where a probability is 1


def overlay(picture: Image.Image, maps: Maps, names: Sequence[str]) -> Image.Image:
  """The picture at the scale at which it is looked at, and beside it a copy in grey for each name, red where it is.

  Args:
    picture: RGB.
    maps: of it, see `locate`.
    names: groups or kinds. The redder, the more probable; flat places stay grey.

  Returns:
    RGB, a caption above each part.

  Raises:
    InputError: a name that the maps do not have.
  """
  picture = at_viewing_scale(picture)
  grey = np.asarray(picture.convert("L"), np.float32)[..., None]
  down = _weights(maps.centres[:, 0, 0], picture.height)
  across = _weights(maps.centres[0, :, 1], picture.width)
  parts = [picture]
  for name in names:
    strength = np.nan_to_num(maps.of(name).astype(np.float32))
    opacity = _OPAQUE * (down @ strength @ across.T)[..., None]
    parts.append(Image.fromarray((grey * (1 - opacity) + _RED * opacity).round().astype(np.uint8)))
  return _side_by_side(parts, ["", *names])


def _weights(centres: np.ndarray, side: int) -> np.ndarray:
  """Of each place for each pixel along a side, float32 [side, n]: linear between centres, the nearest beyond them."""
  pixels = (np.arange(side) + 0.5) / side
  return np.stack([np.interp(pixels, centres, own) for own in np.eye(len(centres))], axis=1).astype(np.float32)


def _side_by_side(parts: Sequence[Image.Image], captions: Sequence[str]) -> Image.Image:
  width, height = parts[0].size
  whole = Image.new("RGB", (width * len(parts), height + _CAPTION), "white")
  pen = ImageDraw.Draw(whole)
  for place, (part, caption) in enumerate(zip(parts, captions, strict=True)):
    whole.paste(part, (place * width, _CAPTION))
    pen.text((place * width + 4, 3), caption, fill="black")
  return whole
