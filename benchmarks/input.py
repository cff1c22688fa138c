"""Clean pictures: how fast they are decoded and standardised by workers, and how fast they reach the device."""

import time
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from benchmarks.timing import Stopwatch, calling, count_processors, photographs, rates
from jaxdistort.data import PictureSet, default_workers, open_pictures, training_batches
from jaxdistort.runtime.mesh import create_mesh, data_sharding


def default_worker_counts() -> list[int]:
  """0 (threads of this process), 1, 2, 4, ... up to the number of processors."""
  most = count_processors()
  return [0, *(2**i for i in range(most.bit_length()) if 2**i <= most)]


def time_input(
  data: str, watch: Stopwatch, *, batch_size: int, size: int, workers: Sequence[int]
) -> list[dict[str, Any]]:
  """Batches as training gets them, by number of workers; then the transfer alone.

  Args:
    data: clean pictures, see `data.parse_sources`.
    watch: measures; workers start slowly, so their numbers do not take turns.
    batch_size: pictures a batch.
    size: side of the pictures in pixels.
    workers: numbers of decoding processes; 0: threads of this process.

  Raises:
    InputError: the pictures cannot be opened.
  """
  pictures = open_pictures(data, "all")
  common = {"library": "jaxdistort", "data": data, "pictures": len(pictures), "batch_size": batch_size, "size": size}
  rows = []
  for count in workers:
    seconds = _batch_seconds(pictures, watch, batch_size=batch_size, size=size, workers=count)
    kind = "threads" if count == 0 else "1 worker" if count == 1 else f"{count} workers"
    speeds = batch_size / np.percentile(seconds, [50, 75, 25])
    named = dict(zip(("pictures_per_second", "lower", "upper"), map(float, speeds), strict=True))
    row = {"op": f"decode and standardise, {kind}", **common, "workers": count}
    row |= {"pictures_per_second": named["pictures_per_second"], "quartiles": [named["lower"], named["upper"]]}
    rows.append(row)
  images, place = np.array(photographs(batch_size, size)), data_sharding(create_mesh())
  turns = {"transfer": calling(lambda: jax.device_put(images, place))}
  timing = watch.time(turns)["transfer"]
  watch.trace(turns)
  transfer = rates(timing, batch_size) | {"gigabytes_per_second": images.nbytes / timing.median / 1e9}
  return [*rows, {"op": "transfer to the device", **common, **transfer}]


def _batch_seconds(pictures: PictureSet, watch: Stopwatch, *, batch_size: int, size: int, workers: int) -> list[float]:
  """Seconds a batch in every round, once what was read ahead is used up."""
  found = []
  with training_batches(
    pictures, pictures.order(0), side=size, batch_size=batch_size, mesh=create_mesh(), workers=workers
  ) as batches:
    turn = workers or default_workers()
    ahead = 2 * turn + 4
    for _ in range(ahead):
      jax.block_until_ready(next(batches).images)
    for _ in range(watch.rounds):
      start, count = time.perf_counter(), 0
      # Workers deliver in turn: whole turns, or a batch would seem free.
      while count % turn or not count or time.perf_counter() - start < watch.seconds / watch.rounds:
        jax.block_until_ready(next(batches).images)
        count += 1
      found.append((time.perf_counter() - start) / count)
  return found
