"""Protocols of one stage by the severity tables of others: types at every level alike, and clean pictures."""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from jaxdistort.distortions import DISTORTIONS
from jaxdistort.distortions.severities import DQ495K, IMAGENET_C, KADID10K, SeverityTable
from jaxdistort.protocols.kinds import Kind
from jaxdistort.protocols.protocol import PROTOCOLS, Protocol
from jaxdistort.protocols.stages import Stage


@PROTOCOLS.register("imagenet_c")
def imagenet_c(jpeg_quality: int | None = None) -> Protocol:
  """The distortions of ImageNet-C at its five levels, and clean pictures, in equal parts."""
  return _by_table("imagenet_c", IMAGENET_C, jpeg_quality)


@PROTOCOLS.register("kadid10k")
def kadid10k(jpeg_quality: int | None = None) -> Protocol:
  """Types of KADID-10k at its levels, and clean pictures, in equal parts; levels that change nothing are left out."""
  return _by_table("kadid10k", KADID10K, jpeg_quality)


@PROTOCOLS.register("dq495k")
def dq495k(jpeg_quality: int | None = None) -> Protocol:
  """Noise, blur, JPEG, darkening and nothing in equal parts, each in the ways of DQ-495K, at its five levels."""
  groups = Counter(DISTORTIONS[entry.distortion].group for entry in DQ495K.entries.values())
  return _by_table("dq495k", DQ495K, jpeg_quality, ways=groups)


def _by_table(
  name: str, table: SeverityTable, jpeg_quality: int | None, ways: Mapping[str, int] = MappingProxyType({})
) -> Protocol:
  """Every entry as often as clean pictures; or every group, of which `ways` says the number of entries."""
  most = max(ways.values(), default=1)
  kinds = []
  for entry in table.entries.values():
    changing = [i for i in range(len(entry.levels)) if i + 1 not in entry.unchanged]
    levels = tuple(entry.levels[i] for i in changing)
    severities = tuple(entry.severities[i] for i in changing) if entry.severities else ()
    share = most // ways.get(DISTORTIONS[entry.distortion].group, most)
    kinds.append(Kind(entry.distortion, share=share, levels=levels, severities=severities))
  return Protocol(name, (Stage(tuple(kinds), untouched=most),), jpeg_quality)
