"""The networks, by name: uint8 pictures [B, S, S, 3] in, float32 [B, outputs] out (flax.nnx).

A module a network, which registers it in `MODELS`; beside it, in `*_weights`, how foreign files name its weights.
"""

# Imported for what they register, in the order in which they are listed.
from jaxdistort.models import softmax, vgg, probe, compact, multiscale  # isort: skip  # noqa: F401
from jaxdistort.models.create import MODELS, Architecture, create_model, trainable_parameters
from jaxdistort.models.layers import INPUT_SCALINGS
from jaxdistort.models.network import (
  Variables,
  count_parameters,
  is_any_size,
  merge_network,
  run_network,
  split_network,
)
from jaxdistort.models.spec import NetworkSpec

__all__ = [
  "INPUT_SCALINGS",
  "MODELS",
  "Architecture",
  "NetworkSpec",
  "Variables",
  "count_parameters",
  "create_model",
  "is_any_size",
  "merge_network",
  "run_network",
  "split_network",
  "trainable_parameters",
]
