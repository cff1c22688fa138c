"""Reports: figures as JSON, CSV, charts, a page, a table; runs side by side."""

from jaxdistort.reporting.comparing import compare, read_judgements
from jaxdistort.reporting.comparison_tables import format_comparison
from jaxdistort.reporting.files import write_evaluation, write_report
from jaxdistort.reporting.grids import draw_grid
from jaxdistort.reporting.probes import format_probe, write_probe
from jaxdistort.reporting.sweep_charts import draw_sweeps
from jaxdistort.reporting.sweep_files import write_sweep
from jaxdistort.reporting.tables import format_figures

__all__ = [
  "compare",
  "draw_grid",
  "draw_sweeps",
  "format_comparison",
  "format_figures",
  "format_probe",
  "read_judgements",
  "write_evaluation",
  "write_probe",
  "write_report",
  "write_sweep",
]
