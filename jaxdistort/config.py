"""What a training run is made of. Files in configs/ fill these in; flags override single values."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar

import jax

from jaxdistort.data.pictures import training_side
from jaxdistort.errors import InputError, choose
from jaxdistort.models import INPUT_SCALINGS, MODELS, NetworkSpec
from jaxdistort.models.weights import WeightsFile, open_backbone
from jaxdistort.protocols import PROTOCOLS, Protocol
from jaxdistort.tasks import TASKS, LabelSpace, Task

OPTIMIZERS = ("rmsprop", "adam")
SCHEDULES = ("keras", "cosine")
COMPUTE_DTYPES = ("auto", "float32", "bfloat16")
PLACEMENTS = ("auto", "device", "host")


@dataclasses.dataclass
class DataConfig:
  source: str = "samples+synthetic"  # folder:PATH, samples, synthetic, tfds:NAME, prepared:DIR, cuts:PATH, a mix
  image_size: int = 224  # side of the pictures, px
  augment: bool = True  # random squares of pictures that are read a seventh larger, and flips
  workers: int = -1  # decoding processes; 0: threads; -1: one fewer than processors
  placement: str = "auto"  # of the training pictures: device, host, or the device where they fit

  def training_side(self, protocol: Protocol) -> int:
    """Side of the clean training pictures, px: 256 for 224, where the protocol needs no larger ones."""
    side = protocol.clean_side(self.image_size)
    return training_side(side) if self.augment else side


@dataclasses.dataclass
class ProtocolConfig:
  name: str = "six"
  jpeg_quality: int = -1  # of the last step of every picture; 0: no JPEG; -1: the protocol's own


@dataclasses.dataclass
class TaskConfig:
  name: str = "classification"  # or recognition: several distortions a picture, each with a severity


@dataclasses.dataclass
class ModelConfig:
  name: str = "vgg_scratch"
  # auto: as the weights from elsewhere want it, else centered; centered: -1..1; raw: 0..255, as the study; keras;
  # torchvision
  input_scaling: str = "auto"
  weights: str = ""  # of the backbone of a transfer network: a converted file, or random
  fine_tune: bool = False  # whether the backbone of a transfer network is trained too
  head_convolutions: int = 1  # of the VGG networks, behind their fourth pool
  dropout: float = 0.0  # of the VGG networks: share of the hidden values that a training step leaves out
  pool: bool = False  # of compact: the mean of the last map in place of all of it, for pictures of any size


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
  task: TaskConfig = dataclasses.field(default_factory=TaskConfig)
  model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
  optimizer: OptimizerConfig = dataclasses.field(default_factory=OptimizerConfig)
  # the weights that it begins with: another recogniser of the same architecture, as a model file, run or checkpoint
  init: str = ""
  seed: int = 0
  batch_size: int = 128
  steps: int = 15_000
  evaluate_every: int = 500  # steps; each evaluation also saves a checkpoint
  log_every: int = 20  # steps
  compute_dtype: str = "auto"  # bfloat16 on accelerators, float32 on CPU
  accumulate: int = 0  # parts of a batch that take turns; 0: as few as fit the memory, if no update changes by it
  fsdp: int = 1  # devices that share one copy of large weights and of their optimiser state; 0: all devices
  steps_per_dispatch: int = 0  # with the pictures on the device; 0: log_every on accelerators, 1 on CPU

  def validate(self) -> None:
    """Raises InputError on a value that cannot work; names the field."""
    _check_types(self)
    choose("protocol.name", self.protocol.name, PROTOCOLS)
    choose("task.name", self.task.name, TASKS)
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
      ("accumulate", 0, math.inf),
      ("fsdp", 0, math.inf),
      ("steps_per_dispatch", 0, 10_000),
      ("data.image_size", 32, 4096),
      ("data.workers", -1, 256),
      ("protocol.jpeg_quality", -1, 100),
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
      raise InputError(
        f"config: model.fine_tune: {self.model.name} has no backbone from elsewhere, all of it is trained"
      )

  def open_backbone(self) -> WeightsFile | None:
    """The file that the backbone of the network takes its weights from, if it takes them from one.

    Raises:
      InputError: it is missing (says how to get it) or of another network.
    """
    return open_backbone(self.model.name, self.model.weights, what="model.weights")

  def resolved(self, backbone: WeightsFile | None) -> "TrainConfig":
    """The config with what "auto" means here in its place, where results depend on it: so a checkpoint says it."""
    model = self.model
    if model.input_scaling == "auto":
      model = dataclasses.replace(model, input_scaling=backbone.preprocessing if backbone else "centered")
    dtype = self.compute_dtype
    if dtype == "auto":
      dtype = "float32" if jax.default_backend() == "cpu" else "bfloat16"
    return dataclasses.replace(self, model=model, compute_dtype=dtype)

  @property
  def dispatched_steps(self) -> int:
    """Steps a dispatch, at most; on CPU a loop around convolutions would slow them down."""
    return self.steps_per_dispatch or (1 if jax.default_backend() == "cpu" else min(self.log_every, 100))

  def create_protocol(self) -> Protocol:
    create, quality = PROTOCOLS[self.protocol.name], self.protocol.jpeg_quality
    return create() if quality < 0 else create(quality or None)

  def create_task(self, protocol: Protocol) -> Task:
    """The task, in the label space of a protocol.

    Raises:
      InputError: the protocol's pictures cannot be asked this.
    """
    task = TASKS[self.task.name](LabelSpace(protocol.kinds, protocol.groups))
    task.check(protocol)
    return task

  def network_spec(self, outputs: int) -> NetworkSpec:
    """What the network is built from, of a config that is `resolved`."""
    model = self.model
    given = {
      "head_convolutions": (model.head_convolutions, 1),
      "dropout": (model.dropout, 0),
      "pool": (model.pool, False),
    }
    options = {name: value for name, (value, default) in given.items() if value != default}
    return NetworkSpec(
      model.name,
      outputs,
      self.data.image_size,
      model.input_scaling,
      model.fine_tune,
      self.compute_dtype,
      options,
    )

  def to_dict(self) -> dict[str, Any]:
    return dataclasses.asdict(self)

  @classmethod
  def from_dict(cls, values: Mapping[str, Any]) -> "TrainConfig":
    """Rebuilds a config from a file that another version may have written.

    Fields that came since have their defaults; fields that are gone are left out.

    Raises:
      TypeError: it is no config.
    """
    return _build(cls, values)


def _check_types(section: Any, prefix: str = "") -> None:
  """Raises InputError on a field that is of another type than its section says; whole numbers are numbers too."""
  for field in dataclasses.fields(section):
    name, value, kind = f"{prefix}{field.name}", getattr(section, field.name), field.type
    fits = isinstance(value, (int, float) if kind is float else kind) and (kind is bool or not isinstance(value, bool))  # ty: ignore
    if not fits:
      raise InputError(f"config: {name} must be of type {getattr(kind, '__name__', kind)}, got {value!r}")
    if dataclasses.is_dataclass(value):
      _check_types(value, f"{name}.")


_Section = TypeVar("_Section")


def _build(section: type[_Section], values: Mapping[str, Any]) -> _Section:
  if not isinstance(values, Mapping):
    raise TypeError(f"expected the fields of a {section.__name__}, found {values!r}")
  arguments = {}
  for field in dataclasses.fields(section):  # ty: ignore[invalid-argument-type]
    if field.name in values:
      value, kind = values[field.name], field.type
      nested = isinstance(kind, type) and dataclasses.is_dataclass(kind)
      arguments[field.name] = _build(kind, value) if nested else value
  return section(**arguments)
