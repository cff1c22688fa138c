"""A network that can be used: the one way in which pictures of any size become answers."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from jaxdistort.data import Seen
from jaxdistort.distortions import jpeg
from jaxdistort.inference.description import Description
from jaxdistort.models import Variables, is_any_size, run_network
from jaxdistort.runtime.compilation import jit_inference
from jaxdistort.tasks import Task


@dataclasses.dataclass(frozen=True, eq=False)
class Recogniser:
  """Structure, weights and everything that must be known to use them.

  Attributes:
    description: what it was built and trained for.
    structure: of the network.
    variables: its arrays, on the devices.
    path: of the checkpoint or the model file.
    step: updates that made the weights.
    seen: the originals that it was trained and validated on.
  """

  description: Description
  structure: nnx.GraphDef
  variables: Variables
  path: Path
  step: int
  seen: Seen = dataclasses.field(default_factory=Seen)

  @property
  def task(self) -> Task:
    return self.description.task

  @property
  def image_size(self) -> int:
    """Side in pixels of the squares that the network sees."""
    return self.description.network.image_size

  def apply(self, variables: Variables, images: jax.Array, extents: jax.Array | None = None) -> jax.Array:
    """The forward pass, to be traced: what the network says of squares.

    Args:
      variables: like the recogniser's own (an argument, so that they are no constants of the program).
      images: uint8 [B, S, S, 3].
      extents: int32 [B, 2], height and width of what is picture in each square, from the top left corner; the rest is
        padding, which networks of any size leave out. None: all of it.

    Returns:
      The task's scores, float32 [B, W].
    """
    mask = None
    if extents is not None and is_any_size(self.structure, variables):
      mask = _mask(extents, images.shape[1])
    outputs, _ = run_network(self.structure, variables, images, mask=mask)
    return self.task.scores(outputs)

  def compiled(self, *, jpeg_quality: int = 0) -> Callable[[Variables, jax.Array, jax.Array], jax.Array]:
    """`(variables, images, extents) -> scores`, traced and compiled once for each shape, however often it is asked for.

    Args:
      jpeg_quality: of a JPEG step before the network, as in a training; 0: none.
    """
    if jpeg_quality not in self._programs:
      self._programs[jpeg_quality] = self._program(jpeg_quality)
    return self._programs[jpeg_quality]

  @functools.cached_property
  def _programs(self) -> dict[int, Callable[[Variables, jax.Array, jax.Array], jax.Array]]:
    return {}

  def _program(self, jpeg_quality: int) -> Callable[[Variables, jax.Array, jax.Array], jax.Array]:
    def scores(variables: Variables, images: jax.Array, extents: jax.Array) -> jax.Array:
      if jpeg_quality:
        images = jax.vmap(jpeg, (0, None))(images, float(jpeg_quality))
      return self.apply(variables, images, extents)

    return jit_inference(scores)

  def predict(self, images: Any, **options: Any) -> Any:
    """What is wrong with pictures: see `jaxdistort.inference.predict`."""
    from jaxdistort.inference.predicting import predict

    return predict(self, images, **options)

  def locate(self, image: Any) -> Any:
    """Where in a picture each distortion is: see `jaxdistort.inference.locate`."""
    from jaxdistort.inference.locating import locate

    return locate(self, image)

  def save(self, path: str | Path) -> Path:
    """Writes a model file: see `jaxdistort.inference.write_model_file`."""
    from jaxdistort.inference.model_file import write_model_file

    return write_model_file(self, Path(path))


def _mask(extents: jax.Array, side: int) -> jax.Array:
  """bool [B, S, S]: which pixels are the picture's."""
  places = jnp.arange(side, dtype=jnp.int32)[None]
  rows, columns = places < extents[:, :1], places < extents[:, 1:]
  return rows[:, :, None] & columns[:, None, :]
