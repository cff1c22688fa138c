"""The processes of a run: one, or several that share the work through `jax.distributed`."""

import errno
import os
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from jaxdistort.errors import InputError, reason_of

_PATIENCE = 60  # seconds that processes wait for each other at the start
_TRY, _PAUSE = 10, 0.2  # seconds that a try to reach the first takes at most, and until the next one
_HEARTBEAT = 15  # seconds of silence after which a process counts as lost, and the runtime aborts the others


def join(coordinator: str, count: int | None, number: int | None) -> None:
  """Joins the other processes of a run; call it before anything else asks JAX for devices.

  Processes that do not all come in time are aborted by the runtime, with a stack trace; whatever can be known before
  is said before.

  Args:
    coordinator: HOST:PORT of the first process; "auto" leaves all three to what started the processes (Slurm,
      Open MPI, Kubernetes: see `jax.distributed.initialize`).
    count: of the processes.
    number: of this one, from 0.

  Raises:
    InputError: too little was given, or the others cannot be reached.
  """
  given: dict[str, Any] = {}
  if coordinator != "auto":
    if count is None or number is None or not 0 <= number < count:
      raise InputError(f"coordinator {coordinator}: needs the number of processes N, and on each its own within 0..N-1")
    host, port = _parse(coordinator)
    if number == 0:
      _check_free(coordinator, port)
    else:
      _await_answer(coordinator, host, port)
    given = {"coordinator_address": coordinator, "num_processes": count, "process_id": number}
  try:
    jax.distributed.initialize(**given, initialization_timeout=_PATIENCE, heartbeat_timeout_seconds=_HEARTBEAT)
  except (RuntimeError, ValueError) as error:
    reason = str(error).splitlines()[0]
    raise InputError(f"coordinator {coordinator}: the processes of the run did not meet ({reason})") from error


def _parse(coordinator: str) -> tuple[str, int]:
  host, _, port = coordinator.rpartition(":")
  if not host or not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 2**16:
    raise InputError(
      f"coordinator {coordinator}: expected HOST:PORT of the first process, with a port within 1..65535, or auto"
    )
  return host.removeprefix("[").removesuffix("]"), int(port)


def _check_free(coordinator: str, port: int) -> None:
  """Raises InputError where the first process cannot listen; the runtime would share the port with another run."""
  try:
    socket.create_server(("", port)).close()
  except OSError as error:
    used = error.errno == errno.EADDRINUSE
    reason = f"port {port} is in use" if used else f"port {port} cannot be used ({reason_of(error)})"
    raise InputError(f"coordinator {coordinator}: {reason} on this machine; give all processes another") from error


def _await_answer(coordinator: str, host: str, port: int) -> None:
  """Waits for the first process; raises InputError where it does not come."""
  end = time.monotonic() + _PATIENCE
  while True:
    try:
      socket.create_connection((host, port), timeout=_TRY).close()
      return
    except OSError as error:  # an unknown host too: it may be known once it is there
      if time.monotonic() > end:
        raise InputError(
          f"coordinator {coordinator}: does not answer within {_PATIENCE} s ({reason_of(error)}); it must be the host "
          "of process 0, and a port that can be reached from here"
        ) from error
    time.sleep(_PAUSE)


@contextmanager
def losses_awaited() -> Generator[None]:
  """Leaves it to the runtime to report a lost process, whose part in a computation is missed before."""
  try:
    yield
  except jax.errors.JaxRuntimeError:
    if jax.process_count() > 1:
      time.sleep(2 * _HEARTBEAT)
    raise


def is_first() -> bool:
  """Whether this is the process that writes."""
  return jax.process_index() == 0


def any_of(asked: bool) -> bool:
  """Whether it is so on any process; with several, all must ask at the same point (a sync point)."""
  return bool(np.any(multihost_utils.process_allgather(np.array(asked)))) if jax.process_count() > 1 else asked


def most_of(own: int) -> int:
  """The greatest of all processes' numbers; with several, all must ask at the same point (a sync point)."""
  return int(np.max(multihost_utils.process_allgather(np.array(own)))) if jax.process_count() > 1 else own


def own_name(file: str) -> str:
  """A file's name with the number of this process where there are several: broken.jsonl, broken_1.jsonl."""
  stem, suffix = os.path.splitext(file)
  return file if is_first() else f"{stem}_{jax.process_index()}{suffix}"
