"""What a report's files hold: figures, predictions, charts, a page that stands alone."""

import base64
import csv
import json
import re

import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import open_pictures
from jaxdistort.evaluation import Outcome, Shown, origin_of, report_outcome
from jaxdistort.inference import Description, Recogniser
from jaxdistort.models import NetworkSpec
from jaxdistort.reporting import format_figures, write_evaluation
from tests.metrics.answers import TASK, predictions

_NOTHING = np.nan
_IMAGE, _CLEAN = np.full((32, 32, 3), (200, 30, 90), np.uint8), np.full((32, 32, 3), (20, 130, 90), np.uint8)


def _evaluation(judged, folder, *, data="<photos> & more"):
  """An evaluation of answers that no network gave: three shown, the last the worst mistake."""
  pictures = open_pictures(f"folder:{folder}", "all")
  description = Description(NetworkSpec("tiny", 3, 32), TASK, {"name": "six", "jpeg_quality": 75}, "samples")
  recogniser = Recogniser(description, None, None, folder, 3)
  shown = [Shown(row, _IMAGE, _CLEAN) for row in range(len(judged))]
  origin = origin_of(recogniser, data=data, jpeg_quality=75, split="all", protocol="six")
  return report_outcome(recogniser, Outcome(judged, shown, shown[2:]), pictures, origin)


def _rows(folder):
  return list(csv.DictReader((folder / "predictions.csv").read_text().splitlines()))


@pytest.mark.long
def test_what_is_written_can_be_read(folder_of_photographs, tmp_path):
  judged = predictions(
    [0, 1, 2], [0, 1, 1], levels={("marble.x_scale", ""): [_NOTHING, _NOTHING, 20]}, ssim=[1, 0.5, _NOTHING]
  )
  judged.numbers[:] = [3, 3, 4]
  evaluation = _evaluation(judged, folder_of_photographs)
  write_evaluation(evaluation, tmp_path / "new" / "report")
  folder = tmp_path / "new" / "report"
  found = json.loads((folder / "report.json").read_text())
  assert found == json.loads(json.dumps(evaluation.report.to_dict()))
  assert (found["model"], found["step"], found["trained_jpeg"]) == ("tiny", 3, 75)
  assert list(found["views"]) == ["standard"]
  assert found["views"]["standard"]["accuracy"] == pytest.approx(2 / 3)
  for name in ("examples.png", "confusion_matrix.png", "accuracy_by_ssim.png"):
    with Image.open(folder / name) as picture:
      assert picture.width > 300
      drawn = np.asarray(picture.convert("RGB"))
      assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 20, f"{name} is empty"
    if name == "examples.png":
      assert np.mean(np.all(drawn == (200, 30, 90), axis=-1)) > 0.3  # the examples themselves
  assert not (folder / "accuracy_by_level.png").exists()  # a constant has no levels
  rows = _rows(folder)
  assert [row["slot"] for row in rows] == ["0", "1", "0"]
  assert rows[2]["picture"] == evaluation.pictures.name(4)
  assert (rows[2]["label"], rows[2]["predicted"], rows[2]["marble.x_scale"]) == ("marble", "gaussian_blur", "20")
  assert (rows[1]["ssim"], rows[2]["ssim"], rows[1]["p_gaussian_blur"]) == ("0.5", "", "0.800000")
  assert (rows[0]["label"], rows[0]["p_clean"]) == ("clean", "0.800000")


@pytest.mark.slow
def test_the_page_stands_alone_and_charts_of_before_give_way(folder_of_photographs, tmp_path):
  for left in ("accuracy_by_ssim.png", "accuracy_by_level.svg"):
    (tmp_path / left).write_text("of an earlier evaluation, which could draw it")
  write_evaluation(_evaluation(predictions([0, 1, 2], [0, 1, 1]), folder_of_photographs), tmp_path)
  assert not (tmp_path / "accuracy_by_ssim.png").exists()
  assert not (tmp_path / "accuracy_by_level.svg").exists()
  page = (tmp_path / "report.html").read_text()
  assert "&lt;photos&gt; &amp; more" in page  # nothing given is taken for HTML
  sources = re.findall(r'(?:src|href)="([^"]*)"', page)
  assert len(sources) == 1 + 2  # the confusion matrix; the mistake and its reference
  for source in sources:
    kind, _, content = source.partition(";base64,")
    assert kind in ("data:image/svg+xml", "data:image/jpeg")
    assert len(base64.b64decode(content)) > 200
  assert "called gaussian blur (80 %)" in re.sub(r"</?span[^>]*>", "", page)


def test_figures_as_a_table():
  table = format_figures(TASK.figures(predictions([0, 1, 2], [0, 1, 1])))
  assert "gaussian_blur      0.500   1.000  0.667         1" in table
  assert table.endswith("accuracy 0.6667, loss 0.9163 on 3 pictures")
  assert "within 0.0546 to 0.9454 (95 %)" in format_figures(TASK.figures(predictions([0, 1], [0, 0])))
