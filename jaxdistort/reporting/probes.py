"""The report of a linear probe: a table for the terminal, and files."""

from pathlib import Path

from jaxdistort.evaluation import ProbeReport
from jaxdistort.files import make_output, write_json
from jaxdistort.reporting.tables import format_share

_COLUMN = 25
_WHOLE = {
  "mean average precision": "mean_average_precision",
  "macro F1": "macro_f1",
  "all kinds right": "accuracy",
  "false alarms on clean": "false_alarms",
}


def write_probe(report: ProbeReport, folder: Path) -> None:
  """Writes probe.safetensors and report.json; the folder is made if need be."""
  make_output(folder)
  (folder / "report.json").unlink(missing_ok=True)  # of an earlier probe, which gives way to this one
  report.probe.save(folder / "probe.safetensors")
  write_json(folder / "report.json", report.to_dict())  # last: then all is complete


def format_probe(report: ProbeReport) -> str:
  """A row for each kind (average precision and F1 of the probe and, where there is one, of the network), and of all."""
  figures = list(report.figures.values())
  width = max(map(len, (*report.probe.kinds, *_WHOLE)))
  names = "".join(f"  {name:>{_COLUMN}}" for name in report.figures)
  heads = "   average precision     F1" * len(figures)
  lines = [f"{'':<{width}}{names}", f"{'kind':<{width}}{heads}  pictures"]
  for kind in report.probe.kinds:
    rows = [own.per_kind[kind] for own in figures]
    cells = "".join(f"  {format_share(row.average_precision):>18}  {row.f1:5.3f}" for row in rows)
    lines.append(f"{kind:<{width}}{cells}  {rows[0].support:8d}")
  for words, name in _WHOLE.items():
    lines.append(f"{words:<{width}}" + "".join(f"  {format_share(getattr(own, name)):>{_COLUMN}}" for own in figures))
  shares = f"{report.hidden['fit']:.1%} of those to fit on and {report.hidden['judged']:.1%} of those to judge"
  lines.append(f"fitted on {report.fitted_on} pictures, judged on {figures[0].pictures}")
  lines.append(f"left out, since a kind on them cannot be seen: {shares}")
  return "\n".join(lines)
