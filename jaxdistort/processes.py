"""The processes of a run: one, or several that share the work through `jax.distributed`."""

import os
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from jaxdistort.errors import InputError

_PATIENCE = 60  # seconds that processes wait for each other at the start
_HEARTBEAT = 20  # seconds of silence after which a process counts as dead


def join(coordinator: str | None, count: int | None, number: int | None) -> None:
  """Joins the other processes of a run; call it before anything else asks JAX for devices.

  Args:
    coordinator: HOST:PORT of the first process; "auto" leaves all three to what started the processes (Slurm,
      Open MPI, Kubernetes: see `jax.distributed.initialize`); None: this process is alone.
    count: of the processes.
    number: of this one, from 0.

  Raises:
    InputError: too little was given, or the others cannot be reached.
  """
  if coordinator is None:
    if count is not None or number is not None:
      raise InputError("--processes and --process need --coordinator, the HOST:PORT of the first process")
    return
  given: dict[str, Any] = {}
  if coordinator != "auto":
    if count is None or number is None or not 0 <= number < count:
      raise InputError(f"--coordinator={coordinator}: needs --processes=N, and --process=K within 0..N-1 on each")
    given = {"coordinator_address": coordinator, "num_processes": count, "process_id": number}
  try:
    jax.distributed.initialize(**given, initialization_timeout=_PATIENCE, heartbeat_timeout_seconds=_HEARTBEAT)
  except (RuntimeError, ValueError) as error:
    reason = str(error).splitlines()[0]
    raise InputError(f"--coordinator={coordinator}: the processes of the run did not meet ({reason})") from error


def is_first() -> bool:
  """Whether this is the process that writes and prints."""
  return jax.process_index() == 0


def say(text: str) -> None:
  """Prints, on the first process only."""
  if is_first():
    print(text, flush=True)


def any_of(asked: bool) -> bool:
  """Whether it is so on any process; with several, all must ask at the same point (a sync point)."""
  return bool(np.any(multihost_utils.process_allgather(np.array(asked)))) if jax.process_count() > 1 else asked


def own_name(file: str) -> str:
  """A file's name with the number of this process where there are several: broken.jsonl, broken_1.jsonl."""
  stem, suffix = os.path.splitext(file)
  return file if is_first() else f"{stem}_{jax.process_index()}{suffix}"
