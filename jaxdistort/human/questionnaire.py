"""The questions of a test, without the pictures: what is asked, what is true, what may be answered."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from jaxdistort.distortions import DISTORTIONS, GROUPS
from jaxdistort.distortions.severities import KADID10K
from jaxdistort.tasks import CLEAN

LEVELS = 5
NAMING, CHOICE = "naming", "choice"
MODES = (NAMING, CHOICE)
TABLE = "kadid10k"
"""The severity table by whose names and levels the mode `choice` goes."""


class Question(NamedTuple):
  """What is shown, and the truth.

  Attributes:
    picture: its name below the folder.
    kind: what was done to it, or `CLEAN`.
    level: 1..5; 0 where it is clean.
    choices: the kinds among which one is to be chosen; none where all of the test are.
  """

  picture: str
  kind: str
  level: int
  choices: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Questionnaire:
  """All that is asked in a test.

  Attributes:
    mode: `NAMING`: any kind of the test, or clean; `CHOICE`: one of four types of KADID-10k.
    seed: of everything that is random.
    kinds: distortions, or in the mode `CHOICE` types as the table calls them.
    questions: by their numbers.
    fingerprint: of the files of the pictures.
  """

  mode: str
  seed: int
  kinds: tuple[str, ...]
  questions: tuple[Question, ...]
  fingerprint: str

  def distortion_of(self, kind: str) -> str:
    """The name that the distortion of a kind has in `DISTORTIONS`."""
    return KADID10K.entries[kind].distortion if self.mode == CHOICE else kind

  def group_of(self, kind: str) -> str:
    """The group of a kind; of clean it is clean."""
    return kind if kind == CLEAN else DISTORTIONS[self.distortion_of(kind)].group

  @property
  def groups(self) -> dict[str, list[str]]:
    """The kinds of every group that has some, in the order of `GROUPS`."""
    by_group = {group: [kind for kind in self.kinds if self.group_of(kind) == group] for group in GROUPS}
    return {group: kinds for group, kinds in by_group.items() if kinds}

  def answers_to(self, number: int) -> tuple[str, ...]:
    """The kinds that may be answered to a question."""
    return self.questions[number].choices or (CLEAN, *self.kinds)

  def to_dict(self) -> dict[str, Any]:
    """Ready for JSON."""
    own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
    rows = [[row.picture, row.kind, row.level, list(row.choices)] for row in self.questions]
    return own | {"kinds": list(self.kinds), "questions": rows}

  @classmethod
  def from_dict(cls, values: Mapping[str, Any]) -> "Questionnaire":
    """The same again.

    Raises:
      ValueError: these are no values of `to_dict`.
    """
    try:
      rows: Iterable[Any] = values["questions"]
      questions = tuple(Question(picture, kind, level, tuple(choices)) for picture, kind, level, choices in rows)
      others = {name: values[name] for name in ("mode", "seed", "fingerprint")}
      return cls(kinds=tuple(values["kinds"]), questions=questions, **others)
    except (KeyError, TypeError) as error:
      raise ValueError(f"no questionnaire: {error}") from error
