"""How good a network is: on pictures that a protocol distorts, on databases, on labelled pictures, along a sweep."""

from jaxdistort.evaluation.calibrating import FALSE_ALARMS, Calibrated, calibrate
from jaxdistort.evaluation.databases import Verdicts, figures_on_database, judge_database
from jaxdistort.evaluation.evaluate import (
  DatabaseEvaluation,
  Evaluation,
  evaluate_on_database,
  evaluate_on_protocol,
  report_outcome,
)
from jaxdistort.evaluation.judging import Judge, Outcome, Shown
from jaxdistort.evaluation.labelled import LabelledEvaluation, evaluate_on_labelled
from jaxdistort.evaluation.linear_probe import LinearProbe, read_linear_probe
from jaxdistort.evaluation.probing import ProbeReport, probe_network
from jaxdistort.evaluation.report import STANDARD, Origin, Report, origin_of
from jaxdistort.evaluation.sweep import sweep_networks
from jaxdistort.evaluation.sweep_reports import format_sweep
from jaxdistort.evaluation.sweeping import Sweep, parse_sweep, run_sweeps

__all__ = [
  "FALSE_ALARMS",
  "STANDARD",
  "Calibrated",
  "DatabaseEvaluation",
  "Evaluation",
  "Judge",
  "LabelledEvaluation",
  "LinearProbe",
  "Origin",
  "Outcome",
  "ProbeReport",
  "Report",
  "Shown",
  "Sweep",
  "Verdicts",
  "calibrate",
  "evaluate_on_database",
  "evaluate_on_labelled",
  "evaluate_on_protocol",
  "figures_on_database",
  "format_sweep",
  "judge_database",
  "origin_of",
  "parse_sweep",
  "probe_network",
  "read_linear_probe",
  "report_outcome",
  "run_sweeps",
  "sweep_networks",
]
