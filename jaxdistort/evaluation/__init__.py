"""How good a network is: predictions on distorted pictures, reports, figures."""

from jaxdistort.evaluation.predicting import Predictions, make_predictor
from jaxdistort.evaluation.reports import draw_confusion_matrix, format_report, make_report, write_report

__all__ = ["Predictions", "draw_confusion_matrix", "format_report", "make_predictor", "make_report", "write_report"]
