"""Rows as a table: an op in a line, a library in a column.

python -m benchmarks.tables benchmarks/results/distortions_cpu.json
"""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
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
  """A line for each peer: our multiple of its speed op by op, and geometric means over the study's six and over all."""
  lines = []
  for peer in peers:
    # A row that repeats another's op, or sums some up, has more to its name.
    found = {op: ratio for op, ratio in ratios(rows, peer).items() if op in rows_of_ops(rows)}
    if not found:
      continue
    text = ", ".join(f"{_short(op)} {ratio:.2f}" for op, ratio in found.items())
    text += f"; geometric mean over all {len(found)} {geometric_mean(list(found.values())):.2f}"
    if set(CLASSES) <= set(found):
      text += f", over the study's six {geometric_mean([found[op] for op in CLASSES]):.2f}"
    lines.append(f"times {peer}: {text}")
  return "\n".join(lines)


def rows_of_ops(rows: Rows) -> list[str]:
  """The names of the rows that are an op's own, no variant of it and no mean."""
  ops = dict.fromkeys(row["op"] for row in rows)
  return [op for op in ops if "," not in op or (_short(op) not in ops and "mean" not in op)]


def _short(op: str) -> str:
  """ "imagenet_c snow, severity 3" is "imagenet_c snow"."""
  return op.partition(",")[0]


def format_markdown(rows: Rows, *, ours: str = "jaxdistort") -> str:
  """The rows as Markdown: pictures a second, and in brackets ours as a multiple of each other library's.

  One table for each set of libraries that share an op; notes in words below, by number.
  """
  speed = {(row["op"], row["library"]): row["pictures_per_second"] for row in rows}
  notes = {(row["op"], row["library"]): f"{row['library']}: {row['note']}" for row in rows if "note" in row}
  numbers = {note: i for i, note in enumerate(dict.fromkeys(notes.values()), 1)}

  def cell(op: str, library: str) -> str:
    if (op, library) not in speed:
      return ""
    text = _figure(speed[op, library])
    if library != ours and (op, ours) in speed:
      text += f" ({speed[op, ours] / speed[op, library]:.3g})"
    return text + (f" <sup>{numbers[notes[op, library]]}</sup>" if (op, library) in notes else "")

  tables = []
  for part in _parts(rows):
    libraries = [
      name for name in dict.fromkeys(row["library"] for row in rows) if any((op, name) in speed for op in part)
    ]
    lines = [f"| pictures/s | {' | '.join(libraries)} |", "|---" + "|---:" * len(libraries) + "|"]
    lines += [f"| {op} | {' | '.join(cell(op, library) for library in libraries)} |" for op in part]
    tables.append("\n".join(lines))
  tables.append(" ".join(f"<sup>{i}</sup> {note}." for note, i in numbers.items()))
  return "\n\n".join(filter(None, tables))


def _parts(rows: Rows) -> list[list[str]]:
  """The ops; ImageNet-C's; the protocols."""
  parts: dict[str, list[str]] = {}
  for op in dict.fromkeys(row["op"] for row in rows):
    first = op.replace(",", " ").split()[0]
    parts.setdefault(first if first in ("imagenet_c", "protocol") else "", []).append(op)
  return list(parts.values())


def geometric_mean(values: Sequence[float]) -> float:
  return math.exp(sum(map(math.log, values)) / len(values))


def _figure(value: float) -> str:
  return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
  print(format_markdown(json.loads(Path(sys.argv[1]).read_text())))
