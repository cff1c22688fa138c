"""What a network is built from: all that a file must say of it beside its weights."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from jaxdistort.models.create import create_model

_WEIGHTS = 2**32 - 1  # in place of a step's number: no step draws from the key of the weights


@dataclasses.dataclass(frozen=True)
class NetworkSpec:
  """The arguments of `create_model`, ready for JSON; equal specs build equal networks.

  Attributes:
    name: of the architecture, in `MODELS`.
    outputs: a picture.
    image_size: side of the pictures in pixels.
    input_scaling: one of `INPUT_SCALINGS`, never "auto".
    fine_tune: whether the backbone of a transfer network is trained too.
    dtype: of the computation, never "auto".
    options: further ones of the architecture.
  """

  name: str
  outputs: int
  image_size: int
  input_scaling: str = "centered"
  fine_tune: bool = False
  dtype: str = "float32"
  options: Mapping[str, Any] = dataclasses.field(default_factory=dict)

  def build(self, rngs: nnx.Rngs) -> nnx.Module:
    """The network with fresh weights.

    Raises:
      InputError: an architecture, scaling or option that this version does not have.
    """
    return create_model(
      self.name,
      self.outputs,
      image_size=self.image_size,
      input_scaling=self.input_scaling,
      fine_tune=self.fine_tune,
      dtype=jnp.dtype(self.dtype),
      rngs=rngs,
      **self.options,
    )

  def draw(self, seed: int) -> nnx.Module:
    """The network with the fresh weights of a run with this seed; steps of the run draw from other keys."""
    return self.build(nnx.Rngs(jax.random.fold_in(jax.random.key(seed), _WEIGHTS)))

  def to_dict(self) -> dict[str, Any]:
    return dataclasses.asdict(self)

  @classmethod
  def from_dict(cls, values: Mapping[str, Any]) -> "NetworkSpec":
    return cls(**{field.name: values[field.name] for field in dataclasses.fields(cls) if field.name in values})
