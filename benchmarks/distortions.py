"""Every op and every protocol, beside other libraries on the same pictures in the same run."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers import Corruptions, JHLabs, Library, Work, installed_peers
from benchmarks.tables import geometric_mean, ratios
from benchmarks.timing import Stopwatch, Turn, calling, photographs, rates
from jaxdistort.distortions import DISTORTIONS, SEVERITY_TABLES
from jaxdistort.distortions.distributions import distribution_of
from jaxdistort.protocols import PROTOCOLS, Protocol

OURS = "jaxdistort"
IMAGENET_C, SEVERITY = "imagenet_c", 3
"""The severity table, and its level, at which our ops are set beside imagecorruptions'."""

_VIEW = 128  # px, of the pictures of protocols that cut them out of larger ones

Rows = list[dict[str, Any]]


class _Ours:
  """Our ops, with a key and parameters for every picture, and the protocols."""

  name = OURS

  def __init__(self, images: np.ndarray):
    self._images = jnp.asarray(images)
    self._keys = jax.random.split(jax.random.key(0), len(images))
    self.device = f"1 x {jax.devices()[0].device_kind}"  # however many there are: nothing is split here
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

  def protocol(self, name: str, protocol: Protocol, size: int) -> Turn:
    side = protocol.clean_side(size)
    images = self._images if side == self._images.shape[1] else photographs(len(self._images), side)
    distort, first = jax.jit(protocol.distort), itertools.count(0, len(images))
    # Every call has the next pictures of the stream, so that all kinds have their share in the median.
    self.turns[name] = calling(lambda: distort(jax.random.key(0), images, np.uint32(next(first))))
    return self.turns[name]


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


def list_corruptions(batch_size: int) -> list[Work]:
  """ImageNet-C's distortions by our table of its severities, drawn for every picture where the table draws."""
  works = []
  table = SEVERITY_TABLES.get(IMAGENET_C)
  for name, entry in table.entries.items() if table else ():
    if entry.distortion in DISTORTIONS:
      values = {
        parameter: np.array(jax.vmap(distribution_of(value).draw)(jax.random.split(jax.random.key(i), batch_size)))
        for i, (parameter, value) in enumerate(entry.levels[SEVERITY - 1].items())
      }
      title = f"{IMAGENET_C} {name}, severity {SEVERITY}"
      works.append(Work(title, entry.distortion, values, (name, SEVERITY)))
  return works


def list_protocols(distortions: Sequence[str] | None = None) -> dict[str, Protocol]:
  """The protocols by the names of their rows; those that cut pictures out of larger ones also with twice the kinds.

  Args:
    distortions: names; only protocols that have no others. All if None.
  """
  protocols = {}
  for name, build in PROTOCOLS.items():
    protocol = build()
    if distortions is None or set(protocol.kinds) <= set(distortions):
      protocols[f"protocol {name}"] = protocol
      if protocol.nuisance:
        protocols[f"protocol {name}, every kind twice"] = with_kinds_twice(protocol)
  return protocols


def with_kinds_twice(protocol: Protocol) -> Protocol:
  """The same pictures but for their order, of stages with twice as many kinds: what the number of kinds costs."""
  stages = tuple(
    dataclasses.replace(stage, kinds=2 * stage.kinds, untouched=2 * stage.untouched) for stage in protocol.stages
  )
  return dataclasses.replace(protocol, stages=stages)


