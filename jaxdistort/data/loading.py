"""The one loader: whatever is decoded is made ahead of need, in worker processes or threads, in order."""

import collections
import errno
import gc
import itertools
import multiprocessing
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

import jax
import numpy as np

from jaxdistort.errors import WorkerLost

_NO_SHARED_MEMORY = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENOENT, errno.ENOSYS)


def default_workers() -> int:
  """One process fewer than there are processors, within 1..8."""
  return max(1, min(8, (os.cpu_count() or 1) - 1))


@contextmanager
def load_elements(
  elements: Sequence[Any] | np.ndarray,
  load: Callable[[Any], Any],
  *,
  workers: int,
  put: Callable[[Any], Any] = lambda loaded: loaded,
) -> Generator[Iterator[Any]]:
  """`put(load(element))` for every element in order, ahead of need; on leaving the context, workers end.

  This is how everything that is decoded reaches the program: training, evaluation, databases, preparation. Ctrl-C is
  the caller's alone, and workers end with it, however it ends. What `load` raises is raised here in its turn; and
  WorkerLost where a process was killed.

  Args:
    elements: small, such as numbers; a range may be endless for all purposes.
    load: makes an element into a tree of arrays, numbers and texts; must pickle if there are workers.
    workers: processes, each two elements ahead; 0: threads of this process, as many as `default_workers()`.
    put: is applied to what was loaded in one thread of this process, in order, two elements ahead.
  """
  start = _start_processes if workers else _start_threads
  with start(elements, load, workers, put) as loaded:
    yield loaded


@contextmanager
def _start_threads(
  elements: Sequence[Any] | np.ndarray, load: Callable[[Any], Any], workers: int, put: Callable[[Any], Any]
) -> Generator[Iterator[Any]]:
  del workers
  threads, rest = default_workers(), iter(elements)
  loading = ThreadPoolExecutor(threads, "load", _leave_interrupts)
  putting = ThreadPoolExecutor(1, "put", _leave_interrupts)
  waiting: collections.deque[Future[Any]] = collections.deque()

  def begin(count: int) -> None:
    for element in itertools.islice(rest, count):
      loaded = loading.submit(load, element)
      waiting.append(putting.submit(lambda loaded=loaded: put(loaded.result())))

  def results() -> Iterator[Any]:
    while waiting:
      result = waiting.popleft().result()
      begin(1)
      yield result

  try:
    begin(threads + 2)
    yield results()
  finally:
    loading.shutdown(cancel_futures=True)
    putting.shutdown(cancel_futures=True)


@contextmanager
def _start_processes(
  elements: Any, load: Callable[[Any], Any], workers: int, put: Callable[[Any], Any]
) -> Generator[Iterator[Any]]:
  import grain  # here: threads, and whatever only shares this package, do without it
  from absl import flags

  with _losses_explained():
    multiprocessing.get_context("spawn").Semaphore()  # before grain, which leaves a stack trace where there is none
  if not flags.FLAGS.is_parsed():
    flags.FLAGS.mark_as_parsed()  # grain's workers read absl flags, which a notebook never parses

  def put_copy(loaded: Any) -> Any:
    # Copies: a worker's arrays live in shared memory, which JAX would hold on to (even past the end of the process).
    return put(jax.tree.map(lambda leaf: np.array(leaf) if isinstance(leaf, np.ndarray) else leaf, loaded))

  options = grain.MultiprocessingOptions(num_workers=workers, per_worker_buffer_size=2)
  stream = grain.MapDataset.source(elements).map(load)
  stream = stream.to_iter_dataset(grain.ReadOptions(num_threads=0, prefetch_buffer_size=0))
  stream = stream.mp_prefetch(options, worker_init_fn=_live_and_die_with_parent).map(put_copy)
  iterator = iter(grain.experimental.ThreadPrefetchIterDataset(stream, prefetch_buffer_size=2))
  try:
    with _without_interrupts():
      iterator.start_prefetch()
    yield _explained(iterator)
  finally:
    iterator.close()
    gc.collect()  # its last elements lie in cycles, and their shared memory would be reported as leaked at the end


def _explained(iterator: Iterator[Any]) -> Iterator[Any]:
  with _losses_explained():
    yield from iterator


@contextmanager
def _losses_explained() -> Generator[None]:
  """Says what to do where a worker is lost, or has no shared memory to hand its pictures over."""
  try:
    yield
  except (RuntimeError, OSError) as error:
    code = re.search(r"terminated unexpectedly with exit code (-?\d+)", str(error))
    if code and int(code[1]) == -signal.SIGKILL:
      why = "was killed, as by a system that runs out of memory; give fewer workers, or 0"
    elif code and int(code[1]) != -signal.SIGBUS:
      why = f"ended by itself (exit code {code[1]}); with 0 workers none is needed"
    elif code or getattr(error, "errno", None) in _NO_SHARED_MEMORY:
      why = "has no room in /dev/shm for its pictures; give the container more of it (Docker: shm-size), or 0 workers"
    else:
      raise
    raise WorkerLost(f"a decoding process {why}") from error


def _leave_interrupts() -> None:
  """A thread that gets no Ctrl-C: the main thread must wake up for it."""
  signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


@contextmanager
def _without_interrupts() -> Generator[None]:
  """Threads that begin here, and their processes, do not get Ctrl-C: a worker that it ends early is waited for."""
  resource_tracker.ensure_running()  # it would take the mask off, were it begun later
  before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
  try:
    yield
  finally:
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _live_and_die_with_parent(worker: int, workers: int) -> None:
  """Leaves Ctrl-C to the parent, and ends the worker when the parent was killed."""
  del worker, workers
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  parent = os.getppid()

  def watch() -> None:
    while os.getppid() == parent:
      time.sleep(1)
    os._exit(1)

  threading.Thread(target=watch, daemon=True).start()
