"""A scan on a Ray cluster of two workers gives the rows of one process, also where one of them is killed."""

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from jaxdistort.scanning import scan
from tests.inference.recognisers import small_recogniser

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def model(tmp_path):
  return small_recogniser(tmp_path).save(tmp_path / "model.safetensors")


@pytest.fixture
def folder(photographs, tmp_path):
  folder = tmp_path / "photos"
  folder.mkdir()
  for number in range(150):
    Image.fromarray(photographs[number % len(photographs)]).rotate(number).save(folder / f"{number:03}.png")
  (folder / os.fsdecode(b"caf\xe9.png")).write_bytes((folder / "000.png").read_bytes())
  (folder / "broken.jpg").write_bytes(b"no picture")
  return folder


def _workers():
  """Process numbers of the actors that judge."""
  found = []
  for place in Path("/proc").glob("[0-9]*/cmdline"):
    with suppress(OSError):
      if b"ray::MapWorker" in place.read_bytes():
        found.append(int(place.parent.name))
  return found


@pytest.mark.parametrize("killed", [False, True])
def test_the_rows_of_one_process(model, folder, tmp_path, killed):
  from jaxdistort.inference import load
  from jaxdistort.scanning.cluster import judge_on_ray

  recogniser = load(model)
  scan(recogniser, folder, tmp_path / "here.jsonl")

  def judge(names):
    judged = judge_on_ray(str(folder), names, checkpoint=str(model), address="local", workers=2)
    for place, own in enumerate(judged):
      if killed and place == 0:
        while not (pids := _workers()):
          time.sleep(0.1)
        os.kill(pids[-1], signal.SIGKILL)
      yield own

  scan(recogniser, folder, tmp_path / "there.jsonl", judge=judge)
  one, other = (list(map(json.loads, (tmp_path / name).open())) for name in ("here.jsonl", "there.jsonl"))
  assert [(row["path"], row.get("error")) for row in one] == [(row["path"], row.get("error")) for row in other]
  for here, there in zip(one, other, strict=True):  # programs of tests are compiled otherwise than those of workers
    assert here.get("probabilities", {}) == pytest.approx(there.get("probabilities", {}), abs=1e-3)
