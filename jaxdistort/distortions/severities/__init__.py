"""Severities: parameters by the levels of a source, a file for each source; tables by name in `SEVERITY_TABLES`."""

from jaxdistort.distortions.severities.live import LIVE
from jaxdistort.distortions.severities.paper import PAPER
from jaxdistort.distortions.severities.table import SEVERITY_TABLES, Entry, Setting, SeverityTable

__all__ = ["LIVE", "PAPER", "SEVERITY_TABLES", "Entry", "Setting", "SeverityTable"]
