"""The figures of a test: people, their majority and a recogniser side by side."""

import dataclasses
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jaxdistort.human.agreement import interval, krippendorff_alpha, nominal
from jaxdistort.human.judges import Reply, by_people, majority, pairs_of, recognised, unknown_kinds
from jaxdistort.human.questionnaire import LEVELS, Question, Questionnaire
from jaxdistort.human.questions import HumanTest
from jaxdistort.human.store import Given
from jaxdistort.inference import Recogniser
from jaxdistort.metrics.bootstrap import wilson_interval
from jaxdistort.tasks import CLEAN

PEOPLE, MAJORITY, RECOGNISER = "people", "majority", "recogniser"


@dataclasses.dataclass(frozen=True)
class Share:
  """How many of so many are right."""

  right: int
  of: int

  @property
  def value(self) -> float | None:
    """0..1; None of none."""
    return self.right / self.of if self.of else None

  @property
  def interval(self) -> list[float] | None:
    """Wilson's 95 % interval, low and high end; None of none."""
    return wilson_interval(self.right / self.of, self.of) if self.of else None

  def to_dict(self) -> dict[str, Any]:
    return {"value": self.value, "interval": self.interval, "right": self.right, "of": self.of}


@dataclasses.dataclass(frozen=True)
class Scores:
  """How good answers are.

  Attributes:
    kind: those that name the kind (or say clean where it is).
    group: those that name its group.
    level: of those that name a kind rightly, and say a level, those whose level is right.
    both: those whose kind and level are right; of a clean picture, that say so.
    level_error: mean absolute error in levels, of those that `level` counts; None of none.
  """

  kind: Share
  group: Share
  level: Share
  both: Share
  level_error: float | None

  def to_dict(self) -> dict[str, Any]:
    shares = {name: getattr(self, name).to_dict() for name in ("kind", "group", "level", "both")}
    return shares | {"level_error": self.level_error}


@dataclasses.dataclass(frozen=True)
class Report:
  """What came out.

  Attributes:
    mode: of the test.
    answers: that people gave.
    finished: people who answered all questions.
    answered: questions that anybody answered: of these are all figures.
    questions: of the test.
    each: the share of kinds that each person named rightly, ascending.
    seconds: the median of an answer; None without answers.
    agreement_of_kinds: Krippendorff's alpha, of names; None where it is not defined.
    agreement_of_levels: the same of levels on an interval scale, where clean is 0.
    unknown: kinds that the recogniser cannot name.
    overall: by judge: `PEOPLE` (all answers), `MAJORITY`, and `RECOGNISER` if one was asked.
    known: the same on the pictures that are clean or of kinds that the recogniser can name.
    by_level: the same by true level, 0 of clean ones.
    by_kind: the same by true kind.
  """

  mode: str
  answers: int
  finished: int
  answered: int
  questions: int
  each: tuple[float, ...]
  seconds: float | None
  agreement_of_kinds: float | None
  agreement_of_levels: float | None
  unknown: tuple[str, ...]
  overall: Mapping[str, Scores]
  known: Mapping[str, Scores]
  by_level: Mapping[int, Mapping[str, Scores]]
  by_kind: Mapping[str, Mapping[str, Scores]]

  def to_dict(self) -> dict[str, Any]:
    """Ready for JSON."""
    own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
    tables = {name: _of_judges(own[name]) for name in ("overall", "known")}
    parts = {name: {str(key): _of_judges(row) for key, row in own[name].items()} for name in ("by_level", "by_kind")}
    return own | tables | parts


def _of_judges(scores: Mapping[str, Scores]) -> dict[str, Any]:
  return {judge: own.to_dict() for judge, own in scores.items()}


