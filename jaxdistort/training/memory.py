"""How much of a batch fits the memory at once."""

import math

import jax
import jax.numpy as jnp
from flax import nnx
from jax.sharding import Mesh

from jaxdistort.data import free_memory
from jaxdistort.models import Variables, run_network

_SHARE = 0.4  # of the free memory, for what a step keeps for its backward pass
_COPIES = 4  # of the weights: themselves, gradient, optimiser's state, update


def parts_that_fit(structure: nnx.GraphDef, variables: Variables, batch_size: int, image_size: int, mesh: Mesh) -> int:
  """The least number of parts in which a batch goes through a training step within the memory of each device.

  1 for networks with batch normalisation, whose update depends on the parts. Estimated without compiling anything,
  from the sizes of all intermediate values of a pass forward: rather too large than too small.
  """
  devices = mesh.devices.size
  each = -(-batch_size // devices)
  if jax.tree.leaves(variables.statistics):
    return 1
  weights = sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(variables))
  room = _SHARE * free_memory(mesh) - _COPIES * weights
  needed = _bytes_a_picture(structure, variables, image_size)
  for parts in (n for n in range(1, each + 1) if each % n == 0):
    if each / parts * needed <= room:
      return parts
  return each


def _bytes_a_picture(structure: nnx.GraphDef, variables: Variables, image_size: int) -> int:
  """Of the intermediate values of one picture on its way through a network."""
  shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), variables)
  images = jax.ShapeDtypeStruct((1, image_size, image_size, 3), jnp.uint8)
  traced = jax.make_jaxpr(lambda variables, images: run_network(structure, variables, images)[0])(shapes, images)
  return sum(
    math.prod(out.aval.shape) * out.aval.dtype.itemsize
    for equation in traced.jaxpr.eqns
    for out in equation.outvars
    if hasattr(out.aval, "dtype") and out.aval.shape[:1] == (1,)
  )
