"""Distorted data sets as files, for users of other frameworks."""

from jaxdistort.generation.export import Export, export

__all__ = ["Export", "export"]
