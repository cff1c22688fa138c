"""Beyond what is stated a request is told to come again, and nothing is lost."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from urllib.parse import urlsplit

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from jaxdistort.serving import Limits, Settings, batching, create_app
from tests.serving.conftest import LIMITS


class _Held:
  """Judging: whether it has begun, and whether it may go on."""

  def __init__(self):
    self.begun, self.may_go_on = threading.Event(), threading.Event()
    self.may_go_on.set()

  def hold(self):
    self.may_go_on.clear()
    self.begun.clear()


@pytest.fixture
def held(monkeypatch):
  """By which judging is held, once the server has started."""
  held, plain = _Held(), batching.answers_to

  def slow(*arguments):
    held.begun.set()
    held.may_go_on.wait()
    return plain(*arguments)

  monkeypatch.setattr(batching, "answers_to", slow)
  yield held
  held.may_go_on.set()


def _post(address: str, picture: bytes) -> httpx.Response:
  return httpx.post(f"{address}/v1/predict", files={"file": ("a", picture)}, timeout=120)


@pytest.mark.slow
def test_a_full_queue(serve, picture, held):
  address = serve(Settings(limits=Limits(queue=2)))
  held.hold()
  with ThreadPoolExecutor(3) as pool:
    posted = [pool.submit(_post, address, picture) for _ in range(3)]
    refused = next(as_completed(posted)).result()  # the others are held
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    held.may_go_on.set()
    assert sorted(own.result().status_code for own in posted) == [200, 200, 503]
  assert _post(address, picture).status_code == 200


def test_too_much_under_way(serve, picture):
  address = serve(Settings(limits=Limits(bytes_under_way=len(picture) // 2)))
  assert _post(address, picture).status_code == 503
  assert httpx.get(f"{address}/health").status_code == 200


@pytest.mark.slow
def test_an_answer_that_takes_too_long(serve, picture, held):
  address = serve(Settings(limits=Limits(answering=0.5)))
  held.hold()
  late = _post(address, picture)
  assert late.status_code == 503
  assert late.json()["detail"] == "the answer takes too long; try again"


@pytest.mark.long
def test_nothing_that_fits_the_description_fails(recogniser):
  schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(recogniser, Settings(limits=LIMITS)))
  operations = [found.ok() for found in schema.get_all_operations()]
  assert len(operations) == 6
  for operation in operations:

    @given(operation.as_strategy())
    @settings(max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def answers_as_described(case):
      case.call_and_validate(excluded_checks=[positive_data_acceptance])  # most texts are no pictures

    answers_as_described()


def test_whoever_is_gone_is_not_judged(serve, picture, held):
  address = serve(Settings(limits=LIMITS))
  held.hold()
  there = urlsplit(address)
  body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + picture + b"\r\n--b--\r\n"
  head = "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
  with socket.create_connection((there.hostname, there.port)) as line:
    line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    held.begun.wait()
  gone = 'jaxdistort_requests_total{path="/v1/predict",status="gone"} 1.0'
  while gone not in httpx.get(f"{address}/metrics", timeout=120).text:
    time.sleep(0.05)
  held.may_go_on.set()
  assert _post(address, picture).status_code == 200
