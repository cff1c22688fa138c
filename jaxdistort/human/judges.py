"""What is said of the questions: by people, by their majority, by a recogniser that gets the same questions."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from jaxdistort.distortions.severities import KADID10K
from jaxdistort.distortions.severities.levels import nearest_level
from jaxdistort.human.questionnaire import CHOICE, LEVELS, Questionnaire
from jaxdistort.human.questions import HumanTest
from jaxdistort.human.store import Given
from jaxdistort.inference import Recogniser, predict_stream
from jaxdistort.tasks import CLEAN, Answer


class Reply(NamedTuple):
  """What is said of a question.

  Attributes:
    kind: of the test, or clean; None: nothing that could be answered.
    level: 1..5; None where none is said.
  """

  kind: str | None
  level: int | None


def majority(given: Iterable[Given]) -> dict[int, Reply]:
  """For each question the kind that most people name, with the median of their levels (of two, the lower).

  Of kinds that equally many name it is the one that was named first.
  """
  by_question: defaultdict[int, list[Given]] = defaultdict(list)
  for answer in given:
    by_question[answer.question].append(answer)
  return {number: _most(own) for number, own in sorted(by_question.items())}


def _most(given: Sequence[Given]) -> Reply:
  (kind, _), *_ = Counter(answer.kind for answer in given).most_common(1)  # of equal counts it keeps the order
  levels = [answer.level for answer in given if answer.kind == kind and answer.level is not None]
  return Reply(kind, statistics.median_low(levels) if levels else None)


def recognised(test: HumanTest, recogniser: Recogniser, numbers: Sequence[int]) -> dict[int, Reply]:
  """What a recogniser says of the same pictures, asked the same: see `reply_of`.

  Raises:
    BrokenPicture: a file of the test cannot be read any more.
  """
  answers = predict_stream(recogniser, (test.pixels(number) for number in numbers))
  return {n: reply_of(test.questionnaire, n, answer) for n, answer in zip(numbers, answers, strict=True)}


def reply_of(questionnaire: Questionnaire, number: int, answer: Answer) -> Reply:
  """An answer of a recogniser as one to a question.

  It is the most probable of the kinds that may be answered, those first that it names, and clean where that may be
  answered and nothing is found. The level is that of the severity: the nearest fifth, or the table's nearest level.
  """
  allowed = questionnaire.answers_to(number)
  if CLEAN in allowed and not any(group.found for group in answer.groups):
    return Reply(CLEAN, None)
  names = {questionnaire.distortion_of(kind): kind for kind in allowed if kind != CLEAN}
  own = (finding for finding in answer.findings if finding.kind in names)  # the most probable first
  first = min(own, key=lambda finding: not finding.found, default=None)
  if first is None:
    return Reply(None, None)
  return Reply(names[first.kind], _level(questionnaire, names[first.kind], first.severity))


def _level(questionnaire: Questionnaire, kind: str, severity: float | None) -> int | None:
  if severity is None:
    return None
  if questionnaire.mode == CHOICE:
    return int(nearest_level(KADID10K, kind, severity))
  return min(LEVELS, max(1, int(LEVELS * severity + 0.5)))


def unknown_kinds(questionnaire: Questionnaire, recogniser: Recogniser) -> tuple[str, ...]:
  """The kinds of a test that a recogniser cannot name."""
  known = recogniser.task.labels.kinds
  return tuple(kind for kind in questionnaire.kinds if questionnaire.distortion_of(kind) not in known)


def by_people(given: Iterable[Given]) -> list[tuple[int, Reply]]:
  """All answers of people, each with its question."""
  return [(answer.question, Reply(answer.kind, answer.level)) for answer in given]


def pairs_of(replies: Mapping[int, Reply]) -> list[tuple[int, Reply]]:
  """The same form of somebody who answers each question once."""
  return list(replies.items())
