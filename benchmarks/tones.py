"""Fits what tells light and colour by the tones of a whole picture, on photographs that are changed anew by a program.

python -m benchmarks.tones --data folder:photos

Writes `inference/tones.safetensors` of the package: a network with one hidden layer on what `inference.tones.describe`
says of whole training pictures, and of large parts of them. A third of the training pictures is left out: thresholds
that are chosen on all of these would else be those of pictures that it knows. They are changed by each kind of
distortion, as strongly as may be; and exposed anew as by a camera: their brightest parts are taken for brighter than
the picture could hold (a lamp, a window, the sky stay bright in a dark picture), light is added or taken away, and the
tones are bent. Prints how many of the validation and test pictures are found at 1 false alarm in 100 clean ones of
these.
"""

import argparse
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import jax
import jax.numpy as jnp
import numpy as np
import optax
from PIL import Image
from safetensors.numpy import save

from jaxdistort.data import PictureSet, open_splits
from jaxdistort.data.views import overview_of
from jaxdistort.distortions import distort
from jaxdistort.errors import BrokenPicture
from jaxdistort.evaluation.wholes import whole_picture
from jaxdistort.files import write_whole
from jaxdistort.inference import tones
from jaxdistort.inference.tones import FARTHEST, FITTED, KINDS, NUMBERS, describe, told_by

_FILE = Path(tones.__file__).with_name(FITTED)
_OVERVIEW, _SIDE, _WHOLE = 96, 192, 256  # pixels: shrunk after it is changed, a picture has no gaps between its levels
_LEAST_PART = 0.5  # of the sides of a picture, that passes for a picture
_PARTS = 3  # of the training pictures, of which one is left out
_LUMA = np.array([0.299, 0.587, 0.114])
_STOPS = {"overexposure": 3.0, "underexposure": -4.5}  # at most
_FULL = {"overexposure": 1.6, "underexposure": 1.8}  # stops of a severity of 1
_BRIGHTER = {"overexposure": 2.0, "underexposure": 5.0}  # stops that highlights have more, at most
_SLIGHT = 1.2  # power of even numbers: slight ones are more frequent
_SEEN = 0.25  # severity that is half visible
_HIDDEN, _STEPS, _BATCH, _RATE, _DECAY = 64, 6000, 1024, 3e-3, 0.3
_CLEAN = 4.0  # how much a clean picture counts: there are few, and of these no one may be found


class Examples(NamedTuple):
  """N changed or clean pictures.

  Attributes:
    numbers: what is said of them, float32 [N, 192].
    presence: float32 [N, 8], 1 where the kind is there.
    severities: float32 [N, 8], 0 where it is not.
  """

  numbers: np.ndarray
  presence: np.ndarray
  severities: np.ndarray


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--data", required=True, help="photographs, mostly well exposed")
  parser.add_argument("--rounds", type=int, default=3, help="how often each is changed in each way")
  arguments = parser.parse_args()
  splits = open_splits(arguments.data)
  train = examples(squares(splits["train"], _is_for_fitting), arguments.rounds, seed=0)
  arrays = fit(train, seed=0)
  write_whole(_FILE, save({name: np.ascontiguousarray(own, np.float32) for name, own in arrays.items()}))
  held_out = np.concatenate([squares(splits[split]) for split in ("validation", "test")])
  _report(arrays, examples(held_out, 2, seed=1), len(held_out))


def _is_for_fitting(original: str) -> bool:
  return crc32(original.encode(errors="surrogateescape")) % _PARTS > 0


def squares(pictures: PictureSet, wanted: Callable[[str], bool] = bool) -> np.ndarray:
  """Whole pictures of wanted originals, squeezed into squares uint8 [N, 256, 256, 3]."""

  def readable() -> Iterator[np.ndarray]:
    for number in range(len(pictures)):
      with contextlib.suppress(BrokenPicture):
        if wanted(pictures.original(number)):
          yield overview_of(whole_picture(pictures, number), _WHOLE)

  return np.stack(list(readable()))


def examples(images: np.ndarray, rounds: int, *, seed: int) -> Examples:
  """Pictures uint8 [N, S, S, 3] as they are, first; their parts as they are, all but so, and changed in each way."""
  chance = np.random.default_rng(seed)
  numbers, places, severities = [_described(images)], [-1], [np.zeros(len(images))]
  for _ in range(rounds):
    for place, kind in enumerate(KINDS):
      for way in (_changed, _exposed) if kind in _STOPS else (_changed,):
        made, strength = way(_parts(images, chance), kind, chance)
        numbers.append(_described(made))
        places.append(place)
        severities.append(strength)
    parts = [_parts(images, chance) for _ in range(2)]
    nearly = [expose(_small(own), chance.uniform(-0.2, 0.2), 0, chance) for own in parts[1]]
    for own in (parts[0], np.stack(nearly)):
      numbers.append(_described(own))
      places.append(-1)
      severities.append(np.zeros(len(images)))
  presence = np.repeat(np.array(places)[:, None] == np.arange(len(KINDS)), len(images), axis=0)
  strengths = np.concatenate(severities)[:, None] * presence
  return Examples(np.concatenate(numbers), presence.astype(np.float32), strengths.astype(np.float32))


