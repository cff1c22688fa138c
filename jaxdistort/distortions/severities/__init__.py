"""Severities: parameters by the levels of a source, a file for each source; tables by name in `SEVERITY_TABLES`."""

from jaxdistort.distortions.severities.paper import PAPER
from jaxdistort.distortions.severities.table import SEVERITY_TABLES, SeverityTable

__all__ = ["PAPER", "SEVERITY_TABLES", "SeverityTable"]
