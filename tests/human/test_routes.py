"""A test over HTTP, from the first question to the report."""

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="needs the extra serve")
import httpx
from fastapi import FastAPI

from jaxdistort.human import Store, make_test, read_store
from jaxdistort.serving.human import human_router


class _Client:
  """Asks an application in this process."""

  def __init__(self, app):
    self._app = app

  def _ask(self, *request, **options):
    async def ask():
      async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://test") as client:
        return await client.request(*request, **options)

    return asyncio.run(ask())

  def get(self, path, **options):
    return self._ask("GET", path, **options)

  def post(self, path, **options):
    return self._ask("POST", path, **options)


@pytest.fixture(params=["naming", "choice"])
def served(request, folder_of_photographs, tmp_path):
  """A client, and the test that it takes: mostly of JPEG, which is quick to compile."""
  kinds = ["jpeg"] if request.param == "naming" else ["jpeg", "brighten", "mean_shift", "quantisation"]
  test = make_test(Path(folder_of_photographs), count=7, mode=request.param, kinds=kinds)
  app = FastAPI()
  with Store(tmp_path / "answers.sqlite", test.questionnaire) as store:
    app.include_router(human_router(test, store))
    yield _Client(app), test


def _answer(somebody, turn, **changes):
  kind = "jpeg" if turn["mode"] == "naming" else turn["choices"][0]
  return {"person": somebody, "question": turn["question"], "kind": kind, "level": 2, "seconds": 3.5} | changes


@pytest.mark.long
def test_a_test_can_be_finished(served, tmp_path):
  client, test = served
  person = client.post("/v1/human/people").json()["person"]
  shown, ahead = [], None
  while (turn := client.get("/v1/human/next", params={"person": person}).json())["question"] is not None:
    assert (turn["done"], turn["of"], turn["levels"]) == (len(shown), 7, 5)
    assert turn["mode"] == test.questionnaire.mode
    if turn["mode"] == "naming":
      assert turn["groups"] == {"coding": ["jpeg"]}
      assert "choices" not in turn
    else:
      assert tuple(turn["choices"]) == test.questionnaire.questions[turn["question"]].choices
      assert "groups" not in turn
    assert not shown or turn["picture"] == ahead
    ahead = turn["ahead"]
    assert turn["picture"].startswith(f"/v1/human/pictures/{turn['question']}.png")
    picture = client.get(turn["picture"])
    assert picture.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(picture.content)).size == (48, 48)
    shown.append(turn["question"])
    assert client.post("/v1/human/answers", json=_answer(person, turn)).status_code == 204
  assert turn == {"question": None, "done": 7, "of": 7}
  assert sorted(shown) == list(range(7))
  kept, given = read_store(tmp_path / "answers.sqlite")
  assert kept == test.questionnaire
  assert [own.question for own in given] == shown


def test_what_cannot_be_is_refused(served):
  client, _ = served
  person = client.post("/v1/human/people").json()["person"]
  turn = client.get("/v1/human/next", params={"person": person}).json()

  def status(**changes):
    return client.post("/v1/human/answers", json=_answer(person, turn, **changes)).status_code

  assert status(person="nobody") == 404
  assert status(question=7) == status(question=-1) == status(question=10**30) == 404
  assert status(kind="fog") == status(kind="x" * 100) == status(level=0) == status(level=6) == status(level=None) == 422
  assert status(seconds=-1) == status(seconds="x") == status(seconds=1e30) == 422
  assert status(kind="clean", level=None) == (204 if turn["mode"] == "naming" else 422)
  assert status() == (409 if turn["mode"] == "naming" else 204)
  assert status() == 409
  assert client.get("/v1/human/next", params={"person": "nobody"}).status_code == 404
  assert client.get("/v1/human/next").status_code == 422
  assert client.get("/v1/human/next", params={"person": "x" * 65}).status_code == 422
  for number in ("7", "-1", "9" * 400):
    assert client.get(f"/v1/human/pictures/{number}.png").status_code == 404
  assert client.get("/v1/human/pictures/x.png").status_code == 422
