"""Protocols of one stage by the severity tables of others: every type at every level alike, and clean pictures."""

from jaxdistort.distortions.severities import IMAGENET_C, KADID10K, SeverityTable
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


def _by_table(name: str, table: SeverityTable, jpeg_quality: int | None) -> Protocol:
  kinds = [
    Kind(e.distortion, levels=tuple(own for i, own in enumerate(e.levels, 1) if i not in e.unchanged))
    for e in table.entries.values()
  ]
  return Protocol(name, (Stage(tuple(kinds), untouched=1),), jpeg_quality)
