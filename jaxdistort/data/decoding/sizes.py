"""How large a picture may be."""

import math

from PIL import Image

from jaxdistort.errors import BrokenPicture


def check_pixels(width: int, height: int, samples: int = 1) -> None:
  """Refuses, by Pillow's bound, what would fill the memory.

  Raises:
    BrokenPicture: it has more pixels than an honest picture.
  """
  if width * height > 2 * (Image.MAX_IMAGE_PIXELS or math.inf):
    raise BrokenPicture(f"{width} x {height} pixels of {samples} samples could be a decompression bomb")
