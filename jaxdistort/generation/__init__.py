"""Distorted data sets as files, for users of other frameworks."""

from jaxdistort.generation.generate import FORMS, Generated, generate

__all__ = ["FORMS", "Generated", "generate"]
