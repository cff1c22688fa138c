"""Whether a blurred picture moved, and in which direction: by the spectrum of the whole picture.

A square of 96 px, most of whose detail is one edge, hardly tells motion from a lens that is out of focus; the
directions of many squares together do. Motion weakens fine detail along its path alone, a lens in all directions.
"""

import functools
import itertools
import json
import math
from importlib import resources
from typing import NamedTuple

import numpy as np

from jaxdistort.tasks import Answer, Finding
from jaxdistort.tasks.calibration import sigmoid
from jaxdistort.tasks.levels import Level

BLUR = "blur"
MOVED = ("linear_motion_blur", "camera_shake")
STILL = ("gaussian_blur", "defocus_blur")
WEAKEST = 0.3
"""The severity from which a blur has a direction that can be seen."""
FITTED = "direction.json"
_TILE = 64  # pixels; half as far from one to the next
_BANDS = (0.03, 0.06, 0.1, 0.15, 0.22, 0.32, 0.45)  # cycles a pixel
_LEAST = 1e-9  # of a spectrum whose sum is 1


class Direction(NamedTuple):
  """What the directions of a blurred picture's detail say.

  Attributes:
    moved: probability that it moved, 0..1; else a lens was out of focus.
    angle: Level of the angle along which it moved, if it did: radians 0..pi, anticlockwise from the x axis.
  """

  moved: float
  angle: Level


class Fitted(NamedTuple):
  """A logistic regression on `describe`'s numbers, and the mean absolute error of the angle in radians."""

  weights: tuple[float, ...]
  bias: float
  error: float


def direction_of(grey: np.ndarray) -> Direction | None:
  """What the directions of detail say, float or uint8 [H, W]; None where the picture is too small for two tiles.

  The numbers come from pictures that were blurred by programs: see `benchmarks.direction`.
  """
  described = describe(grey)
  if described is None:
    return None
  numbers, angle = described
  fitted = _fitted()
  moved = float(sigmoid(np.dot(fitted.weights, numbers) + fitted.bias))
  return Direction(moved, Level("angle", angle, "rad", fitted.error))


def describe(grey: np.ndarray) -> tuple[np.ndarray, float] | None:
  """Numbers by which motion is told from a lens, float [22], and the angle of least detail, radians 0..pi.

  Of the mean logarithmic power spectrum of the half of the tiles with the most contrast: in each band of frequencies
  the amplitude of its second harmonic in the angle (0 of isotropic blur), the same less that of the lowest band (the
  scene's own), the fall from band to band, and what no smooth function of the angle explains (a path's ripples).
  """
  tiles = _tiles(np.asarray(grey, np.float64))
  if len(tiles) < 2:
    return None
  spectrum = _log_spectrum(tiles)
  bands = [_band(spectrum, low, high) for low, high in itertools.pairwise(_BANDS)]
  harmonics, rests = np.array([own for own, _ in bands]), [rest for _, rest in bands]
  own = np.hypot(harmonics[:, 1], harmonics[:, 2])
  less = harmonics[1:, 1:3] - harmonics[0, 1:3]
  numbers = np.concatenate([own, np.hypot(*less.T), np.diff(harmonics[:, 0]), rests])
  cosine, sine = less.sum(axis=0)
  strongest = math.atan2(sine, cosine) / 2  # rows count downwards: so its angle is clockwise
  return numbers, (math.pi / 2 - strongest) % math.pi


def named_by(answer: Answer, direction: Direction) -> Answer:
  """The answer with the kind of a blur that is found named by the direction: moved or not.

  Which of the kinds that moved, or did not, it is, the network says, however unsure it is of each.
  Nothing changes of zoom, which is neither, and of blur too slight to have a direction.
  """
  blurs = [own for own in answer.findings if own.group == BLUR]
  strengths = [own.severity or 0 for own in answer.groups if own.group == BLUR and own.found]
  if not strengths or strengths[0] < WEAKEST or blurs[0].kind not in MOVED + STILL:
    return answer
  half = MOVED if direction.moved >= 0.5 else STILL
  surest = next((own.kind for own in blurs if own.kind in half), None)
  if surest is None:  # the network knows none of these
    return answer

  def renamed(own: Finding) -> Finding:
    if own.kind not in MOVED + STILL:
      return own
    return own._replace(found=own.kind == surest, angle=direction.angle if own.kind == surest == MOVED[0] else None)

  return answer._replace(findings=tuple(map(renamed, answer.findings)))


def _tiles(grey: np.ndarray) -> np.ndarray:
  """Overlapping squares, the half with the most contrast, float64 [n, 64, 64]."""
  height, width = grey.shape
  if min(height, width) < _TILE:
    return np.zeros((0, _TILE, _TILE))
  step = _TILE // 2
  windows = np.lib.stride_tricks.sliding_window_view(grey, (_TILE, _TILE))[::step, ::step].reshape(-1, _TILE, _TILE)
  contrast = windows.std(axis=(1, 2))
  return windows[(contrast >= np.median(contrast)) & (contrast > 0)]


def _log_spectrum(tiles: np.ndarray) -> np.ndarray:
  """Mean logarithm of the tiles' power spectra, each of sum 1, under a window; float [64, 33]."""
  window = np.hanning(_TILE)
  power = np.abs(np.fft.rfft2((tiles - tiles.mean(axis=(1, 2), keepdims=True)) * np.outer(window, window))) ** 2
  return np.log(power / power.sum(axis=(1, 2), keepdims=True) + _LEAST).mean(axis=0)


def _band(spectrum: np.ndarray, low: float, high: float) -> tuple[np.ndarray, float]:
  """Mean, second and fourth harmonic in the angle, float [5], of a band; and the deviation of what is left."""
  places, rings, basis, inverse = _geometry(low, high)
  values = spectrum[places]
  found = inverse @ values
  rest = values - basis @ found
  means = np.bincount(rings, rest) / np.maximum(np.bincount(rings), 1)
  return found, float((rest - means[rings]).std())


@functools.cache
def _geometry(low: float, high: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
  """Of a band: its places bool [64, 33], the ring of each place, the harmonics [n, 5] and their pseudoinverse."""
  rows, columns = np.fft.fftfreq(_TILE)[:, None], np.fft.rfftfreq(_TILE)[None]
  radius, angle = np.hypot(rows, columns), np.arctan2(rows, columns)
  places = (radius >= low) & (radius < high)
  own = angle[places]
  basis = np.stack([np.ones_like(own), np.cos(2 * own), np.sin(2 * own), np.cos(4 * own), np.sin(4 * own)], axis=1)
  return places, np.round(radius[places] * _TILE).astype(int), basis, np.linalg.pinv(basis)


@functools.cache
def _fitted() -> Fitted:
  told = json.loads(resources.files("jaxdistort.inference").joinpath(FITTED).read_text())
  return Fitted(tuple(told["weights"]), told["bias"], told["error"])
