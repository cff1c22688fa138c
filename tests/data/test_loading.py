"""The loader: order, copies, errors and ends, of threads and of processes."""

import errno
import multiprocessing
import os
import signal
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from jaxdistort.data import load_elements
from jaxdistort.errors import WorkerLost

_KINDS = pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])


def _square(number):
  if number == 13:
    raise ZeroDivisionError("of ours")
  deaf = signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # to Ctrl-C
  return {"square": np.full(3, number**2), "name": str(number), "process": os.getpid(), "deaf": deaf}


@pytest.mark.long
@_KINDS
def test_elements_come_in_order_and_are_the_caller_s(workers):
  put = lambda loaded: (loaded, threading.get_ident())
  with load_elements(range(12), _square, workers=workers, put=put) as loaded:
    found, threads = zip(*loaded, strict=True)
  assert [element["name"] for element in found] == [str(n) for n in range(12)]
  for number, element in enumerate(found):  # after the workers and their memory have ended
    np.testing.assert_array_equal(element["square"], [number**2] * 3)
  assert len(set(threads)) == 1
  assert threads[0] != threading.get_ident()
  assert all((element["process"] == os.getpid()) == (not workers) for element in found)
  assert all(element["deaf"] == bool(workers) for element in found)


@pytest.mark.long
@_KINDS
def test_an_error_of_ours_comes_through_in_its_turn(workers):
  found = []
  with pytest.raises(ZeroDivisionError, match="of ours"), load_elements(range(20), _square, workers=workers) as loaded:
    found.extend(loaded)
  assert workers or len(found) == 13  # processes may fail ahead of what they have already sent


def test_nothing_is_loaded_far_ahead_and_an_endless_range_ends_with_its_context():
  before, asked = set(threading.enumerate()), []
  with load_elements(range(5, 2**31), asked.append, workers=0) as loaded:
    next(loaded)
    next(loaded)
  assert sorted(asked) == list(range(5, 5 + len(asked)))
  assert len(asked) <= 2 + 10
  assert set(threading.enumerate()) <= before


def test_threads_leave_ctrl_c_to_the_main_thread():
  mask = lambda _: signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
  with load_elements(range(4), mask, workers=0) as loaded:
    assert all(loaded)
  assert not mask(None)


def _die(number):
  os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.long  # a process
def test_a_worker_that_is_killed_is_named():
  with pytest.raises(WorkerLost, match="a decoding process was killed, as by a system that runs out of memory; give"):  # noqa: SIM117
    with load_elements(range(4), _die, workers=1) as loaded:
      next(loaded)


@pytest.mark.parametrize(
  ("error", "message"),
  [
    (RuntimeError("Worker process was terminated unexpectedly with exit code -7. Search"), "has no room in /dev/shm"),
    (
      RuntimeError("Worker process was terminated unexpectedly with exit code -11. Search"),
      r"by itself .*-11",
    ),
    (OSError(errno.ENOSPC, "No space left on device"), r"Docker: shm-size\), or 0 workers"),
    (OSError(errno.EROFS, "Read-only file system"), "has no room in /dev/shm"),
  ],
)
def test_what_workers_lack_is_said(error, message, monkeypatch):
  def begin():
    raise error

  monkeypatch.setattr(multiprocessing, "get_context", lambda kind: SimpleNamespace(Semaphore=begin))
  with pytest.raises(WorkerLost, match=message), load_elements(range(4), _square, workers=1):
    pytest.fail("there is no worker")
