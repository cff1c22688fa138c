"""How good a network is: predictions on distorted pictures, reports, figures."""

from jaxdistort.evaluation.evaluate import evaluate_checkpoint, evaluate_on_database
from jaxdistort.evaluation.figures import draw_grid
from jaxdistort.evaluation.predicting import Outcome, Predictions, make_predictor
from jaxdistort.evaluation.report_files import write_outcome
from jaxdistort.evaluation.reports import format_report, make_report

__all__ = [
  "Outcome",
  "Predictions",
  "draw_grid",
  "evaluate_checkpoint",
  "evaluate_on_database",
  "format_report",
  "make_predictor",
  "make_report",
  "write_outcome",
]
