"""A network as pure functions of its variables: the form in which it is trained, saved and applied."""

import math
from typing import Any, NamedTuple

import jax
from flax import nnx

from jaxdistort.models.layers import Frozen


class Variables(NamedTuple):
  """The arrays of a network, as pure dicts.

  Attributes:
    parameters: those that are trained.
    statistics: running means and variances of batch normalisation.
    frozen: all variables of layers that are not trained; empty if there are none.
  """

  parameters: Any
  statistics: Any
  frozen: Any


def split_network(network: nnx.Module) -> tuple[nnx.GraphDef, Variables]:
  """A network's structure and its variables; traceable."""
  structure, *states = nnx.split(network, nnx.Param, Frozen, ...)
  parameters, frozen, statistics = map(nnx.to_pure_dict, states)
  return structure, Variables(parameters, statistics, frozen)


def run_network(
  structure: nnx.GraphDef,
  variables: Variables,
  images: jax.Array,
  *,
  train_key: jax.Array | None = None,
  mask: jax.Array | None = None,
) -> tuple[Any, Any]:
  """Applies a network as a pure function.

  Args:
    structure: of the network.
    variables: its arrays.
    images: uint8 [B, S, S, 3].
    mask: bool [B, S, S], True where a pixel is the picture's, False where it is padding, for a network of any size.
      None, or True everywhere: there is no padding.
    train_key: None to evaluate. In training it draws the dropout, and batch normalisation uses (and updates)
      the statistics of this batch; but frozen layers never do.

  Returns:
    What the network returns (float32 [B, outputs] of those in `MODELS`), and the statistics after the pass.

  Raises:
    ValueError: a mask for a network of one size (see `is_any_size`), which could not leave out the padding.
  """
  network = merge_network(structure, variables)
  if train_key is None:
    network.eval()
  else:
    network.train()
    if variables.frozen:
      network.backbone.eval()
  if mask is None:
    outputs = network(images, train_key)
  elif _takes_mask(network):
    outputs = network(images, train_key, mask)
  else:
    raise ValueError(f"mask: {type(network).__name__} sees whole pictures of one size and cannot leave out padding")
  return outputs, nnx.to_pure_dict(nnx.state(network, nnx.Not(nnx.Any(nnx.Param, Frozen))))


def merge_network(structure: nnx.GraphDef, variables: Variables) -> Any:
  """The network as a module, for what only a part of it can tell; its own copy of the variables."""
  parameters, statistics, frozen = map(nnx.State, variables)
  return nnx.merge(structure, parameters, frozen, statistics, copy=True)


def is_any_size(structure: nnx.GraphDef, variables: Variables) -> bool:
  """Whether a network takes pictures of any size and a mask of their padding; arrays or shapes will do."""
  return _takes_mask(merge_network(structure, variables))


def _takes_mask(network: Any) -> bool:
  return getattr(network, "any_size", False)


def count_parameters(variables: Variables) -> tuple[int, int]:
  """How many numbers are trained, and how many there are in all (running means and variances count as Keras' do)."""
  trained, others, frozen = (sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(part)) for part in variables)
  return trained, trained + others + frozen
