"""What a training changes: the state, and how it begins."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax.sharding import Mesh

from jaxdistort.models import NetworkSpec, Variables, split_network
from jaxdistort.models.weights import WeightsFile, load_backbone
from jaxdistort.runtime.mesh import replicated, split_large


class TrainState(NamedTuple):
  """All that a step changes.

  Attributes:
    step: int32 [], updates made so far.
    parameters: trainable variables of the network, float32.
    statistics: running means and variances of its batch normalisation.
    optimizer: state of the optimiser.
  """

  step: jax.Array
  parameters: Any
  statistics: Any
  optimizer: Any


def create_state(
  network: NetworkSpec,
  optimizer: optax.GradientTransformation,
  seed: int,
  mesh: Mesh,
  backbone: WeightsFile | None = None,
  init: Variables | None = None,
) -> tuple[nnx.GraphDef, TrainState, Any]:
  """A network's structure, its state on the devices of `mesh`, and its frozen variables there.

  Weights are drawn from `seed`, but for those of the network's backbone if there is a file of them, and for the layers
  of `init` (see `inherit`), which go before both. Large arrays are split within the mesh's fsdp groups.

  Raises:
    InputError: an array is missing in the file, or has another shape.
  """
  structure, like = split_network(nnx.eval_shape(lambda: network.draw(seed)))
  loaded = load_backbone(backbone, like, replicated(mesh)) if backbone else Variables({}, {}, {})
  if init is not None:
    loaded = Variables(*(of_file | taken for of_file, taken in zip(loaded, init, strict=True)))
  loaded = jax.device_put(loaded, split_large(loaded, mesh))  # as they are going to lie, so that they can be donated

  def initial(loaded: Variables) -> tuple[TrainState, Any]:
    fresh = split_network(network.draw(seed))[1]
    parameters, statistics, frozen = (drawn | given for drawn, given in zip(fresh, loaded, strict=True))
    return TrainState(jnp.zeros((), jnp.int32), parameters, statistics, optimizer.init(parameters)), frozen

  shardings = split_large(jax.eval_shape(initial, loaded), mesh)
  return structure, *jax.jit(initial, out_shardings=shardings, donate_argnums=0)(loaded)
