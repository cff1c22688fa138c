"""The report of a test as people read it, in Markdown that a terminal shows as well."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

from jaxdistort.human.report import MAJORITY, PEOPLE, RECOGNISER, Report, Scores, Share

_OF_NONE = "-"
_NAMES = {PEOPLE: "people, all answers", MAJORITY: "people, majority vote", RECOGNISER: "recogniser"}


def format_report(report: Report) -> str:
  """All figures of a report; shares with their 95 % intervals."""
  parts = [_summary(report), _judges(report.overall)]
  if report.unknown:
    parts += [f"Without what the recogniser cannot name ({', '.join(report.unknown)}):", _judges(report.known)]
  parts += ["## By level", _breakdown("level", report.by_level), "## By kind", _breakdown("kind", report.by_kind)]
  return "\n\n".join(parts)


def _summary(report: Report) -> str:
  lines = [
    f"# People and the recogniser: {report.mode}",
    "",
    f"{report.answers} answers to {report.answered} of {report.questions} questions; people: {len(report.each)}, of "
    f"whom finished: {report.finished}.",
  ]
  if report.each:
    lowest, highest = report.each[0], report.each[-1]
    lines.append(
      f"A person names the kind in {statistics.fmean(report.each):.3f} of the answers, on average over people "
      f"({lowest:.3f} to {highest:.3f}), and takes {report.seconds:.1f} s for one (median)."
    )
  alphas = (_number(report.agreement_of_kinds), _number(report.agreement_of_levels))
  lines.append("Agreement between people (Krippendorff's alpha): {} of kinds, {} of levels.".format(*alphas))
  return "\n".join(lines)


def _judges(scores: Mapping[str, Scores]) -> str:
  header = ("", "answers", "kind", "group", "level, kind right", "levels off", "kind and level")
  rows = [
    (
      _NAMES[judge],
      str(own.kind.of),
      _share(own.kind),
      _share(own.group),
      _share(own.level),
      _number(own.level_error),
      _share(own.both),
    )
    for judge, own in scores.items()
  ]
  return _table(header, rows)


def _breakdown(what: str, parts: Mapping[int, Mapping[str, Scores]] | Mapping[str, Mapping[str, Scores]]) -> str:
  """A row a level or a kind: the share of kinds that each judge names, and how far off its levels are."""
  judges = list(next(iter(parts.values()), ()))
  header = (what, "answers", *judges, *(f"levels off: {judge}" for judge in judges if judge != MAJORITY))
  rows = [
    (
      "clean" if key == 0 else str(key),
      str(scores[PEOPLE].kind.of),
      *(_share(scores[judge].kind) for judge in judges),
      *(_number(scores[judge].level_error) for judge in judges if judge != MAJORITY),
    )
    for key, scores in parts.items()
  ]
  return _table(header, rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
  cells = [header, *rows]
  widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
  lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in cells]
  return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _share(share: Share) -> str:
  if share.value is None or share.interval is None:
    return _OF_NONE
  low, high = share.interval
  return f"{share.value:.3f} ({low:.3f} to {high:.3f})"


def _number(value: float | None) -> str:
  return _OF_NONE if value is None else f"{value:.2f}"
