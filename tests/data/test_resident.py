"""Pictures in device memory: the same as those of the host, in their memory, looked up across devices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdistort.data import (
  bytes_per_device,
  load_resident,
  make_take,
  open_pictures,
  placement_of,
  resident,
  training_batches,
)
from jaxdistort.errors import InputError
from jaxdistort.runtime.mesh import create_mesh
from tests.data.heard import Heard


@pytest.mark.long
@pytest.mark.parametrize("devices", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_resident_batches_are_those_of_the_host(folder_of_photographs, devices):
  pictures, mesh = (
    open_pictures(f"folder:{folder_of_photographs}", "train"),
    create_mesh(2 if devices > 1 else 1, jax.devices()[:devices]),
  )
  heard = Heard()
  held = load_resident(pictures, 40, mesh, workers=0, progress=heard)
  share = -(-len(pictures) // devices)
  assert held.images.shape == (share * devices, 40, 40, 3)
  assert all(part.data.nbytes == bytes_per_device(len(pictures), 40, mesh) for part in held.images.addressable_shards)
  assert heard.bars == [("reading", "picture", len(held.images), len(held.images))]
  broken = {pictures.name(number).rsplit("/", 1)[1] for number in held.broken.tolist()}
  take, order, seen = jax.jit(make_take(mesh)), pictures.order(3), set()
  with training_batches(pictures, order, side=40, batch_size=16, mesh=mesh, workers=0) as batches:
    for index in range(6):
      batch = next(batches)
      numbers = order.numbers(jnp.arange(index * 16, (index + 1) * 16, dtype=jnp.uint32))
      np.testing.assert_array_equal(take(held.images, numbers), batch.images)
      assert take(held.images, numbers).sharding.is_equivalent_to(batch.images.sharding, 4)
      seen |= {pictures.name(number).rsplit("/", 1)[1] for number in batch.broken.tolist() if number >= 0}
  assert broken == seen


def test_auto_takes_the_device_where_the_pictures_fit(monkeypatch):
  mesh = create_mesh()
  monkeypatch.setattr(resident, "free_memory", lambda mesh: 10**9)
  needed = 224 * 224 * 3
  fitting = int(0.25e9 / needed) * 8
  assert placement_of("auto", fitting, 224, mesh) == "device"
  assert placement_of("auto", fitting + 8, 224, mesh) == "host"
  assert placement_of("device", fitting + 8, 224, mesh) == "device"
  assert placement_of("host", 1, 224, mesh) == "host"
  with pytest.raises(
    InputError, match=r"data.placement=device: 80,000 pictures of 224 px take 1.5 GB of each device, 1.0"
  ):
    placement_of("device", 80_000, 224, mesh)
