"""What a person at a terminal sees and does: errors as one line, Ctrl-C, the end of the process."""

import contextlib
import gc
import io
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from jaxdistort.cli import interrupts
from jaxdistort.cli.extras import how_to_get, missing_extra
from jaxdistort.errors import InputError, WorkFailed, what_failed
from jaxdistort.runtime.compilation import keep_compiled


def run(main: Callable[[], int | None]) -> NoReturn:
  """Runs a command's main function and ends the process.

  Exit status: what `main` returns, 0 for None; 1 for an error, reported in one line on stderr; 130 after
  Ctrl-C or SIGTERM. Anything unforeseen keeps its traceback: it is a bug.
  """
  keep_compiled()
  _quieten_libraries()
  for stream in (sys.stdout, sys.stderr):
    if isinstance(stream, io.TextIOWrapper):
      stream.reconfigure(errors="backslashreplace")  # files have names that the terminal's encoding may lack
  sys.unraisablehook = _unraisable
  signal.signal(signal.SIGTERM, signal.default_int_handler)
  interrupts.watch()
  try:
    status = main() or 0
  except (InputError, WorkFailed) as error:
    status = _report(f"{error}{how_to_get(error)}")
  except ModuleNotFoundError as error:
    if (message := missing_extra(error)) is None:
      raise
    status = _report(message)
  except BrokenPipeError:  # whoever read our output has heard enough
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    status = 0
  except OSError as error:
    status = _report(what_failed(error))
  except KeyboardInterrupt:
    status = None
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
  sys.exit(status)


def _quieten_libraries() -> None:
  """Orbax and grain log, traceback and all, what they raise anyway."""
  with contextlib.suppress(ModuleNotFoundError):  # absl comes with them
    from absl import logging

    logging.set_verbosity(logging.FATAL)


def _of_several() -> bool:
  """Whether this process shares its work with others; without waiting for JAX where it was not needed."""
  jax = sys.modules.get("jax")
  return jax is not None and jax.distributed.is_initialized()


def _report(message: object) -> int:
  with contextlib.suppress(OSError):  # where it goes may be what is full
    print(f"error: {message}", file=sys.stderr)
  return 1


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
