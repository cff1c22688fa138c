"""Whether a picture was exposed too much or too little: by the tones of the whole of it.

A network that is trained on squares of darkened and lightened pictures takes the darkest square of a room for a dark
picture, and learns that a picture without a bright pixel is dark. A camera that sees too little light still sees the
lamp. So this is fitted to whole pictures whose scenes had more light in them than a picture holds.
"""

import functools
from importlib import resources
from typing import NamedTuple

import numpy as np
from safetensors.numpy import load

from jaxdistort.tasks import Recognition, Task

FITTED = "exposure.safetensors"
KINDS = ("overexposure", "underexposure")
STOPS = (0.0, 1.0, 1.9, 2.8, -1.4, -2.4, -3.7)
"""Of each class: as it should be, and the middle of what is over- and underexposed slightly, clearly, strongly."""
FULL = (1.6, 1.8)
"""Stops, over and under, of a severity of 1."""
_FAULTS = np.array([0, 0.25, 0.5, 1, 0.25, 0.5, 1])  # how far each class is a fault: a dusk is not
_EDGES = np.array([0, 2, 5, 10, 20, 38, 64, 90, 128, 166, 191, 217, 235, 245, 250, 254])  # levels
_SHARES = np.array([0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.995, 1])
_BANDS = np.array([38, 102, 179, 230])  # levels between which tones are dark, .. bright
_OF_BLOCKS = np.array([0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1])  # of the 64 blocks of a picture
_FEW = 50  # pixels, as good as which a band is not there
_LEAST = 1e-6  # of a probability
FARTHEST = 5.0
"""Standard deviations that a number counts as off, at most."""


class Exposure(NamedTuple):
  """Of both of `KINDS`: the probability, 0..1, in which slight ones count for less, and the severity if it is there."""

  probabilities: np.ndarray
  severities: np.ndarray


def judged_whole(task: Task, scores: np.ndarray, overview: np.ndarray) -> np.ndarray:
  """The scores [W] of a picture with those of its exposure, told by the whole picture uint8 [S, S, 3]; some 2 ms."""
  if not isinstance(task, Recognition) or not set(KINDS) <= set(task.labels.kinds):
    return scores
  return task.told(scores, KINDS, *exposure_of(overview))


def exposure_of(overview: np.ndarray) -> Exposure:
  """How a picture, shrunk and squeezed into a square uint8 [S, S, 3], was exposed: see `benchmarks.exposure`."""
  fitted = _fitted()
  numbers = (describe(overview) - fitted["mean"]) / fitted["scale"]
  return from_logits(np.clip(numbers, -FARTHEST, FARTHEST) @ fitted["weights"] + fitted["bias"])


def from_logits(logits: np.ndarray) -> Exposure:
  """Of logits [C] of the classes of `STOPS`: what is expected of both kinds."""
  classes = np.exp(logits - logits.max())
  classes /= classes.sum()
  stops = np.array(STOPS)
  own = [classes * (stops > 0), classes * (stops < 0)]
  probabilities = np.array([np.clip(kind @ _FAULTS, _LEAST, 1 - _LEAST) for kind in own])
  expected = np.array([abs(kind @ stops) / max(kind.sum(), _LEAST) for kind in own])
  return Exposure(probabilities, np.clip(expected / np.array(FULL), 0, 1))


def describe(overview: np.ndarray) -> np.ndarray:
  """Numbers that say which tones are in a picture uint8 [S, S, 3], float [135].

  Shares below levels, and the levels below which shares lie, of the luma, the brightest, and the darkest channel; the
  latter of their difference, too. Then colour and detail of dark to bright tones, and the tones of 8 x 8 blocks.
  """
  red, green, blue = np.moveaxis(overview, 2, 0).astype(np.int32)  # planes: many times as fast as rows of three
  luma = (19595 * red + 38470 * green + 7471 * blue + 2**15) >> 16  # BT.601
  brightest, darkest = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
  numbers = [part for own in (luma, brightest, darkest) for part in _distribution(own)]
  numbers.append(_distribution(brightest - darkest)[0])
  bands = np.searchsorted(_BANDS, luma)
  numbers.append(_means(bands, brightest - darkest) / 255)
  numbers.append(_means(bands[:, 1:], np.abs(np.diff(luma, axis=1))) / 25.5)
  height, width = (side // 8 for side in luma.shape)
  blocks = luma[: height * 8, : width * 8].reshape(8, height, 8, width).mean(axis=(1, 3))
  numbers.append(np.quantile(blocks, _OF_BLOCKS) / 255)
  return np.concatenate(numbers)


def _distribution(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """The levels, 0..1, at which the shares are reached, and the shares up to the levels."""
  shares = np.cumsum(np.bincount(values.ravel(), minlength=256)) / values.size
  return np.searchsorted(shares, np.clip(_SHARES, 1e-9, 1 - 1e-9)) / 255, shares[_EDGES]


def _means(bands: np.ndarray, values: np.ndarray) -> np.ndarray:
  """Of the values in each band, [5]; near 0 where there are few."""
  count = len(_BANDS) + 1
  sums = np.bincount(bands.ravel(), values.ravel(), minlength=count)
  return sums / (np.bincount(bands.ravel(), minlength=count) + _FEW)


@functools.cache
def _fitted() -> dict[str, np.ndarray]:
  return load(resources.files("jaxdistort.inference").joinpath(FITTED).read_bytes())
