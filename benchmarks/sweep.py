"""A severity sweep beside the sum of its parts."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import photographs, time_calls
from jaxdistort.data import default_workers, open_pictures
from jaxdistort.distortions import DISTORTIONS, jpeg
from jaxdistort.evaluation import Sweep, run_sweeps
from jaxdistort.inference import Recogniser, load
from jaxdistort.metrics.similarity import measure_sharded
from jaxdistort.runtime.mesh import create_mesh, data_sharding, fill_devices, replicated


def time_sweep(checkpoint: str, data: str, sweep: Sweep, *, batch_size: int, seconds: float) -> dict[str, Any]:
  """A severity sweep, compilation and decoding included, beside the sum of its parts on the device, each timed alone.

  The parts (the distortion, the JPEG step, SSIM and PSNR, the network) are timed before the sweep and after it.

  Args:
    checkpoint: a trained network: a run, one checkpoint, a model file.
    data: clean pictures.
    sweep: of one distortion.
    batch_size: pictures a batch, about.
    seconds: measured time for each part.

  Raises:
    InputError: the network or the pictures cannot be used.
  """
  mesh = create_mesh()
  batch_size = fill_devices(batch_size, mesh)
  recogniser = load(checkpoint, sharding=replicated(mesh))
  pictures = open_pictures(data, "all")
  images = jax.device_put(photographs(batch_size, recogniser.image_size), data_sharding(mesh))
  calls = _sweep_parts(recogniser, sweep, images, measure_sharded(mesh))
  before = {name: time_calls(call, seconds=seconds / 2).median for name, call in calls.items()}
  start = time.perf_counter()
  run_sweeps(
    [sweep],
    [recogniser],
    pictures,
    mesh,
    jpeg_quality=recogniser.description.jpeg_quality,
    batch_size=batch_size,
    workers=default_workers(),
    on_broken=lambda pictures, broken, remarked: None,
  )
  whole = time.perf_counter() - start
  after = {name: time_calls(call, seconds=seconds / 2).median for name, call in calls.items()}
  parts = {name: (before[name] + after[name]) / 2 / batch_size for name in calls}
  count = len(pictures) * len(sweep.levels)
  return {
    "op": f"sweep of {sweep.distortion}",
    "library": "jaxdistort",
    "distortion": sweep.distortion,
    "pictures": len(pictures),
    "levels": len(sweep.levels),
    "batch_size": batch_size,
    "size": recogniser.image_size,
    "sweep_seconds": whole,
    "pictures_per_second": count / whole,
    **{f"{name}_seconds": count * each for name, each in parts.items()},
    "sweep_of_parts": whole / (count * sum(parts.values())),
  }


def _sweep_parts(
  recogniser: Recogniser, sweep: Sweep, images: jax.Array, measure: Callable[..., Any]
) -> dict[str, Callable[[], Any]]:
  """Calls of what a sweep does to a batch, levels over the whole of it."""
  distortion, keys = DISTORTIONS[sweep.distortion], jax.random.split(jax.random.key(0), len(images))
  levels = jnp.asarray(np.resize(sweep.levels, len(images)), jnp.float32)
  op = jax.jit(jax.vmap(lambda key, image, level: distortion(key, image, **{sweep.parameter: level}, **sweep.fixed)))
  quality = recogniser.description.jpeg_quality
  encode = jax.jit(jax.vmap(lambda image: jpeg(image, float(quality))))
  answer, similarity = recogniser.compiled(), jax.jit(measure)
  extents = jnp.full((len(images), 2), recogniser.image_size, jnp.int32)
  distorted = op(keys, images, levels)
  calls: dict[str, Callable[[], Any]] = {"op": lambda: op(keys, images, levels)}
  if quality:
    calls["jpeg"] = lambda: encode(distorted)
  return calls | {
    "similarity": lambda: similarity(images, distorted),
    "network": lambda: answer(recogniser.variables, distorted, extents),
  }
