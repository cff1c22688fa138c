"""Answers to pictures: one, many, or a stream."""

import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh
from PIL import Image

from jaxdistort.data.pictures import read_picture, to_rgb
from jaxdistort.data.views import VIEWING, VIEWS, at_viewing_scale
from jaxdistort.errors import InputError
from jaxdistort.inference.direction import BLUR, direction_of, named_by
from jaxdistort.inference.recogniser import Recogniser
from jaxdistort.inference.tiling import LEAST_SIDE, TiledPicture, gradients_of, score_pictures
from jaxdistort.runtime.mesh import create_mesh
from jaxdistort.tasks import FLAT, Answer

_BATCH = 32  # squares


def predict(recogniser: Recogniser, images: Any, **options: Any) -> Answer | list[Answer]:
  """What is wrong with one picture, or with each of many.

  Args:
    recogniser: the network.
    images: a picture (path, PIL image, array of levels uint8 [H, W] or [H, W, 3] of numpy or JAX), an array uint8
      [B, H, W, 3], or any iterable of pictures.
    **options: of `predict_stream`.

  Returns:
    An `Answer` for a single picture, else a list of them in the pictures' order.

  Raises:
    BrokenPicture: a file cannot be read as a picture.
    InputError: something that is no picture.
  """
  single = _is_single(images)
  answers = list(predict_stream(recogniser, [images] if single else images, **options))
  return answers[0] if single else answers


def predict_stream(
  recogniser: Recogniser, images: Iterable[Any], *, view: str | None = None, batch_size: int = _BATCH
) -> Iterator[Answer]:
  """The same for a stream, of which no more pictures are held than a few batches need.

  A picture that is shrunk to be looked at (see the view "viewing") is judged by its own pixels, too: `Answer.native`.

  Args:
    recogniser: the network, on one device.
    images: pictures, see `predict`.
    view: one of `VIEWS`; the recogniser's own if None.
    batch_size: squares a batch.
  """
  name = view or recogniser.description.view
  looks = (look for image in images for look in looks_at(recogniser, to_picture(image), view=name))
  return answers_to(recogniser, looks, batch_size=batch_size)


def answers_to(recogniser: Recogniser, looks: Iterable[TiledPicture], *, batch_size: int = _BATCH) -> Iterator[Answer]:
  """The answers to pictures of which there are looks, one after the other, as `looks_at` gives them."""
  answer: Any = None
  for look, scores in score_pictures(recogniser, looks, mesh_of(recogniser), batch_size=batch_size):
    assert scores is not None  # every picture has a tile
    said = recogniser.task.answers(scores[None])[0]
    if look.is_native:
      answer = answer._replace(native=said)  # the look before was at the same picture
    else:
      answer = _nothing_told(said, look.unclear) if look.unclear else _directed(said, look)
    if look.is_last:
      yield answer


def _nothing_told(said: Answer, why: str) -> Answer:
  """Of a picture of which nothing can be told: probabilities as they are, and nothing found."""
  findings = tuple(own._replace(found=False) for own in said.findings)
  groups = tuple(own._replace(found=False, doubtful=False) for own in said.groups)
  return said._replace(clean=False, findings=findings, groups=groups, unclear=why)


class _Look(NamedTuple):
  """A look at a picture.

  Attributes:
    is_last: whether it is the last one at this picture.
    is_native: whether it is one more, at the picture's own pixels.
    unclear: see `Answer`.
    picture: at the scale at which it is looked at as a whole; None where it is not.
  """

  is_last: bool
  is_native: bool
  unclear: str
  picture: Image.Image | None


def looks_at(
  recogniser: Recogniser, picture: Image.Image, *, view: str | None = None, native: bool = True
) -> list[TiledPicture]:
  """The looks at a picture: by the view, and by its own pixels, if it is shrunk for that. Threads may share the work.

  Args:
    recogniser: who looks.
    picture: RGB.
    view: one of `VIEWS`; the recogniser's own if None.
    native: whether a picture that is shrunk is looked at by its own pixels, too.
  """
  name, size = view or recogniser.description.view, recogniser.image_size
  whole = at_viewing_scale(picture) if name == "viewing" else None  # shrunk here, so that the view need not again
  tiles = VIEWS.find(name, "view")(whole or picture, size)
  gradients = gradients_of(tiles)
  unclear = _why_unclear(picture, whole or picture, gradients)
  is_twofold = native and name == "viewing" and max(picture.size) > VIEWING
  looks = [TiledPicture(_Look(not is_twofold, False, unclear, whole), tiles, gradients)]
  if is_twofold:
    looks.append(TiledPicture(_Look(True, True, unclear, None), VIEWS["native"](picture, size)))
  return looks


def _directed(said: Answer, look: _Look) -> Answer:
  """With the kind of a blur told by its direction, which costs some 15 ms, and only where there is one."""
  is_blurred = any(own.found for own in said.groups if own.group == BLUR)
  if look.picture is None or not is_blurred:
    return said
  direction = direction_of(np.asarray(look.picture.convert("L")))
  return said if direction is None else named_by(said, direction)


def _why_unclear(picture: Image.Image, seen: Image.Image, gradients: np.ndarray) -> str:
  if min(seen.size) < LEAST_SIDE:
    shrunk = "" if seen.size == picture.size else f", looked at as {seen.width} x {seen.height}"
    sides = f"{picture.width} x {picture.height} pixels{shrunk}"
    return f"too small: {sides}, at least {LEAST_SIDE} x {LEAST_SIDE} are needed"
  return "" if (gradients >= FLAT).any() else "flat: nothing is shown by which it could be judged"


def mesh_of(recogniser: Recogniser) -> Mesh:
  """The devices on which the recogniser's weights lie."""
  leaf = jax.tree.leaves(recogniser.variables)[0]
  return create_mesh(devices=sorted(leaf.sharding.device_set, key=lambda device: device.id))


def _is_single(images: Any) -> bool:
  if isinstance(images, str | os.PathLike | Image.Image):
    return True
  return hasattr(images, "ndim") and images.ndim in (2, 3)


def to_picture(image: Any) -> Image.Image:
  """As RGB."""
  if isinstance(image, str | os.PathLike):
    return read_picture(image)
  if isinstance(image, Image.Image):
    return to_rgb(image)
  levels = np.asarray(image)
  if levels.dtype != np.uint8 or levels.ndim not in (2, 3) or (levels.ndim == 3 and levels.shape[2] != 3):
    raise InputError(f"a picture must be levels uint8 [H, W] or [H, W, 3], got {levels.dtype} {list(levels.shape)}")
  if not levels.size:
    raise InputError(f"a picture must have a pixel, got {list(levels.shape)}")
  return Image.fromarray(levels).convert("RGB")