def _parts(images: np.ndarray, chance: np.random.Generator) -> np.ndarray:
  """A square of each picture, uint8 [N, 192, 192, 3]."""
  parts = []
  for image in images:
    side = image.shape[0] * chance.uniform(_LEAST_PART, 1)
    left, top = chance.uniform(0, image.shape[0] - side, 2)
    box = (left, top, left + side, top + side)
    parts.append(np.asarray(Image.fromarray(image).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC, box)))
  return np.stack(parts)


def _described(images: np.ndarray) -> np.ndarray:
  return np.stack([describe(_small(own)) for own in images])


def _small(image: np.ndarray) -> np.ndarray:
  return overview_of(Image.fromarray(image), _OVERVIEW)


def _changed(images: np.ndarray, kind: str, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
  """Pictures with a distortion, and its severities."""
  drawn = chance.uniform(0, 1, len(images)).astype(np.float32) ** _SLIGHT
  key = jax.random.key(int(chance.integers(2**31)))
  if kind in _STOPS:
    stops = drawn * _STOPS[kind]
    return distort(images, kind, key=key, stops=stops), _severity(kind, stops)
  return distort(images, kind, key=key, severity=drawn), drawn


def _exposed(images: np.ndarray, kind: str, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
  """Pictures, small, as a camera would have exposed them, and the severities."""
  stops = chance.uniform(0, 1, len(images)) ** _SLIGHT * _STOPS[kind]
  brighter = chance.uniform(0, _BRIGHTER[kind], len(images)) * (chance.random(len(images)) < 0.6)
  made = [expose(_small(image), *own, chance) for image, *own in zip(images, stops, brighter, strict=True)]
  return np.stack(made), _severity(kind, stops)


def _severity(kind: str, stops: np.ndarray) -> np.ndarray:
  return np.minimum(np.abs(stops) / _FULL[kind], 1)


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
  encoded = _encoded(np.clip(linear, 0, 1))
  bent = chance.uniform(0, 0.5)
  encoded = (1 - bent) * encoded + bent * (3 * encoded**2 - 2 * encoded**3)
  return np.round(255 * encoded).astype(np.uint8)


def _linear(encoded: np.ndarray) -> np.ndarray:
  """Light of sRGB tones, 0..1 both (IEC 61966-2-1)."""
  return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _encoded(light: np.ndarray) -> np.ndarray:
  return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def fit(train: Examples, *, seed: int, steps: int = _STEPS) -> dict[str, np.ndarray]:
  """The arrays of the file: by the loss of a recognition, in which what is hardly seen hardly counts."""
  mean, scale = train.numbers.mean(axis=0), train.numbers.std(axis=0) + 1e-4
  numbers = np.clip((train.numbers - mean) / scale, -FARTHEST, FARTHEST)
  seen = train.severities**2 / (train.severities**2 + _SEEN**2)
  weights = np.where(train.presence > 0, seen, 1) * np.where(train.presence.any(axis=1), 1, _CLEAN)[:, None]
  data = [jnp.asarray(own, jnp.float32) for own in (numbers, train.presence, train.severities, seen, weights)]
  keys = jax.random.split(jax.random.key(seed), 3)
  parameters = {
    "hidden": jax.random.normal(keys[0], (NUMBERS, _HIDDEN)) / NUMBERS**0.5,
    "hidden_bias": jnp.zeros(_HIDDEN),
    "outputs": jax.random.normal(keys[1], (_HIDDEN, 2 * len(KINDS))) / _HIDDEN**0.5,
    "outputs_bias": jnp.zeros(2 * len(KINDS)),
  }
  optimizer = optax.adamw(optax.cosine_decay_schedule(_RATE, steps), weight_decay=_DECAY)

  def step(state, key):
    own, moments = state
    batch = jax.random.randint(key, (_BATCH,), 0, len(numbers))
    updates, moments = optimizer.update(jax.grad(_loss)(own, *(each[batch] for each in data)), moments, own)
    return (optax.apply_updates(own, updates), moments), None

  begun = parameters, optimizer.init(parameters)
  (fitted, _), _ = jax.jit(lambda state: jax.lax.scan(step, state, jax.random.split(keys[2], steps)))(begun)
  return {"mean": mean, "scale": scale} | {name: np.asarray(own) for name, own in fitted.items()}


def _loss(parameters, numbers, presence, severities, seen, weights) -> jax.Array:
  hidden = jnp.tanh(numbers @ parameters["hidden"] + parameters["hidden_bias"][None])
  outputs = hidden @ parameters["outputs"] + parameters["outputs_bias"][None]
  there, strong = jnp.split(outputs, 2, axis=1)
  losses = optax.sigmoid_binary_cross_entropy(there, presence) * weights
  losses += optax.sigmoid_binary_cross_entropy(strong, severities) * seen
  return losses.sum(axis=1).mean()


def _report(arrays: dict[str, np.ndarray], held_out: Examples, clean: int) -> None:
  told = told_by(arrays, held_out.numbers)
  strengths = told.probabilities * told.severities
  limits = np.sort(strengths[:clean], axis=0)[-1 - clean // 100]
  for place, kind in enumerate(KINDS):
    own = held_out.severities[:, place]
    found = [np.mean(strengths[(own >= low) & (own <= high), place] > limits[place]) for low, high in _STRENGTHS]
    shares = ", ".join(f"{share:.2f}" for share in found)
    print(f"{kind} of severities {', '.join(f'{low} to {high}' for low, high in _STRENGTHS)}: found in {shares}")


_STRENGTHS = (0.3, 0.5), (0.5, 0.7), (0.7, 1.0)


if __name__ == "__main__":
  main()
