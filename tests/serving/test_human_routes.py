"""The human test as a part of the server."""

import httpx
import pytest

from jaxdistort.errors import InputError
from jaxdistort.serving import Settings, create_app
from tests.serving.conftest import LIMITS


@pytest.mark.long
def test_a_server_with_a_human_test(serve, folder_of_photographs, tmp_path):
  told = {"human_data": folder_of_photographs, "human_answers": str(tmp_path / "answers.sqlite"), "human_count": 3}
  address = serve(Settings(limits=LIMITS, **told))
  with httpx.Client(base_url=address, timeout=300) as client:
    assert client.get("/human").status_code == 200
    person = client.post("/v1/human/people").json()["person"]
    for done in range(3):
      turn = client.get("/v1/human/next", params={"person": person}).json()
      assert (turn["done"], turn["of"]) == (done, 3)
      assert client.get(turn["picture"]).headers["content-type"] == "image/png"
      given = {"person": person, "question": turn["question"], "kind": "clean", "level": None, "seconds": 1.0}
      assert client.post("/v1/human/answers", json=given).status_code == 204
      assert client.post("/v1/human/answers", json=given).status_code == 409
    assert client.get("/v1/human/next", params={"person": person}).json()["question"] is None
    bad = client.post(
      "/v1/human/answers", content=b'{"person": "\\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert bad.status_code == 422


def test_a_folder_without_pictures(recogniser, tmp_path):
  with pytest.raises(InputError):
    create_app(recogniser, Settings(human_data=str(tmp_path), human_answers=str(tmp_path / "a.sqlite")))


def test_without_one_there_is_none(client):
  assert client.get("/human").status_code == 404
