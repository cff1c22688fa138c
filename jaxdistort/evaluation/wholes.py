"""Whole pictures to calibrate by: clean ones at several scales, and those that have one kind."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import jax
import numpy as np
from PIL import Image

from jaxdistort.data import PictureSet
from jaxdistort.data.pictures import read_picture
from jaxdistort.data.views import VIEWS
from jaxdistort.distortions import distort
from jaxdistort.errors import BrokenPicture
from jaxdistort.inference import Recogniser, TiledPicture, score_pictures
from jaxdistort.progress import Progress
from jaxdistort.protocols import Protocol
from jaxdistort.runtime.mesh import create_mesh
from jaxdistort.tasks import GLOBAL, LabelSpace

_SCALES = (1.0, 0.75, 0.5, 1.25)  # at which clean pictures are looked at
_CLEAN = 4000  # training pictures among these, at most: enough that a threshold does not hang on three of them
_LEAST_SIDE = 96  # pixels of a picture that was shrunk
_SQUARE = 192  # pixels of pictures that are distorted as a whole
_SLIGHTEST = 0.2  # severity that is visible


def distorted_whole(
  recogniser: Recogniser, protocol: Protocol, pictures: PictureSet, batch_size: int, progress: Progress
) -> Iterator[tuple[int, np.ndarray]]:
  """Of each kind that is told by the whole of a picture: its place, and the scores of pictures that visibly have it.

  Whole pictures have nothing else, and it as strongly as the training's protocol draws it.
  """
  labels, look = recogniser.task.labels, VIEWS.find(recogniser.description.view, "view")
  kinds = [kind for stage in protocol.stages for kind in stage.kinds]
  wholes = [kind for kind in kinds if kind.name in labels.kinds and _group_of(kind.name, labels) in GLOBAL]
  if not wholes:
    return
  images = np.stack(list(_squares(pictures)))
  with progress.bar(len(wholes), unit="kind", title="whole pictures") as bar:
    for kind in wholes:
      progress.check()
      place = labels.kinds.index(kind.name)
      key = jax.random.key(place)
      parameters, severities = jax.vmap(lambda own, kind=kind: kind.draw(own, 0))(jax.random.split(key, len(images)))
      distorted = np.asarray(distort(images, kind.name, key=key, **parameters))[np.asarray(severities) >= _SLIGHTEST]
      bar.advance()
      if not len(distorted):
        continue
      tiled = (TiledPicture(None, look(Image.fromarray(own), recogniser.image_size)) for own in distorted)
      found = score_pictures(recogniser, tiled, create_mesh(), batch_size=batch_size)
      yield place, np.stack([scores for _, scores in found if scores is not None])


def _group_of(kind: str, labels: LabelSpace) -> str:
  return labels.groups[labels.kinds.index(kind)]


def _squares(pictures: PictureSet) -> Iterator[np.ndarray]:
  for number in range(len(pictures)):
    with contextlib.suppress(BrokenPicture):  # reported where the clean ones are read
      yield pictures.load(number, _SQUARE)


class Clean(NamedTuple):
  """Clean pictures at several scales, as prediction looks at them.

  Attributes:
    scores: float32 [N, W].
    held_out: which are of the validation split, bool [N].
    owners: number of the original of each, int [N].
    names: of each.
    pictures: how many there are, at one scale.
    broken: names of those that could not be read.
  """

  scores: np.ndarray
  held_out: np.ndarray
  owners: np.ndarray
  names: list[str]
  pictures: int
  broken: list[str]

  @classmethod
  def of(cls, recogniser: Recogniser, splits: Mapping[str, PictureSet], batch_size: int, progress: Progress) -> "Clean":
    look, size = VIEWS.find(recogniser.description.view, "view"), recogniser.image_size
    held_out, more = splits["validation"], splits["train"]
    spread = np.linspace(0, len(more), min(_CLEAN, len(more)), endpoint=False).astype(int).tolist()
    chosen = [*((held_out, number) for number in range(len(held_out))), *((more, number) for number in spread)]
    owners: dict[str, int] = {}  # by the original
    broken: list[str] = []

    def tiled() -> Iterator[TiledPicture]:
      with progress.bar(len(chosen), unit="picture", title="clean pictures") as bar:
        for pictures, number in chosen:
          bar.advance()
          progress.check()
          try:
            picture = whole_picture(pictures, number)
          except BrokenPicture:
            broken.append(pictures.name(number))
            continue
          owner = owners.setdefault(pictures.original(number), len(owners))
          for scaled in _scaled(picture):
            yield TiledPicture((pictures is held_out, owner, pictures.name(number)), look(scaled, size))

    found = list(score_pictures(recogniser, tiled(), create_mesh(), batch_size=batch_size))
    return cls(
      np.stack([scores for _, scores in found if scores is not None]),
      np.array([is_held_out for (is_held_out, _, _), _ in found]),
      np.array([owner for (_, owner, _), _ in found]),
      [name for (_, _, name), _ in found],
      len(chosen) - len(broken),
      broken,
    )


def _scaled(picture: Image.Image) -> Iterator[Image.Image]:
  for scale in _SCALES:
    sides = [round(side * scale) for side in picture.size]
    if scale >= 1 or min(sides) >= _LEAST_SIDE:
      yield picture if scale == 1 else picture.resize(sides, Image.Resampling.BICUBIC)


def whole_picture(pictures: PictureSet, number: int) -> Image.Image:
  """A picture as its file has it; where that is none, or holds others too, a square of 256 px."""
  file = pictures.file(number)
  if file is None or file != pictures.name(number):
    return Image.fromarray(pictures.load(number, 256))
  return read_picture(file)
