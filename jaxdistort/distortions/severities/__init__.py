"""Severities: parameters by the levels of a source, a file for each source; tables by name in `SEVERITY_TABLES`."""

from jaxdistort.distortions.severities.dq495k import DQ495K
from jaxdistort.distortions.severities.imagenet_c import IMAGENET_C
from jaxdistort.distortions.severities.kadid10k import KADID10K
from jaxdistort.distortions.severities.live import LIVE
from jaxdistort.distortions.severities.paper import PAPER
from jaxdistort.distortions.severities.table import SEVERITY_TABLES, Entry, Setting, SeverityTable

__all__ = ["DQ495K", "IMAGENET_C", "KADID10K", "LIVE", "PAPER", "SEVERITY_TABLES", "Entry", "Setting", "SeverityTable"]
