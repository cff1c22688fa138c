"""The figures of people whose every answer is known."""

import json
import math

import numpy as np
import pytest

from jaxdistort.human import Given, make_report
from jaxdistort.human.agreement import interval, krippendorff_alpha, nominal
from jaxdistort.human.judges import Reply, majority, reply_of
from jaxdistort.human.report import MAJORITY, PEOPLE, Share
from jaxdistort.human.tables import format_report
from jaxdistort.metrics.bootstrap import wilson_interval
from jaxdistort.tasks import Answer, Finding, GroupFinding
from tests.human.simulated import choosing, naming, person

# Four observers of twelve units, of the source's own example; 0: not observed.
_OBSERVED = np.array(
  [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
    [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
  ]
)


def test_alpha_is_that_of_its_source():
  units = [[int(value) for value in unit if value] for unit in _OBSERVED.T]
  assert krippendorff_alpha(units, nominal) == pytest.approx(0.743, abs=5e-4)
  assert krippendorff_alpha(units, interval) == pytest.approx(0.849, abs=5e-4)


def test_alpha_is_one_where_all_agree_and_about_zero_by_chance():
  assert krippendorff_alpha([["a", "a"], ["b", "b", "b"], ["c"]], nominal) == 1
  rng = np.random.default_rng(0)
  assert krippendorff_alpha(rng.integers(0, 4, (5000, 3)).tolist(), nominal) == pytest.approx(0, abs=0.02)
  assert krippendorff_alpha([[1, 2], [2, 1]], nominal) == pytest.approx(-0.5)
  for undefined in ([], [["a"], ["b"]], [["a", "a"], ["a", "a"]]):
    assert krippendorff_alpha(undefined, nominal) is None


def test_people_of_known_accuracy_come_out_as_they_are():
  asked = naming(rounds=2)  # 40 distorted ones, 10 clean ones
  given = [*person(asked, "a", 30, 20), *person(asked, "b", 45, 10), *person(asked, "c", 15, 15)]
  report = make_report(asked, given)
  scores = report.overall[PEOPLE]
  assert report.each == (15 / 50, 30 / 50, 45 / 50)
  assert (report.answers, report.answered, report.questions, report.finished) == (150, 50, 50, 3)
  assert scores.kind == Share(90, 150)
  assert scores.kind.interval == wilson_interval(0.6, 150)
  assert scores.level == Share(20 + 10 + 15, 30 + 40 + 15)  # b named 5 clean ones as well
  assert scores.level_error == pytest.approx(1 - 45 / 85)  # others are one level off
  assert scores.both == Share(45 + 5, 150)
  assert report.seconds == 2
  assert report.known == report.overall
  assert report.unknown == ()


def test_parts_sum_up_to_the_whole():
  asked = naming(rounds=2)
  given = [*person(asked, "a", 30, 20), *person(asked, "b", 45, 10)]
  report = make_report(asked, given)
  for parts in (report.by_level, report.by_kind):
    shares = [scores[PEOPLE].kind for scores in parts.values()]
    assert sum(share.right for share in shares) == report.overall[PEOPLE].kind.right
    assert sum(share.of for share in shares) == 100
  assert list(report.by_level) == [0, 1, 2, 3, 4, 5]
  assert report.by_kind["clean"] == report.by_level[0]
  assert report.by_kind["clean"][PEOPLE].kind == Share(5, 20)
  own = [given for given in given if asked.questions[given.question].kind == "jpeg"]
  assert report.by_kind["jpeg"][PEOPLE].kind == Share(sum(answer.kind == "jpeg" for answer in own), 20)


def test_a_wrong_kind_may_be_of_the_right_group():
  asked = naming()
  given = [Given("a", 0, "defocus_blur", 1, 1.0), Given("a", 1, "jpeg", 2, 1.0), Given("a", 20, "clean", None, 1.0)]
  scores = make_report(asked, given).overall[PEOPLE]
  assert (scores.kind, scores.group) == (Share(1, 3), Share(2, 3))
  assert (scores.level, scores.level_error, scores.both) == (Share(0, 0), None, Share(1, 3))


def test_the_majority_is_the_kind_most_people_name_and_the_median_of_their_levels():
  given = [
    *(Given("a", 0, "jpeg", 1, 1.0), Given("b", 0, "jpeg", 5, 1.0), Given("c", 0, "jpeg", 4, 1.0)),
    *(Given("d", 0, "clean", None, 1.0), Given("a", 3, "clean", None, 1.0), Given("b", 3, "jpeg", 2, 1.0)),
    *(Given("a", 1, "jpeg", 2, 1.0), Given("b", 1, "jpeg", 3, 1.0)),
  ]
  assert majority(given) == {0: Reply("jpeg", 4), 3: Reply("clean", None), 1: Reply("jpeg", 2)}


def test_a_majority_of_people_who_err_apart_is_better_than_they_are():
  asked = naming(rounds=4)
  given = [own for seed in range(7) for own in person(asked, f"p{seed}", 60, 30)]
  report = make_report(asked, given)
  assert report.overall[PEOPLE].kind.value == 0.6
  assert report.overall[MAJORITY].kind.of == 100
  assert report.overall[MAJORITY].kind.value > 0.7


def test_intervals_cover_what_people_can_do():
  """Of people who know each answer with a probability of 0.7, about 95 of 100 tests have it within their interval."""
  rng, asked = np.random.default_rng(0), naming(rounds=2)
  covered = 0
  for turn in range(200):
    report = make_report(asked, person(asked, str(turn), int(rng.binomial(50, 0.7)), 0))
    low, high = report.overall[PEOPLE].kind.interval
    covered += low <= 0.7 <= high
  assert 0.9 <= covered / 200 <= 0.99


def test_people_who_answer_alike_agree():
  asked = naming()
  alike = make_report(asked, [*person(asked, "a", 25, 20), *person(asked, "b", 25, 20)])
  assert (alike.agreement_of_kinds, alike.agreement_of_levels) == (1, 1)
  apart = make_report(asked, [*person(asked, "a", 12, 5), *person(asked, "b", 12, 5)])
  assert apart.agreement_of_kinds < 0.6
  alone = make_report(asked, person(asked, "a", 12, 5))
  assert (alone.agreement_of_kinds, alone.agreement_of_levels) == (None, None)


def test_the_clean_are_of_level_0_in_the_agreement():
  asked = naming()
  given = [
    *(Given("a", 0, "clean", None, 1.0), Given("b", 0, "jpeg", 1, 1.0)),
    *(Given("a", 1, "jpeg", 5, 1.0), Given("b", 1, "jpeg", 5, 1.0)),
  ]
  assert make_report(asked, given).agreement_of_levels == pytest.approx(krippendorff_alpha([[0, 1], [5, 5]], interval))


def _answer(found, *findings):
  own = [Finding(kind, "g", probability, severity, True) for kind, probability, severity in findings]
  return Answer(not found, 0.5, tuple(own), (GroupFinding("g", 0.9, found, False, 0.5),))


def test_a_recogniser_answers_what_people_may_answer():
  asked = naming()
  answer = _answer(True, ("fog", 0.9, 0.9), ("jpeg", 0.8, 0.5), ("gaussian_blur", 0.3, 0.1))
  assert reply_of(asked, 0, answer) == Reply("jpeg", 3)
  assert reply_of(asked, 0, _answer(False, ("jpeg", 0.8, 0.5))) == Reply("clean", None)
  assert reply_of(asked, 0, _answer(True, ("fog", 0.9, 0.9))) == Reply(None, None)
  levels = [reply_of(asked, 0, _answer(True, ("jpeg", 1, severity))).level for severity in (0, 0.29, 0.31, 0.9, 1)]
  assert levels == [1, 1, 2, 5, 5]
  assert reply_of(asked, 0, _answer(True, ("jpeg", 1, None))) == Reply("jpeg", None)


def test_of_four_choices_a_recogniser_takes_the_most_probable_and_the_nearest_level_of_the_table():
  asked = choosing()
  assert "lens_blur" in asked.questions[0].choices
  answer = _answer(False, ("gaussian_noise", 0.9, 0.5), ("defocus_blur", 0.2, 0.0), ("jpeg", 0.1, 0.5))
  excluded = next(
    n for n, q in enumerate(asked.questions) if "white_noise" not in q.choices and "lens_blur" in q.choices
  )
  assert reply_of(asked, excluded, answer) == Reply("lens_blur", 1)
  with_noise = next(n for n, q in enumerate(asked.questions) if "white_noise" in q.choices)
  assert reply_of(asked, with_noise, answer).kind == "white_noise"


def test_a_report_without_answers_is_one():
  report = make_report(naming(), [])
  assert report.overall[PEOPLE].kind.value is None
  assert report.each == ()
  assert "0 answers to 0 of 25 questions" in format_report(report)


def test_a_report_is_json_and_a_table():
  asked = naming(rounds=2)
  report = make_report(asked, [*person(asked, "a", 30, 20), *person(asked, "b", 45, 10)])
  record = json.loads(json.dumps(report.to_dict(), allow_nan=False))
  low, high = record["overall"]["people"]["kind"]["interval"]
  assert math.isclose(record["overall"]["people"]["kind"]["value"], 0.75)
  assert low < 0.75 < high
  assert record["by_kind"]["jpeg"]["majority"]["kind"]["of"] == 10
  text = format_report(report)
  assert f"| people, all answers   | 100     | 0.750 ({low:.3f} to {high:.3f})" in text
  assert "| clean | 20 " in text
  widths = [{len(line) for line in table.splitlines()} for table in text.split("\n\n") if table.startswith("|")]
  assert [len(own) for own in widths] == [1, 1, 1]
