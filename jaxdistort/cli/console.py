"""What a person at a terminal sees and does: errors as one line, Ctrl-C, the end of the process."""

import contextlib
import gc
import io
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from jaxdistort.cli import interrupts
from jaxdistort.cli.extras import how_to_get, missing_devices, missing_extra
from jaxdistort.errors import InputError, WorkFailed, printable, what_failed
from jaxdistort.runtime.compilation import keep_compiled

_YOUNG = 100_000  # objects between two looks for cycles; at 700, Python's own, a third of the time of imports is theirs


def run(main: Callable[[], int | None]) -> NoReturn:
  """Runs a command's main function and ends the process.

  Exit status: what `main` returns, 0 for None; for an error, reported in one line on stderr, 1 or what the command
  says (`STATUS_OF_ERRORS`); 130 after Ctrl-C or SIGTERM. Anything unforeseen keeps its traceback: it is a bug.
  """
  gc.set_threshold(_YOUNG)
  _open_closed_streams()
  keep_compiled()
  _quieten_libraries()
  for stream in (sys.stdout, sys.stderr):
    if isinstance(stream, io.TextIOWrapper):
      stream.reconfigure(errors="backslashreplace")  # files have names that the terminal's encoding may lack
  sys.unraisablehook = _unraisable
  signal.signal(signal.SIGTERM, signal.default_int_handler)
  interrupts.watch()
  status = _status_of(main)
  if status is None:
    gc.collect()  # what was on the stack: its semaphores would be reported as leaked
    _end_stopped()
  try:
    sys.stdout.flush()
  except OSError as error:  # a full disk
    status = status or _report(what_failed(error))
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would try again at its end
  if status and _of_several():
    os._exit(status)  # an ordinary exit waits for the other processes, which do not know
  gc.freeze()  # the end of the process would look through all objects once more, for half a second
  sys.exit(status)


def _status_of(main: Callable[[], int | None]) -> int | None:
  """The exit status, where need be with a line on stderr; None after Ctrl-C."""
  try:
    status = main() or 0
    sys.stdout.flush()
    return status
  except KeyboardInterrupt:
    return None
  except BrokenPipeError:  # whoever read our output has heard enough
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
  except Exception as error:
    if (message := _explain(error)) is None:
      raise
    return _report(message, getattr(error, "exit_status", 1))


def _explain(error: Exception) -> str | None:
  """One line for what a person can mend; None for what is a bug."""
  if isinstance(error, InputError | WorkFailed):
    return f"{error}{how_to_get(error)}"
  if isinstance(error, ModuleNotFoundError):
    return missing_extra(error)
  if isinstance(error, OSError):
    return what_failed(error)
  return missing_devices(error) if isinstance(error, RuntimeError | AssertionError) else None


def _open_closed_streams() -> None:
  """Where a process was started without stdin, stdout or stderr, no file must get their number."""
  for number in range(3):
    try:
      os.fstat(number)
    except OSError:
      os.open(os.devnull, os.O_RDWR)  # the least number that is free
  for name in ("stdout", "stderr"):
    if getattr(sys, name) is None:
      setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, for as long as the process


def _quieten_libraries() -> None:
  """Orbax and grain log, traceback and all, what they raise anyway; matplotlib, that a user has no home."""
  logging.getLogger("matplotlib").setLevel(logging.ERROR)
  with contextlib.suppress(ModuleNotFoundError):  # absl comes with them
    from absl import logging as their_logging

    their_logging.set_verbosity(their_logging.FATAL)


def _of_several() -> bool:
  """Whether this process shares its work with others; without waiting for JAX where it was not needed."""
  jax = sys.modules.get("jax")
  return jax is not None and jax.distributed.is_initialized()


def _report(message: object, status: int = 1) -> int:
  with contextlib.suppress(OSError):  # where it goes may be what is full
    print(f"error: {printable(str(message))}", file=sys.stderr)
  return status


def _end_stopped() -> NoReturn:
  for stream in (sys.stdout, sys.stderr):
    with contextlib.suppress(OSError, ValueError):  # whoever read our output may have been stopped before
      stream.flush()
  interrupts.end_stopped()


def _unraisable(lost: "sys.UnraisableHookArgs") -> None:
  """Ctrl-C stops us where Python would drop it, too: in callbacks of the garbage collector, of which JAX has one."""
  if issubclass(lost.exc_type, KeyboardInterrupt):
    _end_stopped()
  # Storage writes many files at once: when one has failed, which is told, the others' ends find nobody waiting.
  trace = lost.exc_traceback
  called_back = trace and trace.tb_frame.f_code.co_name == "call_soon_threadsafe"  # from C++, by no code of Python
  if not (called_back and str(lost.exc_value) == "Event loop is closed"):
    sys.__unraisablehook__(lost)
