"""Maps laid over their picture."""

import numpy as np
from PIL import Image

from jaxdistort.inference.locating import Maps
from jaxdistort.inference.overlays import overlay


def test_what_is_found_is_painted_where_it_is():
  """Places lie on the centres of tiles, which do not divide the picture evenly."""
  across = np.float32([0.1, 0.5, 0.9])
  centres = np.stack(np.meshgrid(np.float32([0.5]), across, indexing="ij"), axis=-1)
  found = np.float32([[[0], [1], [0]]])
  maps = Maps(("blur",), ("defocus_blur",), found, found, found, centres)
  drawn = np.asarray(overlay(Image.new("RGB", (100, 40), "white"), maps, ["blur"]), int)[20:, 100:]
  redness = (drawn[..., 0] - drawn[..., 1]).mean(axis=0)
  assert redness[:10].max() == redness[90:].max() == 0  # beyond the outer centres, and at them
  assert abs(int(np.argmax(redness)) - 50) <= 1
  np.testing.assert_allclose(redness[30], redness.max() / 2, atol=4)
