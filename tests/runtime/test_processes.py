"""Processes that cannot meet: told in one line before the runtime aborts them."""

import socket
import threading

import jax
import pytest

from jaxdistort.errors import InputError
from jaxdistort.runtime import processes
from jaxdistort.runtime.processes import join


@pytest.fixture(autouse=True)
def met(monkeypatch):
  """Of JAX only what it is told; nobody is patient."""
  told = []
  monkeypatch.setattr(jax.distributed, "initialize", lambda **given: told.append(given))
  monkeypatch.setattr(processes, "_PATIENCE", 0)
  monkeypatch.setattr(processes, "_PAUSE", 0)
  return told


@pytest.fixture
def listening():
  with socket.create_server(("localhost", 0)) as server:
    yield server.getsockname()[1]


@pytest.mark.parametrize(
  ("coordinator", "count", "number", "message"),
  [
    ("localhost", 2, 0, "expected HOST:PORT of the first process, with a port within 1..65535, or auto"),
    ("localhost:", 2, 0, "expected HOST:PORT"),
    (":8476", 2, 0, "expected HOST:PORT"),
    ("", 2, 0, "expected HOST:PORT"),
    ("localhost:0", 2, 0, "expected HOST:PORT"),
    ("localhost:65536", 2, 1, "expected HOST:PORT"),
    ("localhost:http", 2, 1, "expected HOST:PORT"),
    ("localhost:-1", 2, 1, "expected HOST:PORT"),
    ("localhost:8476", 2, 2, r"needs the number of processes N, and on each its own within 0..N-1"),
    ("localhost:8476", None, 0, "needs the number of processes N"),
    ("localhost:8476", 2, None, "needs the number of processes N"),
    ("localhost:1", 2, 1, r"does not answer within 0 s \(Connection refused\); it must be the host of process 0"),
  ],
)
def test_a_coordinator_that_cannot_be_is_named(met, coordinator, count, number, message):
  with pytest.raises(InputError, match=f"coordinator {coordinator}: .*{message}"):
    join(coordinator, count, number)
  assert not met


def test_a_port_in_use_is_named(met, listening):
  with pytest.raises(InputError, match=f"port {listening} is in use on this machine; give all processes another"):
    join(f"localhost:{listening}", 2, 0)
  assert not met


def test_the_first_takes_a_free_port_and_the_others_wait_for_it(met, monkeypatch):
  monkeypatch.setattr(processes, "_PATIENCE", 60)
  monkeypatch.setattr(processes, "_PAUSE", 0.01)
  with socket.create_server(("localhost", 0)) as probe:
    port = probe.getsockname()[1]
  join(f"localhost:{port}", 2, 0)
  waiting = threading.Thread(target=join, args=(f"localhost:{port}", 2, 1))
  waiting.start()
  with socket.create_server(("localhost", port)):
    waiting.join()
  assert [given["process_id"] for given in met] == [0, 1]


def test_an_unknown_host_is_named(monkeypatch):
  def look_up(*address, **options):
    raise socket.gaierror(-2, "Name or service not known")

  monkeypatch.setattr(socket, "create_connection", look_up)
  with pytest.raises(InputError, match=r"nowhere:8476: does not answer within 0 s \(Name or service not known\)"):
    join("nowhere:8476", 2, 1)


def test_an_address_in_brackets_is_understood(met):
  with pytest.raises(InputError, match=r"coordinator \[::1\]:1: does not answer"):
    join("[::1]:1", 2, 1)
