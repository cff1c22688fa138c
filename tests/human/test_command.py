"""People beside a recogniser, on the command line."""

import json
from pathlib import Path

import pytest

from jaxdistort.cli import dispatch
from jaxdistort.errors import InputError
from jaxdistort.human import Given, Store, make_test
from tests.inference.recognisers import small_recogniser


@pytest.fixture
def answered(folder_of_photographs, tmp_path):
  """A file of answers to a test of JPEG and a blur that nobody's network of `pairs` knows, and its folder."""
  folder = Path(folder_of_photographs)
  test = make_test(folder, count=6, kinds=["gaussian_blur", "jpeg"])
  with Store(tmp_path / "answers.sqlite", test.questionnaire) as store:
    person = store.add_person()
    for number, question in enumerate(test.questionnaire.questions):
      store.add(Given(person, number, question.kind, question.level or None, 4.0))
  return tmp_path / "answers.sqlite", folder


def test_people_alone(answered, tmp_path, capsys):
  answers, _ = answered
  dispatch(["human-report", str(answers), "--output", str(tmp_path / "report")])
  told = capsys.readouterr().out
  assert "6 answers to 6 of 6 questions; people: 1, of whom finished: 1." in told
  record = json.loads((tmp_path / "report" / "report.json").read_text())
  assert record["overall"]["people"]["kind"]["value"] == 1
  assert record["overall"]["people"]["both"]["value"] == 1
  assert set(record["overall"]) == {"people", "majority"}
  assert (tmp_path / "report" / "report.md").read_text() in told


@pytest.mark.long
def test_the_recogniser_gets_the_same_pictures(answered, tmp_path, capsys):
  answers, folder = answered
  model = small_recogniser(tmp_path).save(tmp_path / "model.safetensors")
  words = [str(answers), "--data", str(folder), "--checkpoint", str(model), "--output", str(tmp_path / "report")]
  dispatch(["human-report", *words])
  record = json.loads((tmp_path / "report" / "report.json").read_text())
  assert record["unknown"] == ["jpeg"]
  assert record["overall"]["recogniser"]["kind"]["of"] == 6
  assert record["known"]["recogniser"]["kind"]["of"] == 6 - record["by_kind"]["jpeg"]["people"]["kind"]["of"]
  assert "Without what the recogniser cannot name (jpeg):" in capsys.readouterr().out


def test_what_cannot_be_used_is_told(answered, tmp_path):
  answers, _ = answered
  with pytest.raises(InputError, match="no such file"):
    dispatch(["human-report", str(tmp_path / "none.sqlite")])
  with pytest.raises(InputError, match="its pictures are not those of the test"):
    dispatch(["human-report", str(answers), "--data", str(tmp_path)])
  with pytest.raises(InputError, match="--checkpoint is of no use without --data"):
    dispatch(["human-report", str(answers), "--checkpoint", "x"])
