"""Training, validation and test pictures, divided by original and stable by name."""

import hashlib
from collections.abc import Iterable

from jaxdistort.errors import InputError

SPLITS = ("train", "validation", "test")
_VALIDATION, _TEST = 0.025, 0.025  # the study's shares; the rest is for training


def split_of(originals: Iterable[str]) -> dict[str, str]:
  """Assigns every original to a split.

  An original's place depends on its name alone, so adding or removing others does not move it, except
  in sets so small (fewer than about 200) that a split would be empty: the originals nearest to it fill in.

  Args:
    originals: names, repeated or not.

  Returns:
    name -> "train", "validation" or "test".

  Raises:
    InputError: fewer than three originals.
  """
  places = sorted((place_of(name), name) for name in set(originals))
  if len(places) < 3:
    raise InputError(f"training, validation and test need at least 3 different pictures, found {len(places)}")
  test = min(sum(place < _TEST for place, _ in places) or 1, len(places) - 2)
  validation = sum(_TEST <= place < _TEST + _VALIDATION for place, _ in places) or 1
  validation = min(validation, len(places) - test - 1)
  return {
    name: "test" if rank < test else "validation" if rank < test + validation else "train"
    for rank, (_, name) in enumerate(places)
  }


def place_of(name: str) -> float:
  """A number in [0, 1) that is uniform over names and the same on every machine."""
  return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") / 2**64
