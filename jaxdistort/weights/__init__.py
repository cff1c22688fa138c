"""Weights from elsewhere: read, converted into our file, loaded."""

from jaxdistort.weights.base import BaseReference, check_reference, open_base, refer
from jaxdistort.weights.convert import KINDS, convert
from jaxdistort.weights.download import KNOWN, download
from jaxdistort.weights.file import WeightsFile, load_base, open_weights
from jaxdistort.weights.pretrained import load_pretrained

__all__ = [
  "KINDS",
  "KNOWN",
  "BaseReference",
  "WeightsFile",
  "check_reference",
  "convert",
  "download",
  "load_base",
  "load_pretrained",
  "open_base",
  "open_weights",
  "refer",
]
