"""What a person can mend: told in one line that names the file, flag or value at fault."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
  """Something given (a file, a flag, a value) cannot be used; the message, one line, says what and what to do."""

  def __init__(self, message: str):
    super().__init__(" ".join(message.splitlines()))  # it may quote what a library said


class TrainingDiverged(RuntimeError):
  """The loss stopped being finite."""


def choose(what: str, given: str, allowed: Iterable[str]) -> str:
  """Returns `given` if it is among `allowed`.

  Raises:
    InputError: it is not; names the choices, and the nearest one.
  """
  choices = list(allowed)
  if given in choices:
    return given
  near = difflib.get_close_matches(str(given), choices, 1)
  hint = f"; did you mean {near[0]!r}?" if near else ""
  raise InputError(f"{what}: {given!r} is not one of {', '.join(choices)}{hint}")


class CheckpointFailed(RuntimeError):
  """A checkpoint could not be written; the ones before it are whole."""


class MissingExtra(InputError):
  """A package that is not in a plain install.

  Args:
    package: its name.
    extra: of ours, that brings it.
  """

  def __init__(self, package: str, extra: str):
    super().__init__(f"{package} is needed: pip install 'jaxdistort[{extra}]'")
    self.package, self.extra = package, extra
