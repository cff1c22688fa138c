"""A severity sweep beside the sum of its parts."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import photographs, time_calls
from jaxdistort.training.checkpoints import TrainedModel, load_trained
from jaxdistort.data import default_workers, open_pictures
from jaxdistort.distortions import DISTORTIONS, jpeg
from jaxdistort.metrics.similarity import measure_sharded
from jaxdistort.evaluation.sweeping import Sweep, run_sweeps
from jaxdistort.models import run_network
from jaxdistort.runtime.mesh import create_mesh, data_sharding, replicated


def time_sweep(checkpoint: str, data: str, sweep: Sweep, *, batch_size: int, seconds: float) -> dict[str, Any]:
  """A severity sweep, compilation and decoding included, beside the sum of its parts on the device, each timed alone.

  The parts (the distortion, the JPEG step, SSIM and PSNR, the network) are timed before the sweep and after it.
  """
  mesh = create_mesh()
  batch_size = -(-batch_size // mesh.devices.size) * mesh.devices.size
  trained = load_trained(checkpoint, replicated(mesh))
  quality, size = trained.config.protocol.jpeg_quality, trained.config.data.image_size
  pictures = open_pictures(data, "all")
  images = jax.device_put(photographs(batch_size, size), data_sharding(mesh))
  calls = _sweep_parts(trained, sweep, images, measure_sharded(mesh))
  before = {name: time_calls(call, seconds=seconds / 2).median for name, call in calls.items()}
  start = time.perf_counter()
  run_sweeps(
    [sweep],
    [trained],
    pictures,
    mesh,
    jpeg_quality=quality,
    batch_size=batch_size,
    workers=default_workers(),
    on_broken=lambda pictures, numbers: None,
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
    "size": size,
    "sweep_seconds": whole,
    "pictures_per_second": count / whole,
    **{f"{name}_seconds": count * each for name, each in parts.items()},
    "sweep_of_parts": whole / (count * sum(parts.values())),
  }


def _sweep_parts(
  trained: TrainedModel, sweep: Sweep, images: jax.Array, measure: Callable[..., Any]
) -> dict[str, Callable[[], Any]]:
  """Calls of what a sweep does to a batch, levels over the whole of it."""
  distortion, keys = DISTORTIONS[sweep.distortion], jax.random.split(jax.random.key(0), len(images))
  levels = jnp.asarray(np.resize(sweep.levels, len(images)), jnp.float32)
  op = jax.jit(jax.vmap(lambda key, image, level: distortion(key, image, **{sweep.parameter: level}, **sweep.fixed)))
  encode = jax.jit(jax.vmap(lambda image: jpeg(image, float(trained.config.protocol.jpeg_quality))))
  forward = jax.jit(lambda images: jax.nn.softmax(run_network(trained.structure, trained.variables, images)[0]))
  similarity = jax.jit(measure)
  distorted = op(keys, images, levels)
  calls: dict[str, Callable[[], Any]] = {"op": lambda: op(keys, images, levels)}
  if trained.config.protocol.jpeg_quality:
    calls["jpeg"] = lambda: encode(distorted)
  return calls | {"similarity": lambda: similarity(images, distorted), "network": lambda: forward(distorted)}
