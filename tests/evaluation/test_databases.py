"""Evaluation on databases: every picture once, whatever its size; every view as done by hand."""

import csv
import dataclasses
import json
import shutil

import jax
import numpy as np
import pytest

import jaxdistort
from jaxdistort.data import VIEWS, Seen, open_pictures, read_picture
from jaxdistort.errors import InputError
from jaxdistort.evaluation import evaluate_on_database
from jaxdistort.models import run_network
from jaxdistort.reporting import write_evaluation
from jaxdistort.runtime.mesh import create_mesh, replicated
from tests.data import miniatures
from tests.data.heard import Heard


@pytest.fixture(scope="module")
def recogniser(untrained):
  return jaxdistort.load(untrained / "variable", sharding=replicated(create_mesh()))


@pytest.fixture(scope="module")
def live(tmp_path_factory):
  root = miniatures.build_live(tmp_path_factory.mktemp("databases") / "live")
  (root / "wn" / "img1.bmp").write_bytes(b"BM no picture")
  return root


def _rows(folder):
  return list(csv.DictReader((folder / "predictions.csv").read_text().splitlines()))


@pytest.mark.long
def test_pictures_of_the_training_are_told(recogniser, live):
  """A network that was trained on the references has seen their distorted copies too."""
  seen = Seen.of([open_pictures(f"folder:{live / 'refimgs'}", "all")])
  knowing = dataclasses.replace(recogniser, seen=seen)
  evaluation = evaluate_on_database(knowing, f"live:{live}", workers=0, jpeg_quality=0)
  assert evaluation.report.origin.seen == 22
  assert evaluation.report.origin.problems[0].startswith(
    "22 of these pictures, or their originals, served the training"
  )
  assert evaluate_on_database(recogniser, f"live:{live}", workers=0, jpeg_quality=0).report.origin.seen == 0


@pytest.mark.long
def test_a_report_on_live(recogniser, live, tmp_path):
  heard, views = Heard(), ("pad", "patches")
  evaluation = evaluate_on_database(
    recogniser, f"live:{live}", views=views, batch_size=24, workers=0, jpeg_quality=0, progress=heard
  )
  assert heard.bars == [("evaluating", "picture", 22, 22)]
  write_evaluation(evaluation, tmp_path)
  report = json.loads((tmp_path / "report.json").read_text())
  assert report == json.loads(json.dumps(evaluation.report.to_dict()))
  assert (report["database"], report["protocol"], report["broken"]) == ("LIVE release 2", "", 1)
  assert "wn/img1.bmp" in report["problems"][0]
  rows = _rows(tmp_path)
  assert len(rows) == 2 * (2 + 19)
  assert list(report["views"]) == list(views)
  for view, figures in evaluation.report.views.items():
    assert figures.pictures == 2 + 4 + 3  # references, blurred, noisy
    mine = [row for row in rows if row["view"] == view]
    right = [row["label"] == row["predicted"] for row in mine if row["label"]]
    assert figures.accuracy == pytest.approx(np.mean(right))
    assert {kind: row.pictures for kind, row in figures.unlabelled.items()} == {"jp2k": 4, "jpeg": 4, "fastfading": 4}
    for row in figures.unlabelled.values():
      assert sum(row.answers.values()) == pytest.approx(1)
    assert sum(b.pictures for b in figures.accuracy_by_score) == 7  # people judged no reference
    assert figures.accuracy_by_level["gblur"].unit == "standard deviation, px"
    for chart in ("confusion_matrix", "accuracy_by_ssim", "accuracy_by_level", "accuracy_by_score"):
      assert (tmp_path / f"{chart}_{view}.png").exists()
      assert (tmp_path / f"{chart}_{view}.svg").exists()
  assert "View patches" in (tmp_path / "report.html").read_text()

  picture = read_picture(live / "gblur" / "img5.bmp")
  for view in views:
    tiles = jax.numpy.asarray(VIEWS[view](picture, 32).images)
    logits, _ = run_network(recogniser.structure, recogniser.variables, tiles)
    mean = np.exp(np.asarray(jax.nn.log_softmax(logits)).mean(0))
    row = next(row for row in rows if row["view"] == view and row["picture"] == "gblur/img5.bmp")
    assert float(row["p_gaussian_blur"]) == pytest.approx(mean[1] / mean.sum(), abs=1e-4)
    assert (row["reference"], row["level"], row["score"]) == ("coinsinfountain", "2.51039", "22.5")


