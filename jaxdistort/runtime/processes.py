"""The processes of a run: one, or several that share the work through `jax.distributed`."""

import os
import signal
import subprocess
import sys
import threading
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
_SUPERVISED = "JAXDISTORT_SUPERVISED"


def supervise() -> None:
  """Goes on in a process of its own, and tells in one line when the runtime aborts it; call it before `join`.

  The runtime ends a process that has lost another with a stack trace, from a thread that no handler reaches.
  """
  if os.environ.get(_SUPERVISED) == str(os.getppid()):
    threading.Thread(target=_die_with_parent, args=(os.getppid(),), daemon=True).start()
    return
  environment = os.environ | {_SUPERVISED: str(os.getpid())}
  child = subprocess.Popen([sys.executable, *sys.argv], env=environment)
  for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: child.send_signal(number))
  status = child.wait()
  if status < 0:
    name = signal.Signals(-status).name
    print(
      f"error: another process of this run was lost, or this one was ended from outside ({name}); start all of them "
      "again with the same command, and the run goes on from its last checkpoint",
      file=sys.stderr,
    )
  sys.stdout.flush()
  os._exit(1 if status < 0 else status)


def _die_with_parent(parent: int) -> None:
  while os.getppid() == parent:
    time.sleep(0.5)
  os._exit(1)


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
      raise InputError(f"--coordinator={coordinator}: needs --processes=N, and --process=K within 0..N-1 on each")
    given = {"coordinator_address": coordinator, "num_processes": count, "process_id": number}
  try:
    jax.distributed.initialize(**given, initialization_timeout=_PATIENCE, heartbeat_timeout_seconds=_HEARTBEAT)
  except (RuntimeError, ValueError) as error:
    reason = str(error).splitlines()[0]
    raise InputError(f"--coordinator={coordinator}: the processes of the run did not meet ({reason})") from error


@contextmanager
def losses_told() -> Generator[None]:
  """Leaves it to the runtime to tell of a lost process, whose part in a computation is missed before."""
  try:
    yield
  except jax.errors.JaxRuntimeError:
    if jax.process_count() > 1:
      time.sleep(2 * _HEARTBEAT)
    raise


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
