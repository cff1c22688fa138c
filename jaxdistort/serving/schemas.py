"""What goes over the wire, as OpenAPI describes it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from jaxdistort.distortions import DISTORTIONS, Step
from jaxdistort.errors import InputError

Share = Annotated[float, Field(ge=0, le=1)]


class Level(BaseModel):
  """What a severity means in the unit of a parameter."""

  parameter: str
  value: float
  unit: str
  error: float | None


class Found(BaseModel):
  """A distortion that is found; `kind` is null where only the group is sure."""

  group: str
  kind: str | None
  probability: Share
  severity: Share | None
  level: Level | None
  angle: Level | None


class Places(BaseModel):
  """Where: a grid of places, their centres in shares of the height and width, and each group's probability there."""

  rows: int
  columns: int
  row_centres: list[float]
  column_centres: list[float]
  probabilities: dict[str, list[list[float | None]]]


class Verdict(BaseModel):
  """The answer to a picture, or the error for which it cannot be read."""

  path: str
  error: str | None = None
  clean: bool | None = None
  unclear: str | None = None
  distortions: list[Found] = []
  doubtful: list[str] = []
  advice: list[str] = []
  groups: dict[str, Share] = {}
  remarks: str = ""
  map: Places | None = None


class KindParameter(BaseModel):
  """A parameter of a kind; `graded` ones grow with the severity."""

  name: str
  unit: str
  low: float
  high: float
  default: float
  weakest: float
  whole: bool
  graded: bool


class Kind(BaseModel):
  """A distortion; `recognised` where the network knows it by name."""

  kind: str
  group: str
  recognised: bool
  parameters: list[KindParameter]


class Sweep(BaseModel):
  """What the network says of a picture as one distortion grows."""

  kind: str
  group: str
  recognised: bool
  severities: list[float]
  probabilities: list[float] | None
  group_probabilities: list[float] | None
  estimated: list[float | None]


class Problem(BaseModel):
  """Why a request was refused, in one line."""

  detail: str


class StepGiven(BaseModel):
  """One of the distortions that follow each other: with a severity, or with parameters."""

  model_config = ConfigDict(extra="forbid")
  kind: str
  severity: Share | None = None
  parameters: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = {}


_STEPS: TypeAdapter[list[StepGiven]] = TypeAdapter(Annotated[list[StepGiven], Field(max_length=16)])


def parse_steps(text: str) -> list[Step]:
  """`[{"kind": "jpeg", "severity": 0.4}, {"kind": "motion_blur", "parameters": {"distance": 20}}]`.

  Raises:
    InputError: another form, or an unknown name.
  """
  try:
    given = _STEPS.validate_json(text)
  except ValidationError as error:
    raise InputError(f"steps: {first_fault(error.errors())}") from error
  for own in given:
    for name in own.parameters:
      DISTORTIONS.find(own.kind).parameter(name)
  return [Step(own.kind, own.severity, None, own.parameters) for own in given]


def first_fault(errors: Any) -> str:
  """The first of pydantic's errors in one line: where, and what."""
  where = ".".join(str(part) for part in errors[0]["loc"] if part != "body")
  return f"{where}: {errors[0]['msg']}" if where else errors[0]["msg"]