@pytest.mark.long
def test_a_jpeg_step_before_the_network_is_judged_with_it(recogniser, live):
  """The training had none, and without another word there is none."""
  scores = {
    quality: evaluate_on_database(recogniser, f"live:{live}", batch_size=24, workers=0, jpeg_quality=quality).verdicts
    for quality in (None, 0, 10)
  }
  np.testing.assert_array_equal(scores[None].scores["pad"], scores[0].scores["pad"])
  assert not np.allclose(scores[10].scores["pad"], scores[0].scores["pad"])


@pytest.mark.slow
def test_some_of_lives_folders_are_judged_and_the_others_named(recogniser, live, tmp_path):
  """The study used two of them."""
  root = shutil.copytree(live, tmp_path / "live")
  for kind in ("jp2k", "jpeg", "fastfading"):
    shutil.rmtree(root / kind)
  evaluation = evaluate_on_database(recogniser, f"live:{root}", batch_size=24, workers=0)
  figures = evaluation.report.figures
  assert (figures.pictures, figures.unlabelled) == (9, {})
  missing = [problem for problem in evaluation.report.origin.problems if problem.startswith("no folder ")]
  assert [problem.split(":")[0] for problem in missing] == ["no folder jp2k", "no folder jpeg", "no folder fastfading"]


@pytest.mark.long
def test_levels_that_change_nothing_stand_beside(recogniser, tmp_path):
  root = miniatures.build_kadid(tmp_path / "kadid")
  evaluation = evaluate_on_database(
    recogniser, f"kadid10k:{root}", views=("center", "center"), batch_size=24, workers=0
  )
  assert list(evaluation.report.views) == ["center"]
  figures = evaluation.report.figures
  assert figures.without_unchanged["pictures"] == figures.pictures - 1  # the network knows Gaussian blur only
  write_evaluation(evaluation, tmp_path / "out")
  assert "Without the levels that change nothing" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.slow
def test_what_cannot_be_judged_is_reported(recogniser, live, tmp_path):
  with pytest.raises(InputError, match=r"view: 'patch' is not one of pad, .*; did you mean 'patches'"):
    evaluate_on_database(recogniser, f"live:{live}", views=("patch",))
  root = shutil.copytree(live, tmp_path / "live")
  distorted = [path for path in root.rglob("*.bmp") if path.parent.name != "refimgs"]
  kept = {path: path.read_bytes() for path in distorted if path.stem == "img2" and path.parent.name == "gblur"}
  for path in distorted:
    path.write_bytes(b"BM no picture")
  message = f"{root}: none of the 20 distorted pictures of LIVE release 2 can be read, such as "
  with pytest.raises(InputError, match=message):  # the references alone would be no verdict
    evaluate_on_database(recogniser, f"live:{root}", workers=0)
  for path, content in kept.items():
    path.write_bytes(content)
  problems = evaluate_on_database(recogniser, f"live:{root}", workers=0).report.origin.problems
  assert problems[0] == "only 3 of 22 pictures can be read: all figures are of those"
  for path in root.rglob("*.bmp"):
    path.write_bytes(b"BM no picture")
  with pytest.raises(InputError, match=f"{root}: none of the 22 pictures of LIVE release 2 can be read"):
    evaluate_on_database(recogniser, f"live:{root}", workers=0)
