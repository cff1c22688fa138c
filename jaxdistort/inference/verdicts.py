"""Answers as people and programs read them: lines, records, and conditions on which a picture is refused."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from jaxdistort.errors import InputError
from jaxdistort.inference.advice import advice_on
from jaxdistort.tasks import Answer, Finding, GroupFinding, LabelSpace
from jaxdistort.tasks.levels import Level

ANY = "any"
"""The name in a condition that stands for every distortion."""
_CONDITION = re.compile(r"(?P<name>\w+)(?:>=(?P<least>[0-9.]+))?")


def findings_by_group(answer: Answer) -> list[tuple[GroupFinding, list[Finding]]]:
  """The groups that are found, the most probable first, each with its kinds that are named; none may be."""
  named = [finding for finding in answer.findings if finding.found]
  return [(own, [kind for kind in named if kind.group == own.group]) for own in answer.groups if own.found]


def record_of(answer: Answer) -> dict[str, Any]:
  """An answer ready for JSON: `clean`, `unclear` where nothing can be said, and `distortions`, the surest first.

  A distortion has `group`, `kind` (None where only the group is sure), `probability`, `severity`, and `level` with
  parameter, value, unit and error where the severity means something in a unit, `angle` likewise of a motion.
  `doubtful` are the groups that can neither be said nor ruled out.
  """
  distortions: list[dict[str, Any]] = []
  for group, kinds in findings_by_group(answer):
    for kind in kinds:
      levels = {name: own and own._asdict() for name, own in (("level", kind.level), ("angle", kind.angle))}
      distortions.append(_record(group.group, kind.kind, kind.probability, kind.severity) | levels)
    if not kinds:
      distortions.append(_record(group.group, None, group.probability, group.severity) | {"level": None, "angle": None})
  return {
    "clean": answer.clean,
    "unclear": answer.unclear or None,
    "distortions": sorted(distortions, key=lambda own: -own["probability"]),
    "doubtful": [group.group for group in answer.groups if group.doubtful],
  }


def group_probabilities(answer: Answer) -> dict[str, float]:
  """The probability of every group, rounded as in records; the most probable first."""
  return {own.group: round(own.probability, 4) for own in answer.groups}


def _record(group: str, kind: str | None, probability: float, severity: float | None) -> dict[str, Any]:
  rounded = None if severity is None else round(severity, 4)
  return {"group": group, "kind": kind, "probability": round(probability, 4), "severity": rounded}


def in_words(answer: Answer) -> str:
  """An answer as one line without a name: "clean", "blur (defocus_blur 0.62, radius 3.1 +- 0.6 px)"."""
  if answer.unclear:
    return f"cannot tell, {answer.unclear}"
  parts = []
  for group, kinds in findings_by_group(answer):
    named = "; ".join(f"{kind.kind} {_number(kind.severity)}{_level(kind.level)}{_level(kind.angle)}" for kind in kinds)
    parts.append(f"{group.group} ({named})" if named else f"{group.group} {_number(group.severity)}")
  doubtful = [group.group for group in answer.groups if group.doubtful]
  more = f"; cannot rule out {', '.join(doubtful)}" if doubtful else ""
  return f"{', '.join(parts) or 'clean'}{more}"


def _number(severity: float | None) -> str:
  return "" if severity is None else f"{severity:.2f}"


def _level(level: Level | None) -> str:
  if level is None:
    return ""
  error = "" if level.error is None else f" ± {level.error:.2g}"
  return f", {level.parameter} {level.value:.3g}{error} {level.unit}".rstrip()


def advice_of(answer: Answer) -> list[str]:
  """What helps, a sentence for every kind that is named, and for every group of which none is."""
  found = findings_by_group(answer)
  sentences = [
    advice_on(group.group, kind.kind if kind else None) for group, kinds in found for kind in kinds or [None]
  ]
  return [sentence for sentence in dict.fromkeys(sentences) if sentence]


class Condition(NamedTuple):
  """On which a picture is refused: that something is found, of at least some severity.

  Attributes:
    name: of a group, of a kind, or `ANY`.
    least: severity 0..1.
  """

  name: str
  least: float

  def holds(self, answer: Answer) -> bool:
    """Whether a picture with this answer is refused. Tasks without severities count as of severity 1."""
    named = [
      (name, own.severity)
      for group, kinds in findings_by_group(answer)
      for name, own in ((group.group, group), *((kind.kind, kind) for kind in kinds))
    ]
    return any(
      self.name in (ANY, name) and (1.0 if severity is None else severity) >= self.least for name, severity in named
    )


def parse_condition(text: str, labels: LabelSpace) -> Condition:
  """`blur`, `blur>=0.5`, `jpeg>=0.3`, `any>=0.8`.

  Raises:
    InputError: another form, a name that the network does not know, or a severity outside 0..1.
  """
  match = _CONDITION.fullmatch(text.replace(" ", ""))
  known = (ANY, *labels.group_names, *labels.kinds)
  if match is None or match["name"] not in known:
    raise InputError(f"condition {text!r}: expected NAME or NAME>=SEVERITY, NAME one of {', '.join(known)}")
  try:
    least = float(match["least"] or 0)
  except ValueError:
    least = -1
  if not 0 <= least <= 1:
    raise InputError(f"condition {text!r}: expected a severity within 0..1")
  return Condition(match["name"], least)


def refusals(answer: Answer, conditions: Sequence[Condition]) -> list[Condition]:
  """The conditions that hold."""
  return [condition for condition in conditions if condition.holds(answer)]
