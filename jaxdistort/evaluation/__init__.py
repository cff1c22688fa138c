"""How good a network is: predictions on distorted pictures, reports, figures."""

from jaxdistort.reporting.comparing import compare, read_judgements
from jaxdistort.reporting.comparison_tables import format_comparison
from jaxdistort.evaluation.evaluate import evaluate_checkpoint, evaluate_on_database
from jaxdistort.reporting.grids import draw_grid
from jaxdistort.evaluation.predicting import Outcome, Predictions, make_predictor
from jaxdistort.reporting.files import write_outcome
from jaxdistort.evaluation.reports import format_report, make_report
from jaxdistort.evaluation.sweep import sweep_checkpoints
from jaxdistort.evaluation.sweep_reports import format_sweep
from jaxdistort.evaluation.sweeping import Sweep, parse_sweep

__all__ = [
  "Outcome",
  "Predictions",
  "Sweep",
  "compare",
  "draw_grid",
  "evaluate_checkpoint",
  "evaluate_on_database",
  "format_comparison",
  "format_report",
  "format_sweep",
  "make_predictor",
  "make_report",
  "parse_sweep",
  "read_judgements",
  "sweep_checkpoints",
  "write_outcome",
]
