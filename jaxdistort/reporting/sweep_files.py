"""The files of a sweep: figures as JSON, and a chart."""

from pathlib import Path
from typing import Any

from jaxdistort.files import make_output, write_json
from jaxdistort.reporting.drawing import FORMATS
from jaxdistort.reporting.sweep_charts import draw_sweeps


def write_sweep(report: dict[str, Any], folder: Path) -> None:
  """Writes sweep.json, sweep.png and sweep.svg; `folder` is made if need be."""
  make_output(folder)
  for suffix in FORMATS:
    (folder / f"sweep.{suffix}").unlink(missing_ok=True)  # of an earlier sweep
  write_json(folder / "sweep.json", report)  # first: whatever becomes of the figure, hours of work are kept
  draw_sweeps(report["sweeps"], folder / "sweep")
