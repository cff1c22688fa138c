"""What a training run is made of. Files in configs/ fill these in; flags override single values."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from flax import nnx

from jaxdistort.errors import InputError, choose
from jaxdistort.models import INPUT_SCALINGS, MODELS, create_model
from jaxdistort.protocols import PROTOCOLS, Protocol

OPTIMIZERS = ("rmsprop", "adam")
SCHEDULES = ("keras", "cosine")
COMPUTE_DTYPES = ("auto", "float32", "bfloat16")


@dataclasses.dataclass
class DataConfig:
  source: str = "samples+synthetic"  # folder:PATH, samples, synthetic, tfds:NAME, or a mix
  image_size: int = 224  # side of the pictures, px
  augment: bool = True  # random squares of the clean pictures, and flips
  workers: int = -1  # decoding processes; 0: threads; -1: one fewer than processors


@dataclasses.dataclass
class ProtocolConfig:
  name: str = "six"
  jpeg_quality: int = 75  # of the last step of every picture; 0: no JPEG


@dataclasses.dataclass
class ModelConfig:
  name: str = "vgg_scratch"
  input_scaling: str = "centered"  # centered: -1..1; raw: 0..255, as the paper


@dataclasses.dataclass
class OptimizerConfig:
  name: str = "rmsprop"
  learning_rate: float = 1e-4
  schedule: str = "keras"  # keras: learning_rate / (1 + decay step); cosine: to 0 at the last step
  decay: float = 2e-5  # of the keras schedule, per step
  warmup_steps: int = 0  # linear from 0
  clip_norm: float = 0.0  # of the whole gradient; 0: off


@dataclasses.dataclass
class TrainConfig:
  """A training run; the fields of its parts are reached as `data.source` and so on."""

  data: DataConfig = dataclasses.field(default_factory=DataConfig)
  protocol: ProtocolConfig = dataclasses.field(default_factory=ProtocolConfig)
  model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
  optimizer: OptimizerConfig = dataclasses.field(default_factory=OptimizerConfig)
  seed: int = 0
  batch_size: int = 128
  steps: int = 15_000
  evaluate_every: int = 500  # steps; each evaluation also saves a checkpoint
  log_every: int = 20  # steps
  compute_dtype: str = "auto"  # bfloat16 on accelerators, float32 on CPU

  def validate(self) -> None:
    """Raises InputError on a value that cannot work; names the field."""
    choose("protocol.name", self.protocol.name, PROTOCOLS)
    choose("model.name", self.model.name, MODELS)
    choose("model.input_scaling", self.model.input_scaling, INPUT_SCALINGS)
    choose("optimizer.name", self.optimizer.name, OPTIMIZERS)
    choose("optimizer.schedule", self.optimizer.schedule, SCHEDULES)
    choose("compute_dtype", self.compute_dtype, COMPUTE_DTYPES)
    for name, low, high in (
      ("batch_size", 1, math.inf),
      ("steps", 1, math.inf),
      ("evaluate_every", 1, math.inf),
      ("log_every", 1, math.inf),
      ("seed", 0, 2**31 - 1),
      ("data.image_size", 32, 4096),
      ("data.workers", -1, 256),
      ("protocol.jpeg_quality", 0, 100),
      ("optimizer.learning_rate", 0, math.inf),
      ("optimizer.decay", 0, math.inf),
      ("optimizer.warmup_steps", 0, math.inf),
      ("optimizer.clip_norm", 0, math.inf),
    ):
      value: Any = self
      for part in name.split("."):
        value = getattr(value, part)
      if not low <= value <= high:
        bounds = f"at least {low}" if high == math.inf else f"within {low}..{high}"
        raise InputError(f"config: {name} must be {bounds}, got {value}")

  def create_protocol(self) -> Protocol:
    return PROTOCOLS[self.protocol.name](self.protocol.jpeg_quality or None)

  def create_network(self, rngs: nnx.Rngs) -> nnx.Module:
    """The network with fresh weights, a logit per class of the protocol."""
    on_cpu = jax.default_backend() == "cpu"
    dtype = ("float32" if on_cpu else "bfloat16") if self.compute_dtype == "auto" else self.compute_dtype
    return create_model(
      self.model.name,
      len(self.create_protocol().classes),
      image_size=self.data.image_size,
      input_scaling=self.model.input_scaling,
      dtype=jnp.dtype(dtype),
      rngs=rngs,
    )

  def to_dict(self) -> dict[str, Any]:
    return dataclasses.asdict(self)

  @classmethod
  def from_dict(cls, values: Mapping[str, Any]) -> "TrainConfig":
    """Rebuilds a config, for one from the config of a checkpoint.

    Raises:
      InputError: a field that does not exist.
    """
    return _build(cls, values, "")


_Section = TypeVar("_Section")


def _build(section: type[_Section], values: Mapping[str, Any], prefix: str) -> _Section:
  fields = {f.name: f for f in dataclasses.fields(section)}  # ty: ignore[invalid-argument-type]
  arguments = {}
  for name, value in values.items():
    choose("config: field", f"{prefix}{name}", [f"{prefix}{f}" for f in fields])
    kind = fields[name].type
    arguments[name] = (
      _build(kind, value, f"{prefix}{name}.") if isinstance(kind, type) and dataclasses.is_dataclass(kind) else value
    )
  return section(**arguments)
