"""Weights from elsewhere: read, converted into our file, loaded."""

# Imported for the kinds of files that they register, in the order in which they are listed.
from jaxdistort.models import vgg_weights, resnet_weights, sgdnet_weights  # isort: skip  # noqa: F401
from jaxdistort.models.weights.backbone import (
  RANDOM,
  BackboneReference,
  WeightsNeeded,
  check_reference,
  open_backbone,
  refer,
)
from jaxdistort.models.weights.convert import convert, expected_shapes
from jaxdistort.models.weights.download import download
from jaxdistort.models.weights.file import WeightsFile, load_backbone, open_weights
from jaxdistort.models.weights.kinds import KINDS, Kind, Pretrained, Published, find_pretrained, kinds_of
from jaxdistort.models.weights.pretrained import load_pretrained

__all__ = [
  "KINDS",
  "RANDOM",
  "BackboneReference",
  "Kind",
  "Pretrained",
  "Published",
  "WeightsFile",
  "WeightsNeeded",
  "check_reference",
  "convert",
  "download",
  "expected_shapes",
  "find_pretrained",
  "kinds_of",
  "load_backbone",
  "load_pretrained",
  "open_backbone",
  "open_weights",
  "refer",
]
