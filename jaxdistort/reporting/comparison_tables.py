"""A comparison as Markdown."""

from collections.abc import Sequence
from typing import Any

from jaxdistort.reporting.comparing import PAPER

_COLUMNS = ("validation accuracy", "validation loss", "test accuracy")
_PAPERS_VIEW = "LIVE release 2, pad"


def format_comparison(comparison: dict[str, Any]) -> str:
  """The study's tables with our rows above the study's own, and a table of the pairs."""
  parts = [_table_of(protocol, rows) for protocol, rows in comparison["tables"].items()]
  if comparison["pairs"]:
    parts.append(_table_of_pairs(comparison["pairs"]))
  return "\n\n".join(parts)


def _table_of(protocol: str, rows: Sequence[dict[str, Any]]) -> str:
  known = {name for row in rows for name in row} - {"network", "model", *_COLUMNS}
  others = sorted(known | {_PAPERS_VIEW})  # and all else that was judged
  lines = [["network", "model", *_COLUMNS, *others]]
  lines += [[row["network"], row["model"], *(_number(row.get(name)) for name in (*_COLUMNS, *others))] for row in rows]
  for model, (*own, live) in PAPER.get(protocol, {}).items():
    theirs = [live if name == _PAPERS_VIEW else None for name in others]
    lines.append(["the study's", model, *map(_number, (*own, *theirs))])
  return f"Trained for `{protocol}`:\n\n{_markdown(lines)}"


def _table_of_pairs(pairs: Sequence[dict[str, Any]]) -> str:
  lines = [["first", "second", "on", "pictures", "accuracies", "difference", "95 %", "only first", "only second", "p"]]
  for pair in pairs:
    ends = pair["interval"]
    within = f"{ends[0]:+.4f} to {ends[1]:+.4f}" if ends else ""
    first, second = pair["accuracies"]
    lines.append([
      *pair["networks"],
      " / ".join(dict.fromkeys(pair["on"])),
      f"{pair['pictures']}",
      f"{first:.4f}, {second:.4f}",
      f"{pair['difference']:+.4f}",
      within,
      f"{pair['only_first']}",
      f"{pair['only_second']}",
      f"{pair['p_value']:.2g}",
    ])  # fmt: skip
  note = "p: exact sign test of originals; the interval: a bootstrap by original, where five or more do not all agree."
  return (
    f"The same pictures, two by two (accuracy of the second less that of the first):\n\n{_markdown(lines)}\n\n{note}"
  )


def _number(value: float | None) -> str:
  if value is None:
    return ""
  return f"{value:.4f}" if value < 100 else f"{value:,.1f}"


def _markdown(lines: Sequence[Sequence[str]]) -> str:
  lines = [[cell.replace("|", r"\|") for cell in line] for line in lines]  # names of folders may hold one
  widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
  padded = [
    "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
  ]
  rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
  return "\n".join([padded[0], rule, *padded[1:]])
