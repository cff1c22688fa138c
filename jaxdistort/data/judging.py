"""The pictures of a database on their way to a network: decoded once, measured against the reference, cut up."""

import functools
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from PIL import Image

from jaxdistort.data.databases import Database, JudgedPicture
from jaxdistort.data.loading import load_elements
from jaxdistort.data.pictures import read_noting, read_picture
from jaxdistort.data.views import VIEWS, Tiles

_SSIM_WINDOW = 11  # px: the least side of a picture that has an SSIM


class ViewedPicture(NamedTuple):
  """A picture of a database, ready to be judged.

  Attributes:
    number: within `Database.pictures`.
    tiles: view -> the squares that it cut; empty if the picture cannot be read.
    ssim: against the reference at native size, mean over the channels (Gaussian weights, sigma 1.5, population
      covariance: Wang and others, 2004); 1 for references, NaN where there is no reference of this size.
    psnr: dB, against the reference; infinite where nothing differs.
    reason: why the picture cannot be read; "" if it can.
    remarks: on a picture that was read, though not in every way as it is meant; "" if there are none.
  """

  number: int
  tiles: dict[str, Tiles]
  ssim: float
  psnr: float
  reason: str
  remarks: str


@contextmanager
def viewed_pictures(
  database: Database, views: Sequence[str], *, size: int, workers: int
) -> Generator[Iterator[ViewedPicture]]:
  """Every picture of a database in order; on leaving the context, workers end.

  Args:
    database: from `open_database`.
    views: names in `VIEWS`, all cut from one decoding.
    size: side of the tiles in pixels.
    workers: decoding processes; 0 decodes in threads.

  Raises:
    InputError: no such view.
  """
  cut = {view: VIEWS.find(view) for view in views}
  load = functools.partial(_view, database.pictures, cut, size)
  with load_elements(range(len(database.pictures)), load, workers=workers) as pictures:
    yield pictures


def _view(
  pictures: Sequence[JudgedPicture], views: dict[str, Callable[[Image.Image, int], Tiles]], size: int, number: int
) -> ViewedPicture:
  entry = pictures[number]
  picture, reason, remarks = read_noting(None, read_picture, entry.path)
  if picture is None:
    return ViewedPicture(number, {}, np.nan, np.nan, reason, "")
  tiles = {name: view(picture, size) for name, view in views.items()}
  return ViewedPicture(number, tiles, *_against_reference(entry, picture), "", remarks)


def _against_reference(entry: JudgedPicture, picture: Image.Image) -> tuple[float, float]:
  """SSIM and PSNR in dB; NaN where they are not known."""
  if entry.reference == entry.path:
    return 1.0, np.inf
  reference = read_noting(None, read_picture, entry.reference)[0] if entry.reference else None
  if reference is None or reference.size != picture.size or min(picture.size) < _SSIM_WINDOW:
    return np.nan, np.nan
  from skimage import metrics  # here: it takes a while to import

  clean, given = np.asarray(reference), np.asarray(picture)
  ssim = metrics.structural_similarity(
    clean, given, data_range=255, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
  )
  with np.errstate(divide="ignore"):  # nothing differs
    psnr = metrics.peak_signal_noise_ratio(clean, given, data_range=255)
  return float(ssim), float(psnr)
