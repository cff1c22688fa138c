"""The kinds of distortion, in the order in which they come to a picture."""

from jaxdistort.distortions import DISTORTIONS, Distortion
from jaxdistort.inference import Recogniser
from jaxdistort.serving.schemas import Kind, KindParameter

_GROUPS = (
  "warp",
  "blur",
  "light",
  "colour",
  "noise",
  "processing",
  "resolution",
  "coding",
)  # from the lens to the file


def kinds_of(recogniser: Recogniser) -> list[Kind]:
  """Every distortion, and whether the network knows it by name."""
  known = set(recogniser.task.labels.kinds)
  ordered = sorted(DISTORTIONS.values(), key=lambda own: _GROUPS.index(own.group))
  return [_kind(own, own.name in known) for own in ordered]


def _kind(own: Distortion, recognised: bool) -> Kind:
  parameters = [KindParameter(**vars(p), graded=p.name in own.graded) for p in own.parameters]
  return Kind(kind=own.name, group=own.group, recognised=recognised, parameters=parameters)
