"""The processes of a run: one, or several that share the work through `jax.distributed`."""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from jaxdistort.errors import InputError

_PATIENCE = 60  # seconds that processes wait for each other at the start
_HEARTBEAT = 15  # seconds of silence after which a process counts as lost, and the runtime aborts the others


def join(coordinator: str, count: int | None, number: int | None) -> None:
  """Joins the other processes of a run; call it before anything else asks JAX for devices.

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
    given = {"coordinator_address": coordinator, "num_processes": count, "process_id": number}
  try:
    jax.distributed.initialize(**given, initialization_timeout=_PATIENCE, heartbeat_timeout_seconds=_HEARTBEAT)
  except (RuntimeError, ValueError) as error:
    reason = str(error).splitlines()[0]
    raise InputError(f"coordinator {coordinator}: the processes of the run did not meet ({reason})") from error


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


def own_name(file: str) -> str:
  """A file's name with the number of this process where there are several: broken.jsonl, broken_1.jsonl."""
  stem, suffix = os.path.splitext(file)
  return file if is_first() else f"{stem}_{jax.process_index()}{suffix}"
