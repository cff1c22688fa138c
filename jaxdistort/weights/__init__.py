"""Weights from elsewhere: read, converted into our file, loaded."""

from jaxdistort.weights.convert import KINDS, convert
from jaxdistort.weights.file import WeightsFile, load_base, open_weights
from jaxdistort.weights.pretrained import load_pretrained

__all__ = ["KINDS", "WeightsFile", "convert", "load_base", "load_pretrained", "open_weights"]
