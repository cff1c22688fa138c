"""Rows as a table: an op in a line, a library in a column."""

import math
from collections.abc import Sequence
from typing import Any

Rows = Sequence[dict[str, Any]]

CLASSES = ("gaussian_blur", "motion_blur", "gaussian_noise", "monochrome_noise", "marble", "twirl")
"""The distortions of the study's first data set, over which the mean is taken."""


def format_table(rows: Rows, *, ours: str = "jaxdistort") -> str:
  """Pictures a second of every library, and ours as a multiple of the fastest other one's; * marks what a note tells.

  Args:
    rows: with `op`, `library`, `pictures_per_second`, and `note` where the work is not the same.
    ours: the library that the others are set against.
  """
  ops = list(dict.fromkeys(row["op"] for row in rows))
  libraries = list(dict.fromkeys(row["library"] for row in rows))
  cells = {(row["op"], row["library"]): row for row in rows}
  peers = [library for library in libraries if library != ours]
  lines = [["pictures/s", *libraries, *(["of the fastest peer"] if peers else [])]]
  for op in ops:
    line = [op]
    for library in libraries:
      row = cells.get((op, library))
      line.append(f"{_figure(row['pictures_per_second'])}{'*' if 'note' in row else ' '}" if row else "- ")
    best = max((cells[op, peer]["pictures_per_second"] for peer in peers if (op, peer) in cells), default=None)
    if peers:
      line.append(f"{cells[op, ours]['pictures_per_second'] / best:.2f}" if best and (op, ours) in cells else "-")
    lines.append(line)
  widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
  text = []
  for op, *figures in lines:
    aligned = [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
    text.append("  ".join([op.ljust(widths[0]), *aligned]))
  noted = [row for row in rows if "note" in row]
  notes = {f"* {row['op'].partition(',')[0]}, {row['library']}: {row['note']}": None for row in noted}
  return "\n".join([*text, *notes])


def ratios(rows: Rows, peer: str, *, ours: str = "jaxdistort") -> dict[str, float]:
  """Our speed as a multiple of a peer's, op by op."""
  speed = {(row["op"], row["library"]): row["pictures_per_second"] for row in rows}
  return {op: speed[op, ours] / other for (op, name), other in speed.items() if name == peer and (op, ours) in speed}


def summarise(rows: Rows, peers: Sequence[str]) -> str:
  """A line for each peer: our multiple of its speed op by op, and the geometric mean over the study's six."""
  lines = []
  for peer in peers:
    found = ratios(rows, peer)
    if not found:
      continue
    text = ", ".join(f"{op} {ratio:.2f}" for op, ratio in found.items() if "," not in op)
    if set(CLASSES) <= set(found):
      text += f"; geometric mean over the six {geometric_mean([found[op] for op in CLASSES]):.2f}"
    lines.append(f"times {peer}: {text}")
  return "\n".join(lines)


def geometric_mean(values: Sequence[float]) -> float:
  return math.exp(sum(map(math.log, values)) / len(values))


def _figure(value: float) -> str:
  return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
