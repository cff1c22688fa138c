"""What evaluations are asked for, checked and completed."""

from collections.abc import Iterable

from jaxdistort.training.checkpoints import TrainedModel
from jaxdistort.data import parse_sources
from jaxdistort.errors import InputError


def check_counts(batch_size: int, workers: int | None) -> None:
  """Raises InputError for numbers that make no sense."""
  if batch_size < 1:
    raise InputError(f"batch size must be at least 1, got {batch_size}")
  if workers is not None and workers < 0:
    raise InputError(f"workers must be at least 0, got {workers}")


def jpeg_quality_of(trained: TrainedModel, given: int | None) -> int:
  """Of the JPEG step, 0 for none: as in the training where nothing else is said; InputError beyond 0..100."""
  quality = trained.config.protocol.jpeg_quality if given is None else given
  if not 0 <= quality <= 100:
    raise InputError(f"jpeg quality must be within 0..100, got {quality}")
  return quality


def split_to_judge(given: str, data: str, networks: Iterable[TrainedModel]) -> str:
  """What `auto` means: the test pictures if a source served the training of any of the networks, else all."""
  if given != "auto":
    return given
  seen = [network.pictures for network in networks]
  return "test" if any(f"*{w.source!r}[" in pictures for w in parse_sources(data) for pictures in seen) else "all"
