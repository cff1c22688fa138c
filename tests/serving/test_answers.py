"""What the server says is what the library says."""

import io
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import jax
import numpy as np
import pytest
from PIL import Image

import jaxdistort
from jaxdistort.distortions import DISTORTIONS, Step, distort_in_turn
from jaxdistort.inference.verdicts import advice_of, record_of
from jaxdistort.serving import Settings
from jaxdistort.serving.schemas import parse_steps
from tests.serving.conftest import LIMITS, as_png


def _pixels(content: bytes) -> np.ndarray:
  return np.asarray(Image.open(io.BytesIO(content)))


@pytest.mark.long
def test_a_verdict_is_the_answer_of_the_library(client, recogniser, photographs):
  spoiled = np.asarray(jaxdistort.distort(photographs[1], "gaussian_noise", severity=0.9, key=jax.random.key(0)))
  (said,) = client.post("/v1/predict", files={"file": ("a b.png", as_png(spoiled))}).json()
  answer = recogniser.predict(spoiled)
  record = json.loads(json.dumps(record_of(answer)))
  assert not said["clean"]
  assert said["path"] == "a b.png"
  assert {name: said[name] for name in record} == record
  assert said["advice"] == advice_of(answer)
  assert said["groups"] == {own.group: round(own.probability, 4) for own in answer.groups}


@pytest.mark.slow
def test_many_at_once_get_their_own_answers(client, recogniser, photographs):
  images = [image[: 40 + 3 * place] for place, image in enumerate(photographs)]
  with ThreadPoolExecutor(8) as pool:
    posted = pool.map(lambda image: client.post("/v1/predict", files={"file": ("a", as_png(image))}), images)
  groups = [response.json()[0]["groups"] for response in posted]
  expected = [{own.group: own.probability for own in answer.groups} for answer in recogniser.predict(images)]
  for said, own in zip(groups, expected, strict=True):
    assert said == pytest.approx(own, abs=2e-4)  # rounded; batches of other pictures round otherwise


def test_several_pictures_and_one_that_is_none(client, picture):
  files = [("file", ("a.png", picture)), ("file", ("b.png", b"no picture")), ("file", ("c.png", picture))]
  first, second, third = client.post("/v1/predict", files=files).json()
  assert second["path"] == "b.png"
  assert "not a picture" in second["error"]
  assert first["error"] is None
  assert first["groups"] == third["groups"]


def test_where(client, recogniser, picture):
  (said,) = client.post("/v1/predict?maps=true", files={"file": ("a", picture)}).json()
  maps = recogniser.locate(_pixels(picture))
  own = said["map"]
  assert (own["rows"], own["columns"]) == maps.centres.shape[:2]
  assert own["probabilities"]["blur"] == [[round(float(p), 4) for p in row] for row in maps.of("blur")]


@pytest.mark.slow
def test_distorts_as_the_library_does(client, photographs, picture):
  steps = [{"kind": "motion_blur", "parameters": {"distance": 5}}, {"kind": "gaussian_noise", "severity": 0.5}]
  response = client.post("/v1/distort", files={"file": ("a", picture)}, data={"steps": json.dumps(steps), "seed": 3})
  assert response.headers["content-type"] == "image/png"
  own = [Step("motion_blur", None, None, {"distance": 5.0}), Step("gaussian_noise", 0.5)]
  assert parse_steps(json.dumps(steps)) == own
  expected = distort_in_turn(photographs[0], own, key=jax.random.key(3))
  np.testing.assert_array_equal(_pixels(response.content), expected)


def test_no_steps_give_the_picture_itself_and_a_size_its_middle(client, photographs):
  tall = photographs[2][:, 8:40]
  whole = client.post("/v1/distort", files={"file": ("a", as_png(tall))})
  np.testing.assert_array_equal(_pixels(whole.content), tall)
  middle = client.post("/v1/distort", files={"file": ("a", as_png(tall))}, data={"size": 512})
  np.testing.assert_array_equal(_pixels(middle.content), tall[16:48])
  shrunk = client.post("/v1/distort", files={"file": ("a", as_png(photographs[2]))}, data={"size": 48})
  assert _pixels(shrunk.content).shape == (48, 48, 3)


