"""Training fed by the host and from device memory, side by side; and what the size of the set costs."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.timing import Stopwatch, calling, rates
from benchmarks.training import without_weights
from jaxdistort.config import TrainConfig
from jaxdistort.data import (
  Order,
  PictureSet,
  ResidentPictures,
  bytes_per_device,
  default_workers,
  load_resident,
  open_pictures,
)
from jaxdistort.runtime.mesh import create_mesh, data_sharding
from jaxdistort.training import create_state, make_sampler, make_update
from jaxdistort.training.feeding import Batches, Feed, ResidentFeed, host_feed
from jaxdistort.training.optimizers import create_optimizer


class _Trainer:
  """A network in training, whichever way its pictures come."""

  def __init__(self, config: TrainConfig):
    config = without_weights(config)
    self.config, self.mesh = config, create_mesh(config.fsdp)
    optimizer = create_optimizer(config.optimizer, config.steps)
    structure, self.state, self.frozen = create_state(config.create_network, optimizer, config.seed, self.mesh)
    size = config.data.image_size
    sample = make_sampler(config.create_protocol(), self.mesh, seed=config.seed, size=size, augment=config.data.augment)
    self.update = make_update(structure, optimizer, sample, self.mesh, seed=config.seed, accumulate=config.accumulate)

  def step(self, feed: Feed) -> Any:
    """As many steps as a dispatch makes."""
    self.state, metrics = feed.advance(self.state, self.frozen, feed.most)
    return metrics

  def batches(self, pictures: PictureSet, order: Order) -> Batches:
    return Batches(pictures, order, self.config.data.training_side, self.config.batch_size)


def time_placements(config: TrainConfig, watch: Stopwatch, *, data: str | None = None) -> list[dict[str, Any]]:
  """Training on the same pictures from the host and from device memory: two rows, the second with the ratio.

  The two take turns. Workers begin and end with each turn of the host, or they would decode ahead during the device's;
  its first steps, on what they had read ahead, do not count.

  Args:
    config: of the run.
    watch: measures.
    data: clean pictures, the config's unless given.
  """
  trainer, pictures = _Trainer(config), open_pictures(data or config.data.source, "train")
  workers = config.data.workers if config.data.workers >= 0 else default_workers()
  batches = trainer.batches(pictures, pictures.order(config.seed))
  resident = load_resident(pictures, batches.side, trainer.mesh, workers=workers)
  device = ResidentFeed(trainer.update, resident, batches, trainer.mesh, most=config.dispatched_steps)
  options = {"first_batch": 0, "workers": workers, "on_broken": lambda numbers: None}

  def from_host(seconds: float) -> list[float]:
    with host_feed(trainer.update, batches, trainer.mesh, **options) as host:
      for _ in range(2 * workers + 4):
        jax.block_until_ready(trainer.step(host))
      return calling(lambda: trainer.step(host))(seconds)

  timings = watch.time({"host": from_host, "device": calling(lambda: trainer.step(device))})
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


def time_set_sizes(config: TrainConfig, watch: Stopwatch, counts: Sequence[int]) -> list[dict[str, Any]]:
  """Training from device memory by the number of clean pictures there (noise, drawn on the device): a row each.

  `memory_bytes` is what the pictures take of each device, `memory_computed` what they should; `seconds_of_least` the
  time of a step against that with the fewest pictures.
  """
  trainer, side = _Trainer(config), config.data.training_side
  rows, feeds = [], {}
  for count in counts:
    order = Order.of((count,), (1.0,), config.seed)
    batches = trainer.batches(open_pictures("synthetic", "train"), order)
    images = _noise(count, side, trainer)
    resident = ResidentPictures(images, np.array([], np.int64))
    feeds[count] = ResidentFeed(trainer.update, resident, batches, trainer.mesh, most=config.dispatched_steps)
    rows.append({
      "op": f"training of {config.model.name} on {count:,} pictures",
      "library": "jaxdistort",
      "pictures": count,
      "batch_size": config.batch_size,
      "size": config.data.image_size,
      "memory_bytes": images.addressable_shards[0].data.nbytes,
      "memory_computed": bytes_per_device(count, side, trainer.mesh),
    })  # fmt: skip
  timings = watch.time({str(count): calling(lambda feed=feed: trainer.step(feed)) for count, feed in feeds.items()})
  least = timings[str(min(counts))].median
  return [
    row | rates(timing, config.batch_size * config.dispatched_steps) | {"seconds_of_least": timing.median / least}
    for row, timing in zip(rows, timings.values(), strict=True)
  ]


def _noise(count: int, side: int, trainer: _Trainer) -> jax.Array:
  """Levels uint8 [count or a few more, S, S, 3]."""
  devices = trainer.mesh.devices.size
  shape = (-(-count // devices) * devices, side, side, 3)
  return jax.jit(lambda: _hashed(shape), out_shardings=data_sharding(trainer.mesh))()


def _hashed(shape: tuple[int, ...]) -> jax.Array:
  picture, row, column = (lax.broadcasted_iota(jnp.uint32, shape, axis) for axis in range(3))
  return ((picture * np.uint32(2654435761) + row * np.uint32(40503) * column) >> np.uint32(24)).astype(jnp.uint8)
