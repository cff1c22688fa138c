"""Training fed by the host and from device memory, side by side; and what the size of the set costs."""

import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh

from benchmarks.runs import open_parts
from benchmarks.timing import Stopwatch, calling, rates
from jaxdistort.config import TrainConfig
from jaxdistort.data import Order, ResidentPictures, bytes_per_device, default_workers, load_resident
from jaxdistort.runtime.mesh import data_sharding, fill_devices
from jaxdistort.training.feeding import Feed, ResidentFeed, host_feed
from jaxdistort.training.parts import Parts


def time_placements(config: TrainConfig, watch: Stopwatch, *, data: str | None = None) -> list[dict[str, Any]]:
  """Training on the same pictures from the host and from device memory: two rows, the second with the ratio.

  The two take turns. Workers begin and end with each turn of the host, or they would decode ahead during the device's;
  its first steps, on what they had read ahead, do not count.

  Args:
    config: of the run.
    watch: measures.
    data: clean pictures, the config's unless given.

  Raises:
    InputError: something in the config cannot be used.
  """
  with open_parts(config, data) as parts:
    pictures, batches, workers = parts.batches.pictures, parts.batches, parts.workers
    resident = load_resident(pictures, batches.side, parts.mesh, workers=workers)
    device = ResidentFeed(parts.update, resident, batches, most=parts.config.dispatched_steps)
    options: dict[str, Any] = {"first_batch": 0, "workers": workers, "on_broken": lambda broken, remarked: None}

    def from_host(seconds: float) -> list[float]:
      with host_feed(parts.update, batches, **options) as host:
        turn = workers or default_workers()  # batches that come at once: of these, all but one would seem free
        for _ in range(2 * turn + 4):
          jax.block_until_ready(_advance(parts, host))
        start, count = time.perf_counter(), 0
        while not count or time.perf_counter() - start < seconds:
          for _ in range(turn):
            jax.block_until_ready(_advance(parts, host))
          count += turn
        return [(time.perf_counter() - start) / count]

    timings = watch.time({"host": from_host, "device": calling(lambda: _advance(parts, device))})
  rows = [
    {
      "op": f"training of {config.model.name}, pictures on the {name}",
      "library": "jaxdistort",
      "pictures": len(pictures),
      "workers": workers,
      "batch_size": config.batch_size,
      "size": config.data.image_size,
      **rates(timings[name], config.batch_size * steps),
    }
    for name, steps in (("host", 1), ("device", device.most))
  ]
  rows[1]["device_of_host"] = timings["host"].median / timings["device"].median * device.most
  return rows


def time_set_sizes(
  config: TrainConfig, watch: Stopwatch, counts: Sequence[int], *, data: str | None = None
) -> list[dict[str, Any]]:
  """Training from device memory by the number of clean pictures there (noise, drawn on the device): a row each.

  `memory_bytes` is what the pictures take of each device, `memory_computed` what they should; `seconds_of_least` the
  time of a step against that with the fewest pictures.

  Args:
    config: of the run.
    watch: measures.
    counts: numbers of pictures.
    data: that the run is built with, the config's unless given; none of its pictures is used.

  Raises:
    InputError: something in the config cannot be used.
  """
  with open_parts(config, data) as parts:
    side, most = parts.batches.side, parts.config.dispatched_steps
    rows, feeds = [], {}
    for count in counts:
      batches = parts.batches._replace(order=Order.of((count,), (1.0,), config.seed))
      images = _noise(count, side, parts.mesh)
      resident = ResidentPictures(images, *np.empty((2, 0), np.int64))
      feeds[count] = ResidentFeed(parts.update, resident, batches, most=most)
      rows.append({
        "op": f"training of {config.model.name} on {count:,} pictures",
        "library": "jaxdistort",
        "pictures": count,
        "batch_size": config.batch_size,
        "size": config.data.image_size,
        "memory_bytes": images.addressable_shards[0].data.nbytes,
        "memory_computed": bytes_per_device(count, side, parts.mesh),
      })  # fmt: skip
    timings = watch.time(
      {str(count): calling(lambda feed=feed: _advance(parts, feed)) for count, feed in feeds.items()}
    )
  least = timings[str(min(counts))].median
  return [
    row | rates(timing, config.batch_size * most) | {"seconds_of_least": timing.median / least}
    for row, timing in zip(rows, timings.values(), strict=True)
  ]


def _advance(parts: Parts, feed: Feed) -> Any:
  """As many steps as a dispatch makes."""
  parts.state, metrics = feed.advance(parts.state, parts.frozen, feed.most)
  return metrics


def _noise(count: int, side: int, mesh: Mesh) -> jax.Array:
  """Levels uint8 [count or a few more, S, S, 3]."""
  shape = (fill_devices(count, mesh), side, side, 3)
  return jax.jit(lambda: _hashed(shape), out_shardings=data_sharding(mesh))()


def _hashed(shape: tuple[int, ...]) -> jax.Array:
  picture, row, column = (lax.broadcasted_iota(jnp.uint32, shape, axis) for axis in range(3))
  return ((picture * np.uint32(2654435761) + row * np.uint32(40503) * column) >> np.uint32(24)).astype(jnp.uint8)