@pytest.mark.long
def test_a_sweep(client, recogniser, photographs, picture):
  said = client.post("/v1/sweep", files={"file": ("a", picture)}, data={"kind": "gaussian_noise"}).json()
  assert said["group"] == "noise"
  assert said["recognised"]
  assert said["severities"][-1] == 1
  worst = distort_in_turn(photographs[0], [Step("gaussian_noise", 1.0)], key=jax.random.key(0))
  finding = next(own for own in recogniser.predict(worst).findings if own.kind == "gaussian_noise")
  assert said["probabilities"][-1] == pytest.approx(finding.probability, abs=1e-3)
  assert said["estimated"][-1] == pytest.approx(finding.severity, abs=1e-3)
  assert said["probabilities"][-1] > said["probabilities"][0]
  unknown = client.post("/v1/sweep", files={"file": ("a", picture)}, data={"kind": "twirl"}).json()
  assert not unknown["recognised"]
  assert unknown["probabilities"] is None


def test_kinds_in_the_order_of_physics(client):
  kinds = client.get("/v1/kinds").json()
  assert {own["kind"] for own in kinds} == set(DISTORTIONS)
  names = [own["kind"] for own in kinds]
  assert names.index("defocus_blur") < names.index("camera_noise") < names.index("jpeg")
  jpeg = next(own for own in kinds if own["kind"] == "jpeg")
  assert jpeg["parameters"][0]["name"] == "quality"
  assert jpeg["parameters"][0]["graded"]


def test_health_metrics_and_description(client, picture):
  assert client.get("/health").json() == {"status": "ok", "version": jaxdistort.__version__}
  client.post("/v1/predict", files={"file": ("a", picture)})
  counted = client.get("/metrics").text
  assert 'jaxdistort_requests_total{path="/v1/predict",status="200"}' in counted
  assert "jaxdistort_pictures_together_bucket" in counted
  paths = client.get("/openapi.json").json()["paths"]
  assert {"/v1/predict", "/v1/distort", "/v1/sweep", "/v1/kinds", "/health", "/metrics"} <= set(paths)
  assert {"200", "401", "403", "408", "413", "422", "503"} <= set(paths["/v1/predict"]["post"]["responses"])


def test_the_page_and_what_it_needs(client):
  page = client.get("/")
  assert page.headers["content-type"].startswith("text/html")
  assert "script-src 'self'" in page.headers["content-security-policy"]
  assert client.get("/pages/style.css").headers["content-type"].startswith("text/css")
  for outside in ("../app.py", "%2e%2e/app.py", "..%2fapp.py", "/etc/passwd"):
    assert client.get(f"/pages/{outside}").status_code == 404


def test_pictures_are_kept_if_asked_for_and_only_then(serve, picture, tmp_path, client):
  address = serve(Settings(keep=str(tmp_path / "kept"), limits=LIMITS))
  response = httpx.post(f"{address}/v1/predict", files={"file": ("../../evil", picture)}, timeout=120)
  assert response.json()[0]["path"] == "evil" or response.json()[0]["path"] == "../../evil"
  (kept,) = (tmp_path / "kept").iterdir()
  assert kept.read_bytes() == picture
  assert [own.name for own in tmp_path.iterdir()] == ["kept"]


@pytest.mark.slow
def test_a_token(serve, picture):
  address = serve(Settings(token="secret", limits=LIMITS))
  files = {"file": ("a", picture)}
  assert httpx.get(f"{address}/health").status_code == 200
  for path in ("/health?token=wrong", "/?token=wrong", "/health"):
    assert "secret" not in str(httpx.get(f"{address}{path}").headers)
  for path in ("/", "/metrics", "/v1/kinds", "/pages/style.css"):
    assert httpx.get(f"{address}{path}").status_code == 401
  for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "secret"}, {"Cookie": "jaxdistort_token=x"}):
    response = httpx.post(f"{address}/v1/predict", files=files, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
  good = httpx.post(f"{address}/v1/predict", files=files, headers={"Authorization": "Bearer secret"}, timeout=120)
  assert good.status_code == 200
  with httpx.Client(base_url=address, follow_redirects=True) as browser:
    page = browser.get("/?token=secret")
    assert page.status_code == 200
    assert "token" not in str(page.url)
    assert browser.get("/v1/kinds").status_code == 200
