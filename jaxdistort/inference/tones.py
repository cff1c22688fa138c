"""Light and colour, told by the tones of the whole picture.

A square may be dark, pale or red by itself; the whole picture seldom is. A camera that sees too little light still sees
the lamp, while a picture that a program darkens has no bright pixel: both are learned, see `benchmarks.tones`.
"""

import functools
from collections.abc import Mapping
from importlib import resources
from typing import NamedTuple

import numpy as np
from safetensors.numpy import load

from jaxdistort.tasks import GLOBAL, Recognition, Task
from jaxdistort.tasks.calibration import sigmoid

FITTED = "tones.safetensors"
KINDS = (
  *("overexposure", "underexposure", "low_contrast", "high_contrast", "fog"),
  *("colour_cast", "desaturation", "oversaturation"),
)
"""The kinds that are told, in the order of answers."""
NUMBERS = 192
"""How many numbers `describe` gives."""
FARTHEST = 5.0
"""Standard deviations that a number counts as off, at most."""
_EDGES = np.array([0, 2, 5, 10, 20, 38, 64, 90, 128, 166, 191, 217, 235, 245, 250, 254])  # levels
_SHARES = np.array([0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.995, 1])
_BANDS = np.array([38, 102, 179, 230])  # levels between which tones are dark, .. bright
_OF_BLOCKS = np.array([0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1])  # of the 64 blocks of a picture
_FEW = 50  # pixels, as good as which a band is not there
_LEAST = 1e-6  # of a probability


class Tones(NamedTuple):
  """Of each of `KINDS`: the probability, 0..1, and the severity if it is there; float32 [..., 8]."""

  probabilities: np.ndarray
  severities: np.ndarray


def judged_whole(task: Task, scores: np.ndarray, overview: np.ndarray) -> np.ndarray:
  """The scores [W] of a picture with those of light and colour, told by the whole of it uint8 [S, S, 3]; some 3 ms."""
  known = [kind for kind in KINDS if kind in task.labels.kinds]
  if not known or not isinstance(task, Recognition):
    return scores
  own, places = tones_of(overview), [KINDS.index(kind) for kind in known]
  return task.told(scores, known, own.probabilities[places], own.severities[places])


def tells_all(task: Task) -> bool:
  """Whether nothing of light and colour is left to the network, so that it need not see the whole picture."""
  if not isinstance(task, Recognition):
    return False
  kinds = zip(task.labels.kinds, task.labels.groups, strict=True)
  return all(kind in KINDS for kind, group in kinds if group in GLOBAL)


def tones_of(overview: np.ndarray) -> Tones:
  """What is said of a picture, shrunk and squeezed into a square uint8 [S, S, 3]."""
  return told_by(_fitted(), describe(overview))


def told_by(fitted: Mapping[str, np.ndarray], numbers: np.ndarray) -> Tones:
  """What the arrays of the file say of pictures that `describe` describes, float32 [..., 192]."""
  scaled = np.clip((numbers - fitted["mean"]) / fitted["scale"], -FARTHEST, FARTHEST)
  hidden = np.tanh(scaled @ fitted["hidden"] + fitted["hidden_bias"])
  told = sigmoid(hidden @ fitted["outputs"] + fitted["outputs_bias"])
  return Tones(np.clip(told[..., : len(KINDS)], _LEAST, 1 - _LEAST), told[..., len(KINDS) :])


def describe(overview: np.ndarray) -> np.ndarray:
  """Numbers that say which tones and colours are in a picture uint8 [S, S, 3], float32 [192].

  Shares below levels, and the levels below which shares lie, of the luma, the brightest, and the darkest channel; the
  latter of their difference, too. Then colour and detail of dark to bright tones, and the tones of 8 x 8 blocks; the
  differences of red and blue from green, in dark to bright tones and by shares; and saturation by shares.
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
  for own in (red - green, blue - green):
    numbers += [_means(bands, own) / 255, 2 * _distribution((own + 255) // 2)[0][1:-1] - 1]
  numbers.append(_distribution(255 * (brightest - darkest) // np.maximum(brightest, 1))[0])
  return np.concatenate(numbers).astype(np.float32)


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
