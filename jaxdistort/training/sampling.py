"""What a step trains on: clean pictures cropped, flipped and distorted on the device."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from jaxdistort.protocols import Protocol, distort_sharded
from jaxdistort.runtime.mesh import DATA_AXES
from jaxdistort.tasks import Targets, Task

Sampler = Callable[[jax.Array, jax.Array], tuple[jax.Array, Targets]]


def step_keys(seed: int, step: jax.Array) -> jax.Array:
  """The keys of one step: of its distortions, its crops and flips, its dropout."""
  return jax.random.split(jax.random.fold_in(jax.random.key(seed), step), 3)


def make_sampler(protocol: Protocol, task: Task, mesh: Mesh, *, seed: int, size: int, augment: bool) -> Sampler:
  """A function `(step, clean images uint8 [B, S, S, 3]) -> (images, targets)`: what step number `step` trains on.

  Everything random in a step comes from `fold_in(seed, step)`, so a resumed run equals an unbroken one.

  Args:
    protocol: distorts.
    task: tells the targets.
    mesh: over whose devices batches are split.
    seed: of everything random.
    size: side of the pictures that are distorted in pixels, at most S.
    augment: a random square of each picture, flipped left to right half the time; else S must be `size`.
  """
  distort = distort_sharded(protocol, mesh)
  varied = jax.shard_map(
    jax.vmap(lambda key, image: _vary(key, image, size)),
    mesh=mesh,
    in_specs=P(DATA_AXES),
    out_specs=P(DATA_AXES),
    check_vma=False,
  )

  def sample(step: jax.Array, images: jax.Array) -> tuple[jax.Array, Targets]:
    distortion_key, variation_key, _ = step_keys(seed, step)
    if augment:
      images = varied(jax.random.split(variation_key, images.shape[0]), images)
    samples = distort(distortion_key, images, step.astype(jnp.uint32) * np.uint32(images.shape[0]))
    return samples.images, task.targets(samples, protocol.kinds)

  return sample


def _vary(key: jax.Array, image: jax.Array, size: int) -> jax.Array:
  """A random square of a picture uint8 [S, S, 3], flipped left to right half the time."""
  crop_key, flip_key = jax.random.split(key)
  row_key, column_key = jax.random.split(crop_key)
  row, column = (jax.random.randint(own, (), 0, image.shape[0] - size + 1) for own in (row_key, column_key))
  square = jax.lax.dynamic_slice(image, (row, column, 0), (size, size, 3))
  return jnp.where(jax.random.bernoulli(flip_key), square[:, ::-1], square)