def time_distortions(
  watch: Stopwatch,
  *,
  batch_size: int,
  size: int,
  jar: Path | None = None,
  interpreter: Path | None = None,
  distortions: Sequence[str] | None = None,
  tell: Callable[[Rows], None] = lambda _: None,
) -> tuple[Rows, list[str]]:
  """Each op, by every library that has it and is installed; ImageNet-C's set beside imagecorruptions; each protocol.

  Args:
    watch: measures.
    batch_size: pictures a call.
    size: side of the pictures in pixels; protocols that cut them out of larger ones make pictures of at most 128.
    jar: of JH Labs' filters.
    interpreter: a Python that has imagecorruptions.
    distortions: names in `DISTORTIONS`, and then no ImageNet-C, and protocols of these alone; all if None.
    tell: gets the rows of each op as soon as they are there.

  Returns:
    Rows, and a line for every library that is not there.

  Raises:
    InputError: the jar cannot be run, or the interpreter.
  """
  protocols = list_protocols(distortions)  # first of all, as one that cannot be made would end a long run
  images = np.array(photographs(batch_size, size))
  peers, missing = installed_peers(images)
  ours = _Ours(images)
  rows: Rows = []
  with ExitStack() as stack:
    libraries: list[Library] = [ours, *peers]
    corrupting: list[Library] = [ours]
    if interpreter:
      corrupting.append(stack.enter_context(Corruptions(interpreter, images)))
    else:
      missing.append("imagecorruptions is not there: give a Python that has it by --imagecorruptions")
    if jar:
      libraries.append(stack.enter_context(JHLabs(jar, images, warm_up=watch.seconds)))
    else:
      missing.append("JH Labs is not there: give its filters' jar by --jhlabs or JHLABS_JAR")
    for work in list_work(batch_size, distortions):
      rows += (of_work := _time_work(watch, work, libraries, batch_size))
      tell(of_work)
    if distortions is None:
      rows += _time_corruptions(watch, corrupting, batch_size, tell)
  sides = {name: min(size, _VIEW) if protocol.nuisance else size for name, protocol in protocols.items()}
  turns = {name: ours.protocol(name, protocol, sides[name]) for name, protocol in protocols.items()}
  for name, timing in watch.time(turns).items():  # in turns: wild is compared with itself
    rows.append({"op": name, "library": OURS, "device": ours.device, **rates(timing, batch_size), "size": sides[name]})
    tell(rows[-1:])
  watch.trace(ours.turns)
  return [{"batch_size": batch_size, "size": size} | row for row in rows], missing


def _time_corruptions(
  watch: Stopwatch, libraries: Sequence[Library], batch_size: int, tell: Callable[[Rows], None]
) -> Rows:
  rows: Rows = []
  for work in list_corruptions(batch_size):
    rows += (of_work := _time_work(watch, work, libraries, batch_size))
    tell(of_work)
  if means := mean_rows(rows):
    tell(means)
  return rows + means


def mean_rows(rows: Rows) -> Rows:
  """The geometric means of ours and of imagecorruptions' speeds over what both have, and our multiple of theirs."""
  shared = ratios(rows, Corruptions.name)
  means: Rows = []
  for library in (OURS, Corruptions.name) if shared else ():
    own = [row for row in rows if row["library"] == library and row["op"] in shared]
    speed = geometric_mean([row["pictures_per_second"] for row in own])
    op = f"{IMAGENET_C}, geometric mean over {len(shared)}"
    means.append({"op": op, "library": library, "device": own[0]["device"], "pictures_per_second": speed})
  return _with_ratios(means)


def _time_work(watch: Stopwatch, work: Work, libraries: Sequence[Library], batch_size: int) -> Rows:
  turns = {library.name: turn for library in libraries if (turn := library.turn(work))}
  rows: Rows = []
  by_name = {library.name: library for library in libraries}
  for name, timing in watch.time(turns).items():
    library = by_name[name]
    row = {"op": work.name, "library": name, "device": library.device, **rates(timing, batch_size)}
    rows.append(row | ({"note": note} if (note := library.note(work)) else {}))
  return _with_ratios(rows)


def _with_ratios(rows: Rows) -> Rows:
  """Rows of one op, ours first: the others' say by how much ours is faster."""
  return [
    row if row is rows[0] else row | {"ours_of_theirs": rows[0]["pictures_per_second"] / row["pictures_per_second"]}
    for row in rows
  ]
