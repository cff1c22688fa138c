"""The pictures of a database on their way to a network: decoded once, measured against the reference, cut up."""

import dataclasses
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import grain
import jax
import numpy as np
from PIL import Image
from skimage import metrics

from jaxdistort.data.databases import Database, JudgedPicture
from jaxdistort.data.loading import read_ahead
from jaxdistort.data.pictures import BrokenPicture, read_picture
from jaxdistort.data.views import VIEWS

_SSIM_WINDOW = 11  # px: the least side of a picture that has an SSIM


class ViewedPicture(NamedTuple):
  """A picture of a database, ready to be judged.

  Attributes:
    number: within `Database.pictures`.
    squares: view -> uint8 [n, S, S, 3]; empty if the picture cannot be read.
    ssim: against the reference at native size, mean over the channels (Gaussian weights, sigma 1.5, population
      covariance: Wang and others, 2004); 1 for references, NaN where there is no reference of this size.
    psnr: dB, against the reference; infinite where nothing differs.
    reason: why the picture cannot be read; "" if it can.
  """

  number: int
  squares: dict[str, np.ndarray]
  ssim: float
  psnr: float
  reason: str


@contextmanager
def viewed_pictures(
  database: Database, views: tuple[str, ...], *, size: int, workers: int
) -> Generator[Iterator[ViewedPicture]]:
  """Every picture of a database in order; on leaving the context, workers end.

  Args:
    database: from `open_database`.
    views: names in `VIEWS`, all cut from one decoding.
    size: side of the squares in pixels.
    workers: decoding processes; 0 decodes in threads.
  """
  elements = grain.MapDataset.range(len(database.pictures)).map(_View(database, views, size))

  def own(element: dict[str, Any]) -> ViewedPicture:
    # Copies: a worker's arrays live in shared memory, which ends with the worker.
    return ViewedPicture(**jax.tree.map(lambda x: np.array(x) if isinstance(x, np.ndarray) else x, element))

  with read_ahead(elements, workers, own) as iterator:
    yield iterator


@dataclasses.dataclass(frozen=True)
class _View(grain.transforms.Map):
  database: Database
  views: tuple[str, ...]
  size: int

  def map(self, element: int) -> dict[str, Any]:
    entry = self.database.pictures[element]
    try:
      picture = read_picture(entry.path)
    except BrokenPicture as error:
      return ViewedPicture(element, {}, np.nan, np.nan, str(error))._asdict()
    squares = {view: VIEWS[view](picture, self.size) for view in self.views}
    return ViewedPicture(element, squares, *_against_reference(entry, picture), "")._asdict()


def _against_reference(entry: JudgedPicture, picture: Image.Image) -> tuple[float, float]:
  """SSIM and PSNR in dB; NaN where they cannot be told."""
  if entry.reference == entry.path:
    return 1.0, np.inf
  try:
    reference = read_picture(entry.reference) if entry.reference else None
  except BrokenPicture:  # it is told where it is judged itself
    reference = None
  if reference is None or reference.size != picture.size or min(picture.size) < _SSIM_WINDOW:
    return np.nan, np.nan
  clean, given = np.asarray(reference), np.asarray(picture)
  ssim = metrics.structural_similarity(
    clean, given, data_range=255, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
  )
  with np.errstate(divide="ignore"):  # nothing differs
    psnr = metrics.peak_signal_noise_ratio(clean, given, data_range=255)
  return float(ssim), float(psnr)
