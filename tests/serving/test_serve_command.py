"""The command: its address, its end, its workers."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

pytestmark = pytest.mark.slow

_HEAD = "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
_QUERY = "?"
# As the command, but on a slow machine, too, it finishes what is under way.
_PATIENT = "import jaxdistort.cli.serve as own; own._ENDING = 600; from jaxdistort.cli import main; main()"
_PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


@pytest.fixture
def start() -> Generator[Callable[..., tuple[subprocess.Popen, str]]]:
  """Starts the command; its process and address."""
  started = []

  def run(*words: str, **environment: str) -> tuple[subprocess.Popen, str]:
    command = [sys.executable, "-c", _PATIENT, "serve", "--port", "0", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment)
    started.append(process)
    address = process.stdout.readline().strip()
    _wait_for(lambda: _answers(address))
    return process, address

  yield run
  for process in started:
    process.kill()
    process.wait()
    process.stdout.close()


def _answers(address: str) -> bool:
  try:
    return httpx.get(f"{address.partition(_QUERY)[0]}health", timeout=300).status_code == 200
  except httpx.TransportError:
    return False


def _wait_for(holds: Callable[[], bool]) -> None:
  while not holds():
    time.sleep(0.05)


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_under_way_is_finished(start, picture, number):
  process, address = start()
  body = _PART + picture + b"\r\n--b--\r\n"
  there = urlsplit(address)
  with socket.create_connection((there.hostname, there.port)) as line:
    line.sendall(f"{_HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body[:1000])
    assert _answers(address)  # so the connection before was taken up, too
    process.send_signal(number)
    _wait_for(lambda: not _answers(address))
    line.sendall(body[1000:])
    assert line.recv(4096).split()[1] == b"200"
  assert process.wait() == 130


def _children(process: int) -> list[int]:
  return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _is_worker(process: int) -> bool:
  try:
    return "spawn_main" in Path(f"/proc/{process}/cmdline").read_text()
  except OSError:
    return False


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc")
def test_a_worker_that_dies_is_replaced(start, picture):
  process, address = start("--workers", "2")

  def workers() -> list[int]:
    return [own for own in _children(process.pid) if _is_worker(own)]

  _wait_for(lambda: len(workers()) == 2)
  lost = workers()[0]
  os.kill(lost, signal.SIGKILL)
  _wait_for(lambda: len(workers()) == 2 and lost not in workers())
  _wait_for(lambda: _answers(address))
  response = httpx.post(f"{address}v1/predict", files={"file": ("a", picture)}, timeout=300)
  assert response.status_code == 200
  left = workers()
  process.terminate()
  process.wait()
  assert not [own for own in left if _is_worker(own)]


@pytest.mark.long
def test_others_than_this_machine_need_a_token(start):
  _, address = start("--host", "0.0.0.0")
  assert "?token=" in address
  assert httpx.get(address, follow_redirects=True).status_code == 200
  assert httpx.get(address.partition("?")[0]).status_code == 401


@pytest.mark.long
def test_a_token_of_ones_own_is_not_printed(start):
  _, address = start(JAXDISTORT_TOKEN="mine")
  assert "mine" not in address
  assert httpx.get(address).status_code == 401
  assert httpx.get(address, headers={"Authorization": "Bearer mine"}).status_code == 200


def test_a_port_that_is_taken():
  with socket.create_server(("127.0.0.1", 0)) as taken:
    port = str(taken.getsockname()[1])
    command = [sys.executable, "-m", "jaxdistort", "serve", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
  assert done.returncode == 1
  assert done.stderr.startswith(f"error: --host 127.0.0.1 --port {port}: cannot listen there")
  assert len(done.stderr.splitlines()) == 1
