"""Evaluation on labelled pictures: both tasks by hand, and a network from the table to the report."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.special import logit

import jaxdistort
from jaxdistort.data import open_labelled
from jaxdistort.errors import InputError
from jaxdistort.evaluation import Verdicts, evaluate_on_labelled
from jaxdistort.evaluation.labelled import figures_on_labelled
from jaxdistort.reporting import format_figures, read_judgements, write_evaluation
from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.tasks import Classification, LabelSpace, Recognition

_LABELS = LabelSpace(("gaussian_blur", "defocus_blur", "jpeg"), ("blur", "blur", "coding"))


def _set(folder: Path, rows: dict[str, str], *, head="path,kinds,severity,group,scene") -> Path:
  """Noisy pictures of 40 x 48 px, a row for each (what stands behind its path)."""
  for seed, name in enumerate(rows):
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 48, 3), np.uint8)
    Image.fromarray(pixels).save(folder / name)
  file = folder / "labels.csv"
  file.write_text("\n".join((head, *(f"{name},{cells}" for name, cells in rows.items()))) + "\n")
  return file


def _figures(file, task, scores, unclear=()):
  pictures, unknown = open_labelled(f"labelled:{file}"), np.full(len(scores), np.nan)
  told = {"pad": np.array(scores, np.float32)}, {"pad": np.isin(np.arange(len(scores)), unclear)}
  verdicts = Verdicts(np.arange(len(scores)), *told, unknown, unknown, {}, {})
  return figures_on_labelled(pictures, verdicts, "pad", task)


def _values(*shares):
  return [None if share is None else (round(share.value, 3), share.pictures) for share in shares]


def test_where_nothing_can_be_told_nothing_is_found(tmp_path):
  rows = {"a.png": "jpeg", "b.png": "jpeg", "c.png": "", "d.png": ""}
  answers = np.array([[0.1, 0, 0, 0.9], [0.1, 0, 0, 0.9], [0.9, 0, 0, 0.1], [0.9, 0, 0, 0.1]])
  figures, _ = _figures(
    _set(tmp_path, rows, head="path,kinds"), Classification(_LABELS), np.log(answers + 1e-6), unclear=(1, 3)
  )
  assert _values(figures.whole.clean, figures.whole.groups["coding"].found) == [(0.5, 2), (0.5, 2)]


def test_a_classification_by_hand(tmp_path):
  rows = {"a.png": "gaussian_blur", "b.png": "motion_blur", "c.png": "defocus_blur;jpeg", "d.png": "", "e.png": "clean"}
  answers = np.array([[0.1, 0.2, 0.6, 0.1], [0, 0.1, 0.9, 0], [0.1, 0.1, 0.1, 0.7], [1, 0, 0, 0], [0.2, 0.1, 0, 0.7]])
  figures, mistakes = _figures(_set(tmp_path, rows, head="path,kinds"), Classification(_LABELS), np.log(answers + 1e-6))
  whole = figures.whole
  assert figures.subsets == {}
  assert _values(whole.accuracy, whole.clean) == [(0.6, 5), (0.5, 2)]
  assert _values(whole.groups["blur"].found, whole.groups["blur"].false_alarms) == [(0.667, 3), (0, 2)]
  assert _values(whole.groups["coding"].found, whole.groups["coding"].false_alarms) == [(1, 1), (0.25, 4)]
  assert _values(whole.kinds["gaussian_blur"].recall, whole.kinds["gaussian_blur"].precision) == [(0, 1), None]
  assert _values(whole.kinds["defocus_blur"].precision) == [(0, 1)]  # whether b.png has it, nobody knows
  assert whole.kinds["jpeg"].severity_error is None
  assert whole.confusion == {
    "gaussian_blur": {"defocus_blur": 1},
    "defocus_blur": {"nothing": 1},
    "motion_blur": {"defocus_blur": 1},
    "jpeg": {"jpeg": 1},
  }
  assert [(m.name, m.truth, m.answer) for m in mistakes] == [
    ("c.png", "defocus_blur;jpeg", "jpeg"),  # blur is missed surely, jpeg found on e.png less so
    ("e.png", "clean", "jpeg"),
  ]
  assert mistakes[1].probabilities == {"jpeg": pytest.approx(0.7, abs=1e-3)}
  assert mistakes[0].image.size == (48, 40)


def test_a_recognition_by_hand(tmp_path):
  rows = {
    "a.png": "gaussian_blur;jpeg,0.5;0.75,x,1",
    "b.png": "gaussian_blur,1,x,1",
    "c.png": "blur,,y,2",
    "d.png": ",,y,2",
  }
  probabilities = [  # of kinds, severities, groups
    [0.8, 0.6, 0.9, 0.4, 0.5, 0.5, 0.9, 0.9],
    [0.3, 0.55, 0.1, 0.5, 0.5, 0.5, 0.7, 0.1],
    [0.1, 0.2, 0.1, 0.5, 0.5, 0.5, 0.3, 0.1],
    [0.6, 0.2, 0.1, 0.5, 0.5, 0.5, 0.6, 0.1],
  ]
  figures, mistakes = _figures(_set(tmp_path, rows), Recognition(_LABELS), logit(probabilities))
  whole = figures.whole
  assert (whole.pictures, whole.scenes, list(figures.subsets)) == (4, 2, ["x", "y"])
  assert _values(whole.accuracy, whole.clean) == [(0.5, 4), (0, 1)]
  assert _values(whole.groups["blur"].found, whole.groups["blur"].false_alarms) == [(0.667, 3), (1, 1)]
  blur = whole.kinds["gaussian_blur"]
  assert _values(blur.recall, blur.precision) == [(0.5, 2), (0.5, 2)]
  assert (blur.severity_error, blur.severity_rank_correlation) == (pytest.approx(0.3), pytest.approx(1))
  assert whole.kinds["jpeg"].severity_error == pytest.approx(0.25)
  assert whole.confusion == {
    "gaussian_blur": {"gaussian_blur": 1, "defocus_blur": 1},
    "blur": {"nothing": 1},
    "jpeg": {"jpeg": 1},
  }
  assert _values(figures.subsets["x"].groups["blur"].false_alarms, figures.subsets["y"].clean) == [None, (0, 1)]
  assert [(mistake.name, mistake.details) for mistake in mistakes] == [
    ("c.png", ("y", "groups found: none")),
    ("d.png", ("y", "groups found: blur")),
  ]
  table = format_figures(figures)
  assert table.startswith("all pictures: 4 pictures of 2 scenes\n")
  assert "\n\ny: 2 pictures of 1 scenes\n" in table
  assert "\nblur           " in table
  assert " 66.7% of    3 (" in table


@pytest.fixture(scope="module")
def recogniser(untrained):
  return jaxdistort.load(untrained / "variable", sharding=replicated(create_mesh()))


@pytest.mark.slow
def test_from_the_table_to_the_report(recogniser, tmp_path):
  rows = {"a.png": "gaussian_blur,,<x>,1", "b.png": "noise,,<x>,1", "c.png": ",,,2", "d.png": "jpeg,,,", "e.png": ",,,"}
  file = _set(tmp_path, rows)
  (tmp_path / "e.png").write_bytes(b"no picture")
  file.write_text(file.read_text() + "missing.png,motion_blur,,,\n")
  evaluation = evaluate_on_labelled(recogniser, f"labelled:{file}", workers=0, batch_size=8)
  origin = evaluation.report.origin
  assert list(evaluation.report.views) == [recogniser.description.view]  # nothing was asked
  assert (origin.database, origin.broken, origin.jpeg_quality) == (f"{tmp_path.name}/labels.csv", 2, 0)
  assert origin.labels == {"gaussian_blur": "gaussian_blur", "noise": "noise", "motion_blur": "blur"}
  assert [problem.removeprefix(f"{tmp_path}/") for problem in origin.problems] == [
    "left out: 1 of 6 pictures, since the network knows neither jpeg nor a group of it",
    "e.png: not a picture that can be identified",
    "missing.png: No such file or directory",
  ]
  assert evaluation.report.figures.pictures == 3
  answer = recogniser.predict(tmp_path / "c.png")
  assert evaluation.report.figures.whole.clean.value == answer.clean

  output = tmp_path / "report"
  write_evaluation(evaluation, output)
  assert json.loads((output / "report.json").read_text()) == json.loads(json.dumps(evaluation.report.to_dict()))
  table = list(csv.DictReader((output / "predictions.csv").read_text().splitlines()))
  assert [(row["picture"], row["group"], row["scene"], row["kinds"], row["label"]) for row in table] == [
    ("a.png", "<x>", "1", "gaussian_blur", "blur"),
    ("b.png", "<x>", "1", "noise", "noise"),
    ("c.png", "", "2", "clean", "clean"),
  ]
  assert float(table[2]["p_clean"]) == pytest.approx(answer.probability_clean, abs=1e-4)
  page = (output / "report.html").read_text()
  assert "&lt;x&gt;" in page  # nothing given is taken for HTML
  for title in ("pictures with it", "false alarms", "3 amiss in the data", f"View {recogniser.description.view}"):
    assert title in page
  (judgement,) = read_judgements([output])  # whoever compares runs can read it
  assert judgement.in_words == f"{tmp_path.name}/labels.csv, {recogniser.description.view}"


def test_none_that_can_be_read_is_an_error(recogniser, tmp_path):
  file = _set(tmp_path, {})
  file.write_text("path,kinds\nnowhere.png,blur\n")
  message = r"none of the 1 pictures of .*/labels.csv can be read, such as .*/nowhere.png: No such file or directory"
  with pytest.raises(InputError, match=message):
    evaluate_on_labelled(recogniser, f"labelled:{file}", workers=0)
  with pytest.raises(InputError, match="view: 'pads' is not one of"):
    evaluate_on_labelled(recogniser, f"labelled:{file}", views=("pads",))
