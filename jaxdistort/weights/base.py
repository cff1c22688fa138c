"""What a transfer network stands on: which weights, where they are, and whether they are still the same."""

from collections.abc import Mapping
from typing import NamedTuple

from jaxdistort.errors import InputError
from jaxdistort.models import MODELS
from jaxdistort.weights.download import KNOWN
from jaxdistort.weights.file import WeightsFile, open_weights

RANDOM = "random"
"""In place of a file: fresh weights, drawn from the seed of the run, for tests."""


class BaseReference(NamedTuple):
  """What a checkpoint keeps of weights that it does not hold; empty if it holds all of them.

  Attributes:
    name: of the file, or "random".
    sha256: of the file.
  """

  name: str = ""
  sha256: str = ""


def open_base(model: str, weights: str, *, how: str = "--config.model.weights") -> WeightsFile | None:
  """Opens the file that the base of a network takes its weights from; None if there is none to open.

  Args:
    model: one of `MODELS`.
    weights: a file of `scripts/convert_weights.py`; "random" or, for a network without a base, "" for none.
    how: the flag that gives it, for messages.

  Raises:
    InputError: a transfer network without weights, says how to get them; the wrong file, or one too many.
  """
  architecture = MODELS[model].pretrained
  if architecture is None:
    if weights:
      others = ", ".join(name for name, kind in MODELS.items() if kind.pretrained)
      raise InputError(f"{how}: {model} takes no weights from elsewhere ({others} do)")
    return None
  if weights == RANDOM:
    return None
  try:
    if not weights:
      raise InputError("no weights are given")
    file = open_weights(weights)
  except InputError as error:
    need = f"{model} needs {how}=FILE, made by: {how_to_get(architecture)} (or {RANDOM}, for tests)"
    raise InputError(f"{error}; {need}") from None
  if file.architecture != architecture:
    raise InputError(f"{how}: {weights} holds {file.architecture}, {model} needs {architecture}")
  return file


def how_to_get(architecture: str) -> str:
  """The command that makes a file of an architecture."""
  kind = next(kind for kind, known in KNOWN.items() if known.architecture == architecture)
  known = KNOWN[kind]
  fetch = "--download" if known.url else f"FILE (from {known.page})"
  return f"python scripts/convert_weights.py --from {kind} {fetch} --output weights/{architecture}.safetensors"


def refer(model: str, weights: str, fine_tune: bool, file: WeightsFile | None) -> BaseReference:
  """The reference that a checkpoint keeps; reads the whole file."""
  if MODELS[model].pretrained is None or fine_tune:
    return BaseReference()
  return BaseReference(file.path.name, file.sha256) if file else BaseReference(weights)


def check_reference(checkpoint: object, kept: Mapping[str, str], given: BaseReference) -> None:
  """Raises InputError unless the weights are those that a checkpoint was trained on."""
  wanted = BaseReference(**kept)
  if wanted.sha256 != given.sha256 or (RANDOM in (wanted.name, given.name) and wanted != given):
    found, expected = (f"{r.name or 'none'} (SHA-256 {r.sha256[:16] or 'none'})" for r in (given, wanted))
    raise InputError(f"checkpoint {checkpoint}: was trained on base weights {expected}, not on {found}")