def make_report(
  questionnaire: Questionnaire,
  given: Sequence[Given],
  *,
  test: HumanTest | None = None,
  recogniser: Recogniser | None = None,
) -> Report:
  """Judges people's answers, and a recogniser on the questions that somebody answered.

  Args:
    questionnaire: of the test.
    given: the answers of people.
    test: the same with its pictures; for the recogniser.
    recogniser: whom to set beside them; None: nobody.

  Raises:
    BrokenPicture: a file of the test cannot be read any more.
  """
  most = majority(given)
  judges = {PEOPLE: by_people(given), MAJORITY: pairs_of(most)}
  unknown: tuple[str, ...] = ()
  if test is not None and recogniser is not None:
    judges[RECOGNISER] = pairs_of(recognised(test, recogniser, list(most)))
    unknown = unknown_kinds(questionnaire, recogniser)

  def of(chosen: Callable[[Question], bool]) -> dict[str, Scores]:
    return _scores_of(questionnaire, judges, chosen)

  shown = [questionnaire.questions[number] for number in most]
  right = _right_by_person(questionnaire, given)
  return Report(
    mode=questionnaire.mode,
    answers=len(given),
    finished=sum(len(own) == len(questionnaire.questions) for own in right.values()),
    answered=len(most),
    questions=len(questionnaire.questions),
    each=tuple(sorted(statistics.fmean(own) for own in right.values())),
    seconds=statistics.median(answer.seconds for answer in given) if given else None,
    agreement_of_kinds=krippendorff_alpha(_by_question(given, lambda answer: answer.kind), nominal),
    agreement_of_levels=krippendorff_alpha(_by_question(given, lambda answer: answer.level or 0), interval),
    unknown=unknown,
    overall=of(lambda question: True),
    known=of(lambda question: question.kind not in unknown),
    by_level={
      level: of(lambda question, level=level: question.level == level)
      for level in range(LEVELS + 1)
      if any(question.level == level for question in shown)
    },
    by_kind={
      kind: of(lambda question, kind=kind: question.kind == kind)
      for kind in (CLEAN, *questionnaire.kinds)
      if any(question.kind == kind for question in shown)
    },
  )


def _scores_of(
  questionnaire: Questionnaire,
  judges: Mapping[str, Sequence[tuple[int, Reply]]],
  chosen: Callable[[Question], bool],
) -> dict[str, Scores]:
  """The scores of each judge on the questions that are chosen."""
  questions = questionnaire.questions
  return {
    judge: score(questionnaire, [(number, reply) for number, reply in replies if chosen(questions[number])])
    for judge, replies in judges.items()
  }


def score(questionnaire: Questionnaire, replies: Sequence[tuple[int, Reply]]) -> Scores:
  """How good these are, each with the number of its question."""
  pairs = [(questionnaire.questions[number], reply) for number, reply in replies]
  named = [(truth, reply) for truth, reply in pairs if truth.kind == reply.kind]
  group = questionnaire.group_of
  grouped = sum(reply.kind is not None and group(truth.kind) == group(reply.kind) for truth, reply in pairs)
  errors = [abs(truth.level - reply.level) for truth, reply in named if truth.level and reply.level is not None]
  exact = errors.count(0)
  clean = sum(truth.kind == CLEAN for truth, _ in named)
  return Scores(
    kind=Share(len(named), len(pairs)),
    group=Share(grouped, len(pairs)),
    level=Share(exact, len(errors)),
    both=Share(clean + exact, len(pairs)),
    level_error=statistics.fmean(errors) if errors else None,
  )


def _right_by_person(questionnaire: Questionnaire, given: Sequence[Given]) -> dict[str, list[bool]]:
  people: defaultdict[str, list[bool]] = defaultdict(list)
  for answer in given:
    people[answer.person].append(answer.kind == questionnaire.questions[answer.question].kind)
  return people


def _by_question(given: Sequence[Given], value: Callable[[Given], Any]) -> list[list[Any]]:
  """What the questions were given, each by everybody who answered it."""
  values: defaultdict[int, list[Any]] = defaultdict(list)
  for answer in given:
    values[answer.question].append(value(answer))
  return list(values.values())
