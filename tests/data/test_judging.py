"""Pictures of a database on their way to a network: every one once, measured at native size, in any tiles."""

import jax
import numpy as np
import pytest
from PIL import Image
from skimage import metrics

from jaxdistort.data import VIEWS, Tiles, open_database, read_picture, viewed_pictures
from jaxdistort.errors import InputError
from tests.data import miniatures


@pytest.fixture(scope="module")
def live(tmp_path_factory):
  root = miniatures.build_live(tmp_path_factory.mktemp("databases") / "live")
  (root / "wn" / "img1.bmp").write_bytes(b"BM no picture")
  return root


@pytest.mark.long
@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_every_picture_once_in_its_tiles(live, workers):
  database = open_database(f"live:{live}")
  with viewed_pictures(database, ("pad", "patches"), size=16, workers=workers) as pictures:
    found = list(pictures)
  assert [picture.number for picture in found] == list(range(22))
  for picture in found:
    path = database.pictures[picture.number].path
    if path == live / "wn" / "img1.bmp":
      assert picture.reason == "not a picture that can be identified"
      assert not picture.tiles
      assert np.isnan([picture.ssim, picture.psnr]).all()
      continue
    assert not picture.reason
    for view in ("pad", "patches"):
      assert isinstance(picture.tiles[view], Tiles)
      jax.tree.map(np.testing.assert_array_equal, picture.tiles[view], VIEWS[view](read_picture(path), 16))


def test_ssim_and_psnr_are_those_of_native_size(live):
  database = open_database(f"live:{live}")
  with viewed_pictures(database, (), size=16, workers=0) as pictures:
    found = {database.pictures[picture.number].path: picture for picture in pictures}
  for entry in database.pictures:
    if entry.type == "gblur" and entry.reference:
      clean, given = (np.asarray(Image.open(path)) for path in (entry.reference, entry.path))
      expected = metrics.structural_similarity(
        clean, given, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
      )
      assert found[entry.path].ssim == pytest.approx(expected, abs=1e-9)
      assert found[entry.path].psnr == pytest.approx(metrics.peak_signal_noise_ratio(clean, given))
  assert found[live / "refimgs" / "bikes.bmp"].ssim == 1


def _halves(picture, size):
  """A view whose tiles hold padding."""
  pixels = np.asarray(picture.resize((size, size)))
  halves = [np.pad(half, ((0, 0), (0, size // 2), (0, 0))) for half in np.split(pixels, 2, axis=1)]
  return Tiles(np.stack(halves), np.array([[size, size // 2]] * 2, np.int32))


@pytest.mark.slow
def test_a_new_view_is_one_registration(live):
  VIEWS.register("halves", _halves)
  try:
    with viewed_pictures(open_database(f"live:{live}"), ["halves"], size=16, workers=0) as pictures:
      tiles = next(pictures).tiles["halves"]
  finally:
    VIEWS.unregister("halves")
  assert tiles.images.shape == (2, 16, 16, 3)
  np.testing.assert_array_equal(tiles.extents, [[16, 8], [16, 8]])
  with (
    pytest.raises(InputError, match=r"view: 'patch' is not one of pad, .*; did you mean 'patches'"),
    viewed_pictures(open_database(f"live:{live}"), ["patch"], size=16, workers=0),
  ):
    pass
