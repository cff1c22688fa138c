"""What a person at a terminal sees: progress, and errors as one line."""

import argparse
import os
import runpy
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from absl import logging
from tqdm import tqdm

from jaxdistort.errors import CheckpointFailed, InputError, TrainingDiverged


def run(main: Callable[[], int | None]) -> None:
  """Runs a script's main function and ends the process.

  Exit status: what `main` returns, 0 for None; 1 for an error, told in one line on stderr; 130 after
  Ctrl-C. Anything unforeseen keeps its traceback: it is a bug.
  """
  logging.set_verbosity(logging.FATAL)  # Orbax and grain log, traceback and all, what they raise anyway
  try:
    status = main() or 0
  except (InputError, TrainingDiverged, CheckpointFailed) as error:
    status = _tell(error)
  except BrokenPipeError:  # whoever read our output has heard enough
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    status = 0
  except OSError as error:
    where = f" ({error.filename})" if error.filename else ""
    status = _tell(f"{error.strerror or error}{where}")
  except KeyboardInterrupt:
    status = 130
    print("\nstopped", file=sys.stderr)
  sys.stdout.flush()
  if status and _of_several():
    os._exit(status)  # an ordinary exit waits for the other processes, which do not know
  sys.exit(status)


def _of_several() -> bool:
  """Whether this process shares its work with others; without waiting for JAX where it was not needed."""
  jax = sys.modules.get("jax")
  return jax is not None and jax.distributed.is_initialized()


def _tell(message: object) -> int:
  print(f"error: {message}", file=sys.stderr)
  return 1


def load_config(path: str | os.PathLike[str]) -> Any:
  """Runs a config file and returns what its `get_config()` does.

  Raises:
    InputError: no such file, or it cannot be used as a config.
  """
  if not os.path.isfile(path):
    raise InputError(f"--config {path}: no such file")
  try:
    return runpy.run_path(os.fspath(path))["get_config"]()
  except Exception as error:  # a foreign script raises anything
    raise InputError(f"--config {path}: cannot be used as a config ({type(error).__name__}: {error})") from error


class ArgumentParser(argparse.ArgumentParser):
  """Describes a script by its docstring; raises InputError where the standard one prints the usage and ends."""

  def __init__(self, description: str | None = None, **options: Any):
    super().__init__(description=description, formatter_class=argparse.RawDescriptionHelpFormatter, **options)

  def error(self, message: str) -> NoReturn:
    raise InputError(f"{message}; see --help")


def at_least(least: int) -> Callable[[str], int]:
  """The type of an argument: a whole number from `least` on."""

  def parse(text: str) -> int:
    if not text.removeprefix("-").isdecimal() or int(text) < least:
      raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got {text!r}")
    return int(text)

  return parse


def progress_bar(
  total: int, done: int = 0, *, unit: str, title: str, leave: bool = True, scale: bool = False, shown: bool = True
) -> tqdm:
  """A bar with rate and time left, `scale`d to k, M and G; in a log file a line now and then."""
  terminal = sys.stderr.isatty()
  return tqdm(
    file=sys.stderr if shown else open(os.devnull, "w"),  # as long as the process
    leave=leave,
    total=total,
    initial=done,
    desc=title,
    unit=unit,
    unit_scale=scale,
    dynamic_ncols=terminal,
    mininterval=0.5 if terminal else 10,
    smoothing=0.1,
  )
