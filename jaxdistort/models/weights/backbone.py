"""What a transfer network stands on: which weights, where they are, and whether they are still the same."""

from collections.abc import Mapping
from typing import NamedTuple

from jaxdistort.errors import InputError
from jaxdistort.models.create import MODELS
from jaxdistort.models.weights.file import WeightsFile, open_weights
from jaxdistort.models.weights.kinds import kinds_of

RANDOM = "random"
"""In place of a file: fresh weights, drawn from the seed of the run, for tests."""


class BackboneReference(NamedTuple):
  """What a checkpoint keeps of weights that it does not hold; empty if it holds all of them.

  Attributes:
    name: of the file, or "random".
    sha256: of the file.
  """

  name: str = ""
  sha256: str = ""


class WeightsNeeded(InputError):
  """A transfer network lacks the weights of its backbone.

  Attributes:
    architecture: whose weights it needs.
    kinds: names of the foreign files that can be converted into them, see `KINDS`.
  """

  def __init__(self, message: str, architecture: str):
    super().__init__(message)
    self.architecture, self.kinds = architecture, tuple(kinds_of(architecture))


def open_backbone(model: str, weights: str, *, what: str = "model.weights") -> WeightsFile | None:
  """Opens the file that the backbone of a network takes its weights from; None if there is none to open.

  Args:
    model: one of `MODELS`.
    weights: a converted file; "random" or, for a network without a backbone from elsewhere, "" for none.
    what: the field or argument that gives it, for messages.

  Raises:
    WeightsNeeded: there is no such file; says what could be converted into it.
    InputError: the file of another architecture, or one too many.
  """
  architecture = MODELS.find(model).pretrained
  if architecture is None:
    if weights:
      others = ", ".join(name for name, other in MODELS.items() if other.pretrained)
      raise InputError(f"{what}: {model} takes no weights from elsewhere ({others} do)")
    return None
  if weights == RANDOM:
    return None
  try:
    if not weights:
      raise InputError("no weights are given")
    file = open_weights(weights)
  except InputError as error:
    origins = " or ".join(f"{name} ({kind.published.page})" for name, kind in kinds_of(architecture).items())
    need = f"{model} needs {what}: a file of {architecture}, which `convert` makes of {origins}"
    raise WeightsNeeded(f"{error}; {need}; or {RANDOM!r}, for tests", architecture) from error
  if file.architecture != architecture:
    raise InputError(f"{what}: {weights} holds {file.architecture}, {model} needs {architecture}")
  return file


def refer(model: str, weights: str, fine_tune: bool, file: WeightsFile | None) -> BackboneReference:
  """The reference that a checkpoint keeps; reads the whole file."""
  if MODELS.find(model).pretrained is None or fine_tune:
    return BackboneReference()
  return BackboneReference(file.path.name, file.sha256) if file else BackboneReference(weights)


def check_reference(checkpoint: object, kept: Mapping[str, str], given: BackboneReference) -> None:
  """Raises InputError unless the weights are those that a checkpoint was trained on.

  Args:
    checkpoint: for the message.
    kept: name and sha256 of its `BackboneReference`; both are "" if they are missing, and more is of no matter.
    given: the weights.
  """
  wanted = BackboneReference(kept.get("name", ""), kept.get("sha256", ""))
  if wanted.sha256 != given.sha256 or (RANDOM in (wanted.name, given.name) and wanted != given):
    found, expected = (f"{r.name or 'none'} (SHA-256 {r.sha256[:16] or 'none'})" for r in (given, wanted))
    raise InputError(f"checkpoint {checkpoint}: was trained on backbone weights {expected}, not on {found}")
