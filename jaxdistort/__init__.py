"""jaxdistort names the distortion that spoils a picture: which kind, and how strong.

Data flows one way: `data` (clean pictures) -> `protocols` x `distortions` (distorted on the device,
labelled) -> `models` -> `training`, `evaluation`. The parts load when first used, so that importing
the package costs nothing.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_PARTS = ("checkpoints", "config", "data", "distortions", "evaluation", "exporting", "models", "protocols", "training")
__all__ = [*_PARTS, "__version__"]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
  if name in _PARTS:
    return importlib.import_module(f"{__name__}.{name}")
  raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
  return sorted(__all__)
