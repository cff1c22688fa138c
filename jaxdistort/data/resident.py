"""The clean training pictures in device memory: read once, never sent again."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from jaxdistort.data.batches import LoadPictures
from jaxdistort.data.loading import load_elements
from jaxdistort.data.picture_set import PictureSet
from jaxdistort.errors import InputError
from jaxdistort.progress import SILENT, Progress
from jaxdistort.runtime.mesh import DATA_AXES, data_sharding

_CHUNK = 64  # pictures read together
_SHARE_OF_DEVICE, _SHARE_OF_HOST = 0.4, 0.25  # of the memory that is free, for the pictures; the rest is for training


class ResidentPictures(NamedTuple):
  """Clean pictures on the devices.

  Attributes:
    images: uint8 [N, S, S, 3], split over the devices along N, which is rounded up to their number; picture n of
      the set in row n, and in the place of a broken one another of its source.
    broken: int64 [m] on the host, numbers of the broken ones that this process met.
    remarked: int64 [m] on the host, numbers of those that it read, though not in every way as they are meant.
  """

  images: jax.Array
  broken: np.ndarray
  remarked: np.ndarray


def bytes_per_device(count: int, side: int, mesh: Mesh) -> int:
  """What `count` pictures of `side` px take of each device's memory."""
  return -(-count // mesh.devices.size) * side * side * 3


def placement_of(asked: str, count: int, side: int, mesh: Mesh) -> str:
  """Where the pictures go: `device` or `host`.

  `auto` takes the device where the pictures need at most 40 % of its free memory (on CPU: 25 % of the machine's).

  Raises:
    InputError: the pictures were asked onto devices that are smaller than they are.
  """
  needed, free = bytes_per_device(count, side, mesh), free_memory(mesh)
  if asked == "device" and needed > free:
    raise InputError(
      f"config: data.placement=device: {count:,} pictures of {side} px take {needed / 1e9:.1f} GB of each device, "
      f"{free / 1e9:.1f} GB are free; give data.placement=host"
    )
  share = _SHARE_OF_HOST if jax.default_backend() == "cpu" else _SHARE_OF_DEVICE
  return ("device" if needed <= share * free else "host") if asked == "auto" else asked


def free_memory(mesh: Mesh) -> int:
  """Bytes that are free on each device of this process; of the machine's memory, its share, on CPU."""
  stats = mesh.local_devices[0].memory_stats() if jax.default_backend() != "cpu" else None
  if stats and "bytes_limit" in stats:
    return stats["bytes_limit"] - stats["bytes_in_use"]
  return _available_memory() // len(mesh.local_devices)


def _available_memory() -> int:
  """Bytes of this machine that programs can still have; half of all where the system does not say."""
  try:
    said = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return int(said["MemAvailable"].split()[0]) * 1024
  except (OSError, KeyError):
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def load_resident(
  pictures: PictureSet,
  side: int,
  mesh: Mesh,
  *,
  workers: int,
  progress: Progress = SILENT,
) -> ResidentPictures:
  """Reads all pictures onto the devices, each process those of its own.

  On the host a few chunks are held at a time, on a device one chunk beyond its share.

  Args:
    pictures: of the training split.
    side: of the pictures in pixels.
    mesh: over whose devices they are split.
    workers: decoding processes; 0 decodes in threads of this process.
    progress: counts pictures.

  Raises:
    NothingReadable: none of the pictures of a source.
  """
  share = -(-len(pictures) // mesh.devices.size)
  shape = (share * mesh.devices.size, side, side, 3)
  places = data_sharding(mesh).addressable_devices_indices_map(shape)
  firsts = {device: place[0].start or 0 for device, place in places.items() if place is not None}
  chunks = [(device, first, start) for device, first in firsts.items() for start in range(0, share, _CHUNK)]
  rows = [np.arange(first + start, first + min(start + _CHUNK, share)) for _, first, start in chunks]
  numbers = [np.where(chunk < len(pictures), chunk, -1) for chunk in rows]
  buffers: dict[jax.Device, jax.Array] = {}
  broken, remarked = [], []
  load = LoadPictures(pictures, side, replace=True)
  with (
    load_elements(numbers, load, workers=workers) as loaded,
    progress.bar(sum(map(len, rows)), unit="picture", title="reading") as bar,
  ):
    for (device, _, start), (images, failed, odd) in zip(chunks, loaded, strict=True):
      if not start:
        buffers[device] = jnp.zeros((share, *shape[1:]), jnp.uint8, device=device)
      buffers[device] = _write(buffers[device], jax.device_put(images, device), start)
      broken.append(failed[failed >= 0])
      remarked.append(odd[odd >= 0])
      bar.advance(len(images))
  images = jax.make_array_from_single_device_arrays(shape, data_sharding(mesh), list(buffers.values()))
  return ResidentPictures(images, *(np.concatenate(numbers).astype(np.int64) for numbers in (broken, remarked)))


@functools.partial(jax.jit, donate_argnums=0)
def _write(buffer: jax.Array, images: jax.Array, start: jax.Array) -> jax.Array:
  return jax.lax.dynamic_update_slice_in_dim(buffer, images, start, axis=0)


def make_take(mesh: Mesh) -> Callable[[jax.Array, jax.Array], jax.Array]:
  """A function `(images uint8 [N, S, S, 3], numbers int32 [B]) -> uint8 [B, S, S, 3]`, split over the devices.

  Every device looks up the pictures of the batch that it holds, and each gets its own part of the batch: the batch
  crosses the interconnect once, the set never.
  """
  devices = mesh.devices.size

  def local(images: jax.Array, numbers: jax.Array) -> jax.Array:
    if devices == 1:
      return images.at[numbers].get(mode="promise_in_bounds")
    rows = numbers - jax.lax.axis_index(DATA_AXES) * images.shape[0]
    mine = (rows >= 0) & (rows < images.shape[0])
    found = images.at[jnp.where(mine, rows, 0)].get(mode="promise_in_bounds")
    found = jnp.where(mine[:, None, None, None], found, jnp.uint8(0))
    return jax.lax.psum_scatter(found, DATA_AXES, scatter_dimension=0, tiled=True)

  return jax.shard_map(local, mesh=mesh, in_specs=(P(DATA_AXES), P()), out_specs=P(DATA_AXES), check_vma=False)
