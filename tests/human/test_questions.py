"""The questions of a test, and what it shows."""

import io
import json
import shutil
from collections import Counter
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

import jaxdistort
from jaxdistort.distortions.severities import KADID10K
from jaxdistort.errors import InputError
from jaxdistort.human import HumanTest, Questionnaire, make_test
from jaxdistort.protocols import PROTOCOLS
from jaxdistort.tasks import CLEAN


def test_the_same_folder_and_arguments_make_the_same_test(folder_of_photographs, tmp_path):
  folder = Path(folder_of_photographs)
  own = make_test(folder, count=12, seed=5).questionnaire
  elsewhere = make_test(Path(shutil.copytree(folder, tmp_path / "elsewhere")), count=12, seed=5).questionnaire
  assert own == elsewhere
  assert own == Questionnaire.from_dict(json.loads(json.dumps(own.to_dict())))
  assert own.questions != make_test(folder, count=12, seed=6).questionnaire.questions


def test_kinds_and_levels_come_evenly_and_a_sixth_is_clean(folder_of_photographs):
  kinds = ("gaussian_blur", "jpeg", "gaussian_noise", "sharpen")
  questions = make_test(Path(folder_of_photographs), count=48, kinds=kinds).questionnaire.questions
  assert Counter(question.kind for question in questions) == {CLEAN: 8, **dict.fromkeys(kinds, 10)}
  assert Counter(question.level for question in questions) == dict.fromkeys(range(6), 8)
  assert {(q.kind, q.level) for q in questions if q.level} == {(kind, n) for kind in kinds for n in range(1, 6)}
  assert all(not question.choices for question in questions)
  assert max(Counter(question.picture for question in questions).values()) <= 2  # of 38 pictures
  assert [q.kind for q in questions[:8]] != [CLEAN] * 8


def test_the_kinds_are_those_of_the_wild_unless_given(folder_of_photographs):
  own = make_test(Path(folder_of_photographs), count=60).questionnaire
  assert own.kinds == PROTOCOLS["wild"]().kinds
  assert own.groups["noise"] == ["gaussian_noise", "camera_noise", "shot_noise", "impulse_noise"]
  assert list(own.groups) == ["blur", "noise", "coding", "light", "colour", "resolution", "processing"]
  assert own.answers_to(0) == (CLEAN, *own.kinds)


def test_four_types_of_kadid_may_be_chosen_and_nothing_is_unchanged(folder_of_photographs):
  own = make_test(Path(folder_of_photographs), count=121, mode="choice").questionnaire
  assert own.kinds == tuple(KADID10K.entries)
  expected = {
    (kind, level) for kind, entry in KADID10K.entries.items() for level in range(1, 6) if level not in entry.unchanged
  }
  assert {(question.kind, question.level) for question in own.questions} == expected
  assert all(len(set(question.choices)) == 4 and question.kind in question.choices for question in own.questions)
  assert len({question.choices.index(question.kind) for question in own.questions}) == 4
  assert own.answers_to(3) == own.questions[3].choices


def test_what_cannot_be_shown_is_left_out(folder_of_photographs):
  folder = Path(folder_of_photographs)
  Image.new("RGB", (31, 90), "red").save(folder / "tiny.png")
  Image.new("L", (90, 90), 99).save(folder / "grey.png")
  shown = {question.picture for question in make_test(folder, count=80).questionnaire.questions}
  assert not shown & {"tiny.png", "grey.png", "truncated.png", "empty.jpg"}
  assert "more/photo_37.png" in shown
  without_colours = make_test(folder, count=80, kinds=["jpeg"]).questionnaire.questions
  assert "grey.png" in {question.picture for question in without_colours}


@pytest.mark.slow
def test_a_picture_is_its_middle_square_distorted(tmp_path, photographs):
  wide = np.concatenate([photographs[0], photographs[1], photographs[2]], axis=1)
  Image.fromarray(wide).save(tmp_path / "wide.png")
  test = make_test(tmp_path, count=6, seed=2, kinds=["gaussian_noise"])
  for number, question in enumerate(test.questionnaire.questions):
    expected = photographs[1]
    if question.kind != CLEAN:
      key = jax.random.fold_in(jax.random.key(2), number)
      expected = jaxdistort.distort(expected, question.kind, severity=question.level / 5, key=key)
    np.testing.assert_array_equal(test.pixels(number), expected)


@pytest.mark.slow
def test_a_picture_of_kadid_has_its_levels(tmp_path, photographs):
  Image.fromarray(photographs[1]).save(tmp_path / "own.png")
  kinds = ["jpeg", "lens_blur", "brighten", "quantisation"]
  test = make_test(tmp_path, count=4, mode="choice", kinds=kinds)
  number, question = next((n, q) for n, q in enumerate(test.questionnaire.questions) if q.kind == "brighten")
  expected = jaxdistort.distort(photographs[1], "brighten", severity=question.level, source="kadid10k")
  np.testing.assert_array_equal(test.pixels(number), expected)


@pytest.mark.slow
def test_a_png_holds_pixels_alone_and_at_most_512(tmp_path):
  noise = np.random.default_rng(0).integers(0, 256, (700, 800, 3), np.uint8)
  Image.fromarray(noise).save(tmp_path / "a secret.png", dpi=(99, 99))
  test = make_test(tmp_path, count=1, kinds=["jpeg"])
  content = test.png(0)
  picture = Image.open(io.BytesIO(content))
  assert picture.size == (512, 512)
  assert picture.info == {}
  assert content.count(b"IDAT") >= 1
  assert not any(chunk in content[:200] for chunk in (b"tEXt", b"iTXt", b"eXIf", b"tIME", b"pHYs"))
  assert test.png(0) is content


def test_other_pictures_are_told(folder_of_photographs, tmp_path):
  folder = Path(folder_of_photographs)
  own = make_test(folder, count=9).questionnaire
  assert HumanTest(folder, own).questionnaire == own
  with pytest.raises(InputError, match=r"its pictures are not those of the test \(changed, missing"):
    HumanTest(tmp_path / "nowhere", own)
  shutil.copy(folder / own.questions[0].picture, folder / own.questions[1].picture)
  with pytest.raises(InputError, match="its pictures are not those of the test"):
    HumanTest(folder, own)


@pytest.mark.parametrize(
  ("options", "said"),
  [
    ({"mode": "guess"}, "mode: 'guess' is not one of naming, choice"),
    ({"kinds": ["blurr"]}, "kind: 'blurr' is not one of"),
    ({"kinds": ["jpeg", "jpeg"]}, "kinds: expected at least 1 different ones, got jpeg, jpeg"),
    ({"kinds": ["jpeg", "denoise"], "mode": "choice"}, "kinds: expected at least 4 different ones"),
    ({"count": 0}, "questions: expected at least 1, got 0"),
  ],
)
def test_what_makes_no_test_is_told_in_a_line(folder_of_photographs, options, said):
  with pytest.raises(InputError, match=said):
    make_test(Path(folder_of_photographs), **options)


def test_a_folder_without_pictures_is_told(tmp_path):
  with pytest.raises(InputError, match="no coloured pictures of at least 32 x 32 px there that can be read"):
    make_test(tmp_path)
  with pytest.raises(InputError, match="expected a folder of clean pictures"):
    make_test(tmp_path / "nowhere")


@pytest.mark.parametrize("values", [{}, {"mode": "naming"}, {"questions": [1]}, []])
def test_what_is_no_questionnaire_is_told(values):
  with pytest.raises(ValueError, match="no questionnaire"):
    Questionnaire.from_dict(values)
