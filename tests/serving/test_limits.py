"""Beyond what is stated a request is told to come again, and nothing is lost."""

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from jaxdistort.serving import Limits, Settings, batching, create_app
from tests.serving.conftest import LIMITS


@pytest.fixture
def held(monkeypatch):
  """An event until which judging waits."""
  may_go_on, plain = threading.Event(), batching.answers_to

  def slow(*arguments):
    may_go_on.wait()
    return plain(*arguments)

  monkeypatch.setattr(batching, "answers_to", slow)
  yield may_go_on
  may_go_on.set()


def _post(address: str, picture: bytes) -> httpx.Response:
  return httpx.post(f"{address}/v1/predict", files={"file": ("a", picture)}, timeout=120)


def test_a_full_queue(serve, picture, held):
  held.set()  # while the server starts
  address = serve(Settings(limits=Limits(queue=2)))
  held.clear()
  with ThreadPoolExecutor(3) as pool:
    posted = [pool.submit(_post, address, picture) for _ in range(3)]
    refused = next(as_completed(posted)).result()  # the others are held
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    held.set()
    assert sorted(own.result().status_code for own in posted) == [200, 200, 503]
  assert _post(address, picture).status_code == 200


def test_too_much_under_way(serve, picture):
  address = serve(Settings(limits=Limits(bytes_under_way=len(picture) // 2)))
  assert _post(address, picture).status_code == 503
  assert httpx.get(f"{address}/health").status_code == 200


def test_an_answer_that_takes_too_long(serve, picture, held):
  held.set()
  address = serve(Settings(limits=Limits(answering=0.2)))
  held.clear()
  late = _post(address, picture)
  assert late.status_code == 503
  assert late.json()["detail"] == "the answer takes too long; try again"
  held.set()
  assert httpx.get(f"{address}/health").status_code == 200


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
  held.set()
  address = serve(Settings(limits=LIMITS))
  held.clear()
  with pytest.raises(httpx.ReadTimeout):
    httpx.post(f"{address}/v1/predict", files={"file": ("a", picture)}, timeout=0.1)
  while 'jaxdistort_requests_total{path="/v1/predict",status="gone"} 1.0' not in httpx.get(f"{address}/metrics").text:
    pass
  held.set()
  assert _post(address, picture).status_code == 200
