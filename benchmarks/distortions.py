"""Every op and every protocol, beside other libraries on the same pictures in the same run."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.jhlabs import JHLabs
from benchmarks.peers import Library, Work, installed_peers
from benchmarks.timing import Stopwatch, Turn, calling, photographs, rates
from jaxdistort.distortions import DISTORTIONS
from jaxdistort.protocols import PROTOCOLS

OURS = "jaxdistort"

Rows = list[dict[str, Any]]


class _Ours:
  """Our ops, with a key and parameters for every picture, and the protocols."""

  name = OURS

  def __init__(self, images: np.ndarray):
    self._images = jnp.asarray(images)
    self._keys = jax.random.split(jax.random.key(0), len(images))
    self.device = f"{jax.device_count()} x {jax.devices()[0].device_kind}"
    self.turns: dict[str, Turn] = {}  # all that were asked for, by the name of their row

  def turn(self, work: Work) -> Turn:
    distortion = DISTORTIONS[work.distortion]
    parameters = {name: jnp.asarray(values) for name, values in work.parameters.items()}
    op = jax.jit(jax.vmap(lambda key, image, own: distortion(key, image, **own)))
    self.turns[work.name] = calling(lambda: op(self._keys, self._images, parameters))
    return self.turns[work.name]

  def note(self, work: Work) -> str:
    del work
    return ""

  def protocols(self) -> dict[str, Turn]:
    turns = {}
    for name, protocol in PROTOCOLS.items():
      distort = jax.jit(protocol().distort)
      turns[f"protocol {name}"] = calling(lambda distort=distort: distort(jax.random.key(0), self._images))
    self.turns |= turns
    return turns


def list_work(batch_size: int, distortions: Sequence[str] | None = None) -> list[Work]:
  """Each op with its defaults (the study's constants where it has some), a value for every picture; blur also with
  radii that differ.

  Args:
    batch_size: pictures.
    distortions: names in `DISTORTIONS`; all if None.
  """
  works = []
  for name in DISTORTIONS if distortions is None else distortions:
    defaults = DISTORTIONS[name].defaults
    works.append(Work(name, name, {p: np.full(batch_size, value, np.float32) for p, value in defaults.items()}))
    if name == "gaussian_blur":
      radii = np.linspace(1, 11, batch_size, endpoint=False, dtype=np.float32)
      works.append(Work("gaussian_blur, radius 1 to 11", name, {"radius": radii}))
  return works


def time_distortions(
  watch: Stopwatch,
  *,
  batch_size: int,
  size: int,
  jar: Path | None = None,
  distortions: Sequence[str] | None = None,
  tell: Callable[[Rows], None] = lambda _: None,
) -> tuple[Rows, list[str]]:
  """Each op, by every library that has it and is installed; then each protocol, ours alone.

  Args:
    watch: measures.
    batch_size: pictures a call.
    size: side of the pictures in pixels.
    jar: of JH Labs' filters.
    distortions: names in `DISTORTIONS`; all if None.
    tell: gets the rows of each op as soon as they are there.

  Returns:
    Rows, and a line for every library that is not there.

  Raises:
    InputError: the jar cannot be run.
  """
  images = np.array(photographs(batch_size, size))
  peers, missing = installed_peers(images)
  ours = _Ours(images)
  rows: Rows = []
  with ExitStack() as stack:
    libraries: list[Library] = [ours, *peers]
    if jar:
      libraries.append(stack.enter_context(JHLabs(jar, images, warm_up=watch.seconds)))
    else:
      missing.append("JH Labs is not there: give its filters' jar by --jhlabs or JHLABS_JAR")
    for work in list_work(batch_size, distortions):
      rows += (of_work := _time_work(watch, work, libraries, batch_size))
      tell(of_work)
  for op, timing in watch.time(ours.protocols()).items():
    rows.append({"op": op, "library": OURS, "device": ours.device, **rates(timing, batch_size)})
    tell(rows[-1:])
  watch.trace(ours.turns)
  return [row | {"batch_size": batch_size, "size": size} for row in rows], missing


def _time_work(watch: Stopwatch, work: Work, libraries: Sequence[Library], batch_size: int) -> Rows:
  turns = {library.name: turn for library in libraries if (turn := library.turn(work))}
  rows: Rows = []
  by_name = {library.name: library for library in libraries}
  for name, timing in watch.time(turns).items():
    library = by_name[name]
    row = {"op": work.name, "library": name, "device": library.device, **rates(timing, batch_size)}
    rows.append(row | ({"note": note} if (note := library.note(work)) else {}))
  return rows
