"""How good a network is: predictions on distorted pictures, reports, figures."""

from jaxdistort.evaluation.evaluate import evaluate_checkpoint, evaluate_on_database
from jaxdistort.evaluation.figures import draw_confusion_matrix, draw_examples, draw_grid
from jaxdistort.evaluation.predicting import Predictions, make_predictor
from jaxdistort.evaluation.reports import format_report, make_report, write_report

__all__ = [
  "Predictions",
  "draw_confusion_matrix",
  "draw_examples",
  "draw_grid",
  "evaluate_checkpoint",
  "evaluate_on_database",
  "format_report",
  "make_predictor",
  "make_report",
  "write_report",
]
