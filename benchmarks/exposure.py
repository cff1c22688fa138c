"""Fits what tells how a whole picture was exposed, on photographs that are exposed anew by a program.

python -m benchmarks.exposure --data folder:photos

Writes `inference/exposure.safetensors` of the package: a logistic regression on what
`inference.exposure.describe` says of whole training pictures. Their brightest parts are taken for brighter than the
picture could hold (a lamp, a window, the sky stay bright in a dark picture), light is added or taken away, and the
tones are bent as cameras do. Prints how many of the test pictures are found at 1 false alarm in 100 clean ones.
"""

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import save
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from jaxdistort.data import PictureSet, open_pictures
from jaxdistort.data.views import overview_of
from jaxdistort.errors import BrokenPicture
from jaxdistort.evaluation.wholes import whole_picture
from jaxdistort.files import write_whole
from jaxdistort.inference import exposure
from jaxdistort.inference.exposure import FITTED, KINDS, STOPS, describe

_FILE = Path(exposure.__file__).with_name(FITTED)
_SIDE = 96
_LUMA = np.array([0.299, 0.587, 0.114])
_RANGES = (  # stops of each class of `STOPS`
  *((-0.25, 0.25), (0.6, 1.4), (1.4, 2.3), (2.3, 3.2)),
  *((-1.9, -0.9), (-3.0, -1.9), (-4.5, -3.0)),
)
_BRIGHTER = 2.0, 5.0  # stops that highlights have more, at most; in underexposed pictures


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--data", required=True, help="photographs, mostly well exposed")
  parser.add_argument("--rounds", type=int, default=1, help="how often each is exposed in each way")
  arguments = parser.parse_args()
  train, test = (list(_overviews(open_pictures(arguments.data, split))) for split in ("train", "test"))
  numbers, classes = _examples(train, arguments.rounds, np.random.default_rng(0))
  scaler = StandardScaler().fit(numbers)

  def scaled(own: np.ndarray) -> np.ndarray:
    return np.clip(scaler.transform(own), -exposure.FARTHEST, exposure.FARTHEST)

  model = LogisticRegression(C=0.05, max_iter=150).fit(scaled(numbers), classes)
  arrays = {"mean": scaler.mean_, "scale": scaler.scale_, "weights": model.coef_.T, "bias": model.intercept_}
  write_whole(_FILE, save({name: np.ascontiguousarray(own, np.float32) for name, own in arrays.items()}))
  _report(model, scaled, test)


def _overviews(pictures: PictureSet) -> Iterator[np.ndarray]:
  """Whole pictures squeezed into a square uint8 [96, 96, 3], as they are looked at."""
  for number in range(len(pictures)):
    with contextlib.suppress(BrokenPicture):
      yield overview_of(whole_picture(pictures, number), _SIDE)


def _examples(pictures: list[np.ndarray], rounds: int, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
  """What is said of pictures float [N, 135] and their classes int [N]: as they are, and in each way of `STOPS`."""
  numbers, classes = [], []
  for image in pictures * rounds:
    numbers.append(describe(image))
    classes.append(0)
    for place, (low, high) in enumerate(_RANGES):
      brighter = chance.uniform(0, _BRIGHTER[STOPS[place] < 0]) * (chance.random() < 0.6)
      numbers.append(describe(expose(image, chance.uniform(low, high), brighter, chance)))
      classes.append(place)
  return np.stack(numbers), np.array(classes)


def expose(image: np.ndarray, stops: float, brighter: float, chance: np.random.Generator) -> np.ndarray:
  """A picture uint8 [H, W, 3] as a camera would have taken it with more or less light.

  Args:
    image: as it was taken.
    stops: of light added; taken away below 0.
    brighter: stops by which what is all but white was brighter than that.
    chance: for the shape of the tones.
  """
  noise = chance.uniform(0, 1, image.shape)  # else dark pictures would have gaps between their levels
  linear = _linear(np.clip((image + noise - 0.5) / 255, 0, 1) ** np.exp(chance.normal(0, 0.08)))
  dim = chance.uniform(0.4, 0.9)
  highlights = np.clip((linear @ _LUMA - dim) / (1 - dim), 0, 1) ** chance.uniform(0.7, 2)
  linear = linear * 2 ** (brighter * highlights)[..., None] * np.exp(chance.normal(0, 0.06, 3)) * 2**stops
  if chance.random() < 0.4:  # a film's shoulder
    linear = 1 - np.exp(-1.3 * linear)
  tones = _encoded(np.clip(linear, 0, 1))
  bent = chance.uniform(0, 0.5)
  tones = (1 - bent) * tones + bent * (3 * tones**2 - 2 * tones**3)
  return np.round(255 * tones).astype(np.uint8)


def _linear(tones: np.ndarray) -> np.ndarray:
  """Light of sRGB tones, 0..1 both (IEC 61966-2-1)."""
  return np.where(tones <= 0.04045, tones / 12.92, ((tones + 0.055) / 1.055) ** 2.4)


def _encoded(light: np.ndarray) -> np.ndarray:
  return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def _report(model: LogisticRegression, scaled, test: list[np.ndarray]) -> None:
  chance = np.random.default_rng(1)
  clean = np.sort(_strengths(model, scaled, [describe(image) for image in test]), axis=0)
  limits = clean[-1 - len(clean) // 100]
  for place, (low, high) in list(enumerate(_RANGES))[1:]:
    brighter = _BRIGHTER[STOPS[place] < 0]
    found = [describe(expose(own, chance.uniform(low, high), chance.uniform(0, brighter), chance)) for own in test]
    kind = int(STOPS[place] < 0)
    share = np.mean(_strengths(model, scaled, found)[:, kind] > limits[kind])
    print(f"{KINDS[kind]} of {low} to {high} stops: found in {share:.2f} of {len(test)} test pictures")


def _strengths(model: LogisticRegression, scaled, numbers: list[np.ndarray]) -> np.ndarray:
  """Probability times severity of both kinds, [N, 2]."""
  told = map(exposure.from_logits, model.predict_log_proba(scaled(np.stack(numbers))))
  return np.array([own.probabilities * own.severities for own in told])


if __name__ == "__main__":
  main()
