"""Fits what tells motion from a lens out of focus, on photographs that are blurred by a program.

python -m benchmarks.direction --data folder:photos --large folder:originals

Writes `inference/direction.json` of the package: a logistic regression on what `inference.direction.describe` says of
training pictures blurred by a Gaussian, a disk, a line and a shaking hand, with a little noise and a JPEG of good
quality; prints how often it is right on test pictures, and how far the angle of a line is off.
"""

import argparse
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import jaxdistort
from jaxdistort.data import open_pictures
from jaxdistort.files import write_whole
from jaxdistort.inference import direction
from jaxdistort.inference.direction import MOVED, STILL, WEAKEST, describe

_FILE = Path(direction.__file__).with_name("direction.json")
_BATCH = 32
_SIDES = 192, 480  # pixels, of pictures of `--data` and `--large`


class _Described(NamedTuple):
  """Of one blurred picture: its kind, its numbers, and how far the angle is off, radians; NaN where it has none."""

  kind: str
  numbers: np.ndarray
  off: float


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--data", required=True, help="photographs, looked at with a side of 192 px")
  parser.add_argument("--large", required=True, help="larger ones, with a side of 480 px")
  parser.add_argument("--count", type=int, default=800, help="pictures of each, at most")
  arguments = parser.parse_args()
  sources = list(zip((arguments.data, arguments.large), _SIDES, strict=True))
  train, test = (
    [own for source, side in sources for own in _described(source, split, side, arguments.count)]
    for split in ("train", "test")
  )
  scaler = StandardScaler().fit([own.numbers for own in train])
  moved = [own.kind in MOVED for own in train]
  model = LogisticRegression().fit(scaler.transform([own.numbers for own in train]), moved)
  weights = model.coef_[0] / scaler.scale_
  bias = float(model.intercept_[0] - weights @ scaler.mean_)
  error = float(np.nanmean([own.off for own in train]))
  fitted = {"weights": [round(own, 5) for own in weights.tolist()], "bias": round(bias, 5), "error": round(error, 3)}
  write_whole(_FILE, (json.dumps(fitted, indent=1) + "\n").encode())
  for kind in STILL + MOVED:
    own = [picture for picture in test if picture.kind == kind]
    right = [(weights @ picture.numbers + bias > 0) == (kind in MOVED) for picture in own]
    print(f"{kind}: told right in {np.mean(right):.3f} of {len(own)} test pictures")
  print(f"angle of a line off by {np.nanmean([own.off for own in test]):.3f} rad on test pictures")


def _described(source: str, split: str, side: int, most: int) -> Iterator[_Described]:
  pictures = open_pictures(source, split)
  chance = np.random.default_rng([side, split == "test"])
  count = min(most, len(pictures)) // _BATCH * _BATCH or len(pictures)
  chosen = chance.permutation(len(pictures))[:count]
  for begin in range(0, count, _BATCH):
    images = np.stack([pictures.load(int(place), side) for place in chosen[begin : begin + _BATCH]])
    for kind in STILL + MOVED:
      yield from _blurred(images, kind, chance)


def _blurred(images: np.ndarray, kind: str, chance: np.random.Generator) -> Iterator[_Described]:
  severities = chance.uniform(WEAKEST, 1, len(images)).astype(np.float32)
  angles = chance.uniform(0, math.pi, len(images)).astype(np.float32)
  is_line = kind == MOVED[0]
  key, given = jax.random.key(int(chance.integers(2**31))), {"angle": angles} if is_line else {}
  for image, angle in zip(jaxdistort.distort(images, kind, severity=severities, key=key, **given), angles, strict=True):
    described = describe(_as_file(image, chance))
    assert described is not None
    numbers, found = described
    off = abs((found - angle + math.pi / 2) % math.pi - math.pi / 2)
    yield _Described(kind, numbers, off if is_line else math.nan)


def _as_file(image: np.ndarray, chance: np.random.Generator) -> np.ndarray:
  """In grey, as a camera writes it: a little noise, then JPEG."""
  noisy = (image + chance.normal(0, chance.uniform(0, 2), image.shape)).clip(0, 255)
  stream = io.BytesIO()
  Image.fromarray(noisy.round().astype(np.uint8)).save(stream, "JPEG", quality=int(chance.integers(80, 98)))
  return np.asarray(Image.open(stream).convert("L"))


if __name__ == "__main__":
  main()
