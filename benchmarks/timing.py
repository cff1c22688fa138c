"""How speed is measured: libraries take turns, calls are waited for, medians count."""

import dataclasses
import importlib.metadata
import importlib.util
import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxdistort.data import parse_sources

_PACKAGES = ("jax", "jaxlib", "flax", "grain", "numpy", "pillow", "torch", "onnxruntime", "kornia")
_PACKAGES += ("opencv-python-headless", "albumentations")
_LONG_CALL = 0.5  # s; the first call of a turn is not thrown away where it takes this long

Turn = Callable[[float], list[float]]
"""Makes calls for about as many seconds as it is given, at least one; returns the seconds of each that counts."""


class Timing(NamedTuple):
  """Seconds a call: median and quartiles over the rounds; and the first call, compilation included."""

  median: float
  lower: float
  upper: float
  first: float


def calling(call: Callable[[], Any]) -> Turn:
  """The turn of a function whose result is there once it returns, or is made of JAX arrays, which are waited for."""

  def timed() -> float:
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start

  def turn(seconds: float) -> list[float]:
    # The call before was another library's: the caches are cold, threads asleep.
    spent = [first] if (first := timed()) > _LONG_CALL else []
    while not spent or sum(spent) < seconds:
      spent.append(timed())
    return spent

  return turn


@dataclasses.dataclass(frozen=True)
class Stopwatch:
  """Times contenders in rounds (A, B, C, A, B, C, ...), so that a busy moment of the machine hits all alike.

  Attributes:
    seconds: measured time for each contender, all rounds together.
    rounds: how many; a contender's figure is the median over them of its median call.
    profile: folder for a trace of some more calls, made after the rounds, which it would slow; None: no trace.
  """

  seconds: float = 3.0
  rounds: int = 5
  profile: Path | None = None

  def time(self, turns: Mapping[str, Turn]) -> dict[str, Timing]:
    first = {}
    for name, turn in turns.items():
      start = time.perf_counter()
      turn(0)
      first[name] = time.perf_counter() - start
    medians: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(self.rounds):
      for name, turn in turns.items():
        medians[name].append(float(np.median(turn(self.seconds / self.rounds))))
    return {name: _timing(medians[name], first[name]) for name in turns}

  def trace(self, turns: Mapping[str, Turn]) -> None:
    """Writes a trace, if there is to be one, of two calls of each, under its name."""
    if self.profile is None:
      return
    with jax.profiler.trace(self.profile, create_perfetto_trace=True):
      for name, turn in turns.items():
        with jax.profiler.TraceAnnotation(name):
          turn(0)


def _timing(medians: list[float], first: float) -> Timing:
  lower, median, upper = np.percentile(medians, [25, 50, 75])
  return Timing(float(median), float(lower), float(upper), first)


def time_calls(call: Callable[[], Any], *, seconds: float) -> Timing:
  """Times calls of one function, each until its result is there."""
  return Stopwatch(seconds).time({"": calling(call)})[""]


def rates(timing: Timing, pictures: int) -> dict[str, Any]:
  """Pictures a second of calls with `pictures` each: the median, and the quartiles over the rounds."""
  return {
    "pictures_per_second": pictures / timing.median,
    "quartiles": [pictures / timing.upper, pictures / timing.lower],
  }


def describe_machine() -> dict[str, Any]:
  """What a figure belongs to."""
  return {
    "device": f"{jax.device_count()} x {jax.devices()[0].device_kind}",
    "processor": _processor_name(),
    "processors": count_processors(),
    "python": platform.python_version(),
    "versions": installed_versions(),
  }


def count_processors() -> int:
  """Those that this process may use."""
  return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def installed_versions() -> dict[str, str]:
  """Versions of the packages that figures depend on; what is not installed is left out. Imports none of them."""
  found = {}
  for package in _PACKAGES:
    try:
      found[package] = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
      continue
  return found


def _processor_name() -> str:
  """As Linux tells it; elsewhere as Python does."""
  try:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
  except OSError:
    lines = []
  names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
  return names[0] if names else platform.processor() or platform.machine()


def source_at_hand() -> str:
  """Clean pictures that need no file of anybody's: sample photographs or, where their packages are missing, drawn."""
  installed = all(importlib.util.find_spec(package) for package in ("skimage", "sklearn"))
  return "samples" if installed else "synthetic"


def photographs(count: int, size: int) -> jax.Array:
  """Pictures uint8 [count, size, size, 3] of `source_at_hand`."""
  ((source, _),) = parse_sources(source_at_hand())
  return jnp.asarray(np.stack([source.load(i * 67 % len(source), size) for i in range(count)]))
