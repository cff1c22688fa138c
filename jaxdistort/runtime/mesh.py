"""How arrays lie on the devices: one mesh over all of them, of all processes.

Batches are split over the whole mesh. Weights and their optimiser state are whole on every device, or the large ones
are split within groups of devices (`fsdp`) and gathered when they are used (fully sharded data parallelism: S.
Rajbhandari et al., ZeRO, SC 2020).
"""

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from jaxdistort.errors import InputError

DATA_AXES = ("data", "fsdp")
_SMALLEST_SPLIT = 2**16  # elements: below, a copy on every device costs less than gathering it


def create_mesh(fsdp: int = 1, devices: Sequence[jax.Device] | None = None) -> Mesh:
  """All devices, those of a process next to each other, in groups of `fsdp` that share large weights.

  Args:
    fsdp: devices a group; 1 splits nothing, 0 makes one group of all.
    devices: other than all.

  Raises:
    InputError: the devices cannot be divided so.
  """
  devices = jax.devices() if devices is None else devices
  group = fsdp or len(devices)
  if len(devices) % group:
    raise InputError(f"config: fsdp={fsdp}: {len(devices)} devices cannot be divided into groups of {group}")
  return Mesh(np.array(devices).reshape(-1, group), DATA_AXES, axis_types=(jax.sharding.AxisType.Auto,) * 2)


def fill_devices(count: int, mesh: Mesh) -> int:
  """`count` rounded up, so that every device gets as many rows."""
  return -(-count // mesh.devices.size) * mesh.devices.size


def data_sharding(mesh: Mesh) -> NamedSharding:
  """The first axis split over the devices."""
  return NamedSharding(mesh, P(DATA_AXES))


def replicated(mesh: Mesh) -> NamedSharding:
  """A whole copy on every device."""
  return NamedSharding(mesh, P())


def split_large(tree: Any, mesh: Mesh) -> Any:
  """The sharding of each array of a tree: large ones split along their longest axis within an fsdp group."""
  group = mesh.shape[DATA_AXES[1]]

  def sharding(leaf: Any) -> NamedSharding:
    lengths = [length if length % group == 0 else 0 for length in leaf.shape]
    if group == 1 or math.prod(leaf.shape) < _SMALLEST_SPLIT or not any(lengths):
      return replicated(mesh)
    axis = lengths.index(max(lengths))
    return NamedSharding(mesh, P(*(DATA_AXES[1] if a == axis else None for a in range(leaf.ndim))))

  return jax.tree.map(sharding, tree)


def local_rows(mesh: Mesh, count: int) -> np.ndarray:
  """The rows int64 [n] of an array of `count` rows under `data_sharding` that lie on devices of this process."""
  places = data_sharding(mesh).addressable_devices_indices_map((count,))
  return np.sort(np.concatenate([np.arange(count)[index] for (index,) in filter(None, places.values())]))


def put_rows(mesh: Mesh, rows: np.ndarray) -> jax.Array:
  """The whole array under `data_sharding`, of which this process has its `local_rows`."""
  return jax.make_array_from_process_local_data(data_sharding(mesh), rows)
