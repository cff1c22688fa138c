"""What a person at a terminal sees and does: progress, errors as one line, Ctrl-C."""

import argparse
import contextlib
import gc
import io
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, NoReturn

from absl import logging
from tqdm import tqdm

from jaxdistort.runtime.compilation import keep_compiled
from jaxdistort.errors import CheckpointFailed, InputError, TrainingDiverged


def run(main: Callable[[], int | None]) -> NoReturn:
  """Runs a script's main function and ends the process.

  Exit status: what `main` returns, 0 for None; 1 for an error, told in one line on stderr; 130 after
  Ctrl-C or SIGTERM. Anything unforeseen keeps its traceback: it is a bug.
  """
  keep_compiled()
  logging.set_verbosity(logging.FATAL)  # Orbax and grain log, traceback and all, what they raise anyway
  for stream in (sys.stdout, sys.stderr):
    if isinstance(stream, io.TextIOWrapper):
      stream.reconfigure(errors="backslashreplace")  # files have names that the terminal's encoding may lack
  sys.unraisablehook = _unraisable
  signal.signal(signal.SIGTERM, signal.default_int_handler)
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
    status = None
  if status is None:
    gc.collect()  # what was on the stack: its semaphores would be told as leaked
    _end_stopped()
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


def _end_stopped() -> NoReturn:
  """Ends the process without the interpreter's own end, which crashes where JAX was interrupted at work."""
  with contextlib.suppress(OSError):  # whoever read our output may have been stopped before
    sys.stdout.flush()
    print("\nstopped", file=sys.stderr, flush=True)
  os._exit(130)


def _unraisable(lost: "sys.UnraisableHookArgs") -> None:
  """Ctrl-C stops us where Python would drop it, too: in callbacks of the garbage collector, of which JAX has one."""
  if issubclass(lost.exc_type, KeyboardInterrupt):
    _end_stopped()
  sys.__unraisablehook__(lost)


@contextlib.contextmanager
def stop_signals(told: str = "") -> Generator[Callable[[], bool]]:
  """Turns the first SIGINT or SIGTERM into a question to ask between batches; the second one acts at once.

  Args:
    told: printed at the first one.
  """
  asked: list[int] = []

  def remember(signal_number: int, frame: object) -> None:
    del frame
    if asked:
      raise KeyboardInterrupt
    asked.append(signal_number)
    if told:
      print(f"\n{told}", flush=True)

  if threading.current_thread() is not threading.main_thread():
    yield lambda: False
    return
  before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
  try:
    yield lambda: bool(asked)
  finally:
    for number, handler in before.items():
      signal.signal(number, handler)


@contextlib.contextmanager
def stoppable(bar: tqdm) -> Generator[Callable[[int], None]]:
  """A function that moves a bar, and is where Ctrl-C and SIGTERM act: once a batch, not in the midst of JAX's work."""

  def advance(count: int) -> None:
    bar.update(count)
    if stop_asked():
      raise KeyboardInterrupt

  with stop_signals() as stop_asked, bar:
    yield advance


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


def output_folder(text: str) -> Path:
  """The type of an argument: a folder that is there or can be made."""
  path = Path(text)
  there = next((place for place in (path, *path.parents) if os.path.exists(place)), path)
  if os.path.exists(there) and not os.path.isdir(there):
    raise argparse.ArgumentTypeError(f"{there} is a file; give a folder, or a name that is free")
  return path


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


def add_judging_arguments(parser: argparse.ArgumentParser, *, a_batch_of: str) -> None:
  """What all scripts that judge networks can be told."""
  parser.add_argument(
    "--split",
    choices=("auto", "all", "train", "validation", "test"),
    default=None,
    help="auto (default): all pictures; the test pictures if a network was trained on any of --data",
  )
  parser.add_argument(
    "--jpeg-quality", type=int, default=None, help="of the last step; 0: no JPEG; as trained unless given"
  )
  parser.add_argument("--batch-size", type=at_least(1), default=64, help=f"{a_batch_of} a batch")
  parser.add_argument("--workers", type=at_least(0), default=None, help="decoding processes; 0: threads")
  parser.add_argument(
    "--weights", default=None, help="of the base of a transfer network, if they are not where the training had them"
  )


def tell_broken(count: int, output: Path) -> None:
  """What a script says of pictures that could not be read, if there are any."""
  if count:
    print(f"{count} pictures could not be read and were left out: {output / 'broken_pictures.jsonl'}")


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
