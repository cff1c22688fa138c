"""jaxdistort names the distortions that spoil a picture: which kinds, and how strong.

Data flows one way: `data` (clean pictures) -> `protocols` x `distortions` (distorted on the device, labelled) ->
`models` + `tasks` -> `training` | `inference` -> `evaluation` -> `reporting`. The parts load when first used, so that
importing the package costs nothing.

  foggy = jaxdistort.distort(images, "fog", severity=3, source="imagenet_c", key=jax.random.key(0))
  recogniser = jaxdistort.load("runs/quickstart")
  answers = recogniser.predict(["cat.jpg", "dog.jpg"])
"""

import importlib
from importlib import metadata
from typing import Any

_PARTS = (
  "config",
  "data",
  "distortions",
  "evaluation",
  "generation",
  "inference",
  "metrics",
  "models",
  "protocols",
  "reporting",
  "tasks",
  "training",
)
_NAMES = {"distort": "distortions", "load": "inference", "Recogniser": "inference"}
__all__ = [*_PARTS, *_NAMES, "__version__"]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
  if name in _PARTS:
    return importlib.import_module(f"{__name__}.{name}")
  if name in _NAMES:
    return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
  if name == "__version__":
    return metadata.version("jaxdistort")
  raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
  return sorted(__all__)
