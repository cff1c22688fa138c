"""A network's answers, alone and behind the JPEG step that pictures pass in an evaluation."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.runs import open_parts
from benchmarks.timing import Stopwatch, calling, photographs, rates
from jaxdistort.config import TrainConfig
from jaxdistort.inference import Recogniser, load
from jaxdistort.runtime.mesh import create_mesh, data_sharding, fill_devices, replicated


def time_inference(
  watch: Stopwatch,
  *,
  batch_size: int,
  config: TrainConfig | None = None,
  checkpoint: str | None = None,
  data: str | None = None,
) -> list[dict[str, Any]]:
  """Scores of batches of pictures that lie on the device: two rows.

  Args:
    watch: measures.
    batch_size: pictures a call.
    config: of a network that gets random weights.
    checkpoint: a trained network (a run, one checkpoint, a model file), in place of a config.
    data: clean pictures of the run that the config describes, the config's unless given.

  Raises:
    InputError: the checkpoint cannot be read, or something in the config cannot be used.
  """
  mesh = create_mesh()
  batch_size = fill_devices(batch_size, mesh)
  with _recogniser(config, checkpoint, data) as recogniser:
    size, name = recogniser.image_size, recogniser.description.network.name
    images = jax.device_put(photographs(batch_size, size), data_sharding(mesh))
    extents = jax.device_put(jnp.full((batch_size, 2), size, jnp.int32), data_sharding(mesh))
    alone = recogniser.compiled()
    behind_jpeg = recogniser.compiled(jpeg_quality=recogniser.description.jpeg_quality or 75)
    turns = {
      name: calling(lambda: alone(recogniser.variables, images, extents)),
      f"{name} behind the JPEG step": calling(lambda: behind_jpeg(recogniser.variables, images, extents)),
    }
    timings = watch.time(turns)
    watch.trace(turns)
  common = {"library": "jaxdistort", "model": name, "batch_size": batch_size, "size": size}
  return [
    {"op": f"answers of {name}", **common, **rates(timing, batch_size), "seconds_per_batch": timing.median}
    for name, timing in timings.items()
  ]


@contextmanager
def _recogniser(config: TrainConfig | None, checkpoint: str | None, data: str | None) -> Generator[Recogniser]:
  """A trained network, or the one that a config begins with."""
  if checkpoint is not None:
    yield load(checkpoint, sharding=replicated(create_mesh()))
    return
  assert config
  with open_parts(config, data) as parts:
    yield parts.recogniser(parts.workdir, 0)
