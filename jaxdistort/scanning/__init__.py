"""Scans: answers to all pictures below a folder, in a table that can be gone on with."""

from jaxdistort.scanning.formats import FORMATS
from jaxdistort.scanning.judging import JudgePictures
from jaxdistort.scanning.scan import WHOLE, Scanned, Shard, scan

__all__ = ["FORMATS", "WHOLE", "JudgePictures", "Scanned", "Shard", "scan"]
