"""What a training run is made of. Files in configs/ fill these in; flags override single values."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from flax import nnx

from jaxdistort.data.pictures import training_side
from jaxdistort.errors import InputError, choose
from jaxdistort.models import INPUT_SCALINGS, MODELS, create_model
from jaxdistort.protocols import PROTOCOLS, Protocol
from jaxdistort.weights.base import open_base
from jaxdistort.weights.file import WeightsFile

OPTIMIZERS = ("rmsprop", "adam")
SCHEDULES = ("keras", "cosine")
COMPUTE_DTYPES = ("auto", "float32", "bfloat16")
PLACEMENTS = ("auto", "device", "host")


@dataclasses.dataclass
class DataConfig:
  source: str = "samples+synthetic"  # folder:PATH, samples, synthetic, tfds:NAME, prepared:DIR, or a mix
  image_size: int = 224  # side of the pictures, px
  augment: bool = True  # random squares of pictures that are read an eighth larger or so, and flips
  workers: int = -1  # decoding processes; 0: threads; -1: one fewer than processors
  placement: str = "auto"  # of the training pictures: device, host, or the device where they fit

  @property
  def training_side(self) -> int:
    """Side of the clean training pictures, px: 256 for 224."""
    return training_side(self.image_size) if self.augment else self.image_size


@dataclasses.dataclass
class ProtocolConfig:
  name: str = "six"
  jpeg_quality: int = 75  # of the last step of every picture; 0: no JPEG


@dataclasses.dataclass
class ModelConfig:
  name: str = "vgg_scratch"
  # auto: as the weights from elsewhere want it, else centered; centered: -1..1; raw: 0..255, as the paper; keras;
  # torchvision
  input_scaling: str = "auto"
  weights: str = ""  # of the base of a transfer network: a file of scripts/convert_weights.py, or random
  fine_tune: bool = False  # whether the base of a transfer network is trained too
  head_convolutions: int = 1  # of the VGG networks, behind their fourth pool
  dropout: float = 0.0  # of the VGG networks: share of the hidden values that a training step leaves out


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
  accumulate: int = 1  # parts of a batch that take turns, for less memory
  fsdp: int = 1  # devices that share one copy of large weights and of their optimiser state; 0: all devices
  steps_per_dispatch: int = 0  # with the pictures on the device; 0: log_every on accelerators, 1 on CPU

  def validate(self) -> None:
    """Raises InputError on a value that cannot work; names the field."""
    choose("protocol.name", self.protocol.name, PROTOCOLS)
    choose("model.name", self.model.name, MODELS)
    choose("model.input_scaling", self.model.input_scaling, ["auto", *INPUT_SCALINGS])
    choose("optimizer.name", self.optimizer.name, OPTIMIZERS)
    choose("optimizer.schedule", self.optimizer.schedule, SCHEDULES)
    choose("compute_dtype", self.compute_dtype, COMPUTE_DTYPES)
    choose("data.placement", self.data.placement, PLACEMENTS)
    for name, low, high in (
      ("batch_size", 1, math.inf),
      ("steps", 1, math.inf),
      ("evaluate_every", 1, math.inf),
      ("log_every", 1, math.inf),
      ("seed", 0, 2**31 - 1),
      ("accumulate", 1, math.inf),
      ("fsdp", 0, math.inf),
      ("steps_per_dispatch", 0, 10_000),
      ("data.image_size", 32, 4096),
      ("data.workers", -1, 256),
      ("protocol.jpeg_quality", 0, 100),
      ("model.head_convolutions", 1, 16),
      ("model.dropout", 0, 0.99),
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
    if self.model.fine_tune and not MODELS[self.model.name].pretrained:
      raise InputError(f"config: model.fine_tune: {self.model.name} has no base from elsewhere, all of it is trained")

  def open_base(self) -> WeightsFile | None:
    """The file that the base of the network takes its weights from, if it takes them from one.

    Raises:
      InputError: it is missing (says how to get it) or of another network.
    """
    return open_base(self.model.name, self.model.weights)

  def with_scaling_of(self, base: WeightsFile | None) -> "TrainConfig":
    """The config with "auto" replaced by the scaling that it means, so that a checkpoint says it."""
    scaling = self.model.input_scaling
    if scaling == "auto":
      scaling = base.preprocessing if base else "centered"
    return dataclasses.replace(self, model=dataclasses.replace(self.model, input_scaling=scaling))

  @property
  def dispatched_steps(self) -> int:
    """Steps a dispatch, at most; on CPU a loop around convolutions would slow them down."""
    return self.steps_per_dispatch or (1 if jax.default_backend() == "cpu" else min(self.log_every, 100))

  def create_protocol(self) -> Protocol:
    return PROTOCOLS[self.protocol.name](self.protocol.jpeg_quality or None)

  def create_network(self, rngs: nnx.Rngs) -> nnx.Module:
    """The network with fresh weights, a logit per class of the protocol; its base too, whatever `model.weights` is."""
    on_cpu = jax.default_backend() == "cpu"
    dtype = ("float32" if on_cpu else "bfloat16") if self.compute_dtype == "auto" else self.compute_dtype
    model = (self if self.model.input_scaling != "auto" else self.with_scaling_of(self.open_base())).model
    given = {"head_convolutions": (model.head_convolutions, 1), "dropout": (model.dropout, 0)}
    return create_model(
      model.name,
      len(self.create_protocol().classes),
      image_size=self.data.image_size,
      input_scaling=model.input_scaling,
      fine_tune=model.fine_tune,
      dtype=jnp.dtype(dtype),
      rngs=rngs,
      **{name: value for name, (value, default) in given.items() if value != default},
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
