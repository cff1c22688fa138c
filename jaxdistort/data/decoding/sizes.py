"""How large a picture may be."""

import math
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from PIL import Image

from jaxdistort.errors import BrokenPicture

_MOST: ContextVar[float] = ContextVar("most_pixels", default=math.inf)


@contextmanager
def at_most(pixels: int) -> Generator[None]:
  """Within the context this thread reads no picture of more pixels: for whoever reads what strangers send."""
  token = _MOST.set(pixels)
  try:
    yield
  finally:
    _MOST.reset(token)


def check_pixels(width: int, height: int, samples: int = 1) -> None:
  """Refuses what the caller does not take (`at_most`), and, by Pillow's bound, what would fill the memory.

  Raises:
    BrokenPicture: it has more pixels than that, or than an honest picture.
  """
  if width * height > _MOST.get():
    raise BrokenPicture(f"{width} x {height} pixels, of which at most {_MOST.get():,} are taken")
  if width * height > 2 * (Image.MAX_IMAGE_PIXELS or math.inf):
    raise BrokenPicture(f"{width} x {height} pixels of {samples} samples could be a decompression bomb")
