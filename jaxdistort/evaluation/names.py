"""Names for networks in tables and charts."""

from collections.abc import Sequence
from pathlib import Path


def short_names(checkpoints: Sequence[Path]) -> dict[str, str]:
  """Names for RUN/checkpoints/STEP: the run's, with as much before and behind it as tells them apart; else the path."""
  paths = list(dict.fromkeys(checkpoints))
  forms = [
    lambda path: path.parts[-3],
    lambda path: f"{path.parts[-3]} {path.name}",
    *(
      lambda path, first=first: "/".join((*path.parts[first:-2], path.name))
      for first in range(-4, -max(len(path.parts) for path in paths) - 1, -1)
    ),
  ]
  names = [str(path) for path in paths]
  for form in forms:
    names = [form(path) if _is_of_run(path) else path.stem for path in paths]
    if len(set(names)) == len(names):
      break
  else:
    names = [str(path) for path in paths]
  return {str(path): name for path, name in zip(paths, names, strict=True)}


def _is_of_run(path: Path) -> bool:
  return len(path.parts) > 2 and path.name.isdigit()
