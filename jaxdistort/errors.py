"""What a person can mend: one line that names the file, flag or value at fault."""

import difflib
from collections.abc import Generator, Iterable
from contextlib import contextmanager


class InputError(ValueError):
  """Something given (a file, a flag, a value) cannot be used; the message, one line, says what and what to do."""

  def __init__(self, message: str):
    super().__init__(" ".join(message.splitlines()))  # it may quote what a library said


class NothingReadable(InputError):
  """None of the pictures that are asked for can be read."""


class MissingExtra(InputError):
  """A package is not installed that an extra of ours brings.

  Args:
    package: that is missing.
    extra: of jaxdistort, that brings it.
    what: needs it, for the message.
  """

  def __init__(self, package: str, extra: str, what: str = ""):
    needed = f"{what}: needs {package}, which is not installed" if what else f"{package} is not installed"
    super().__init__(f"{needed}; install jaxdistort[{extra}]")
    self.package, self.extra = package, extra


NOT_INSTALLED = "which is not installed"
"""What is said of a package without which a picture cannot be read."""
NO_MEMORY = "more pixels than the memory holds"


class BrokenPicture(Exception):
  """A file that should be a picture cannot be read as one; the message, one line, is the reason."""


@contextmanager
def raising_broken(said: str = "{}") -> Generator[None]:
  """Turns whatever is raised within into `BrokenPicture`: decoders of foreign files and storages raise anything.

  Nothing of ours should run within, or its bugs would be taken for broken files.

  Args:
    said: the message, {} in it is the reason.
  """
  try:
    yield
  except BrokenPicture:
    raise
  except Exception as error:
    raise BrokenPicture(said.format(reason_of(error))) from error


class WorkFailed(RuntimeError):
  """Something around our work (a disk, a process) failed while it went on; the message, one line, says what is kept."""

  def __init__(self, message: str):
    super().__init__(" ".join(message.splitlines()))


class TrainingDiverged(WorkFailed):
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


def printable(text: str) -> str:
  """A text in one line as a terminal shows it: a name may hold line ends, and signs that command the terminal."""
  return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def reason_of(error: BaseException) -> str:
  """What another library or the system said went wrong, in one line, for messages that name the file themselves."""
  if isinstance(error, OSError) and error.strerror:
    return error.strerror
  if isinstance(error, KeyError) and error.args:
    return " ".join(str(error.args[0]).split())  # not in quotes
  return " ".join(str(error).split()) or type(error).__name__


def what_failed(error: BaseException) -> str:
  """`reason_of`, with the file that the system named."""
  where = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
  return f"{reason_of(error)}{where}"


class CheckpointFailed(WorkFailed):
  """A checkpoint could not be written; the ones before it are whole."""


class WorkerLost(WorkFailed):
  """A process that worked for this one is gone."""
