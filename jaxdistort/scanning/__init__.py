"""Scans: answers to all pictures below a folder, in a table that can be gone on with."""

from jaxdistort.scanning.scan import PARQUET, WHOLE, Scanned, Shard, scan
from jaxdistort.scanning.tables import FORMATS

__all__ = ["FORMATS", "PARQUET", "WHOLE", "Scanned", "Shard", "scan"]
