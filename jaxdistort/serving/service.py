"""What the server does with pictures, without a word of HTTP."""

import asyncio
import io
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import jax
import numpy as np
from PIL import Image, ImageOps

from jaxdistort.data.decoding import at_most
from jaxdistort.data.pictures import read_noting, read_picture
from jaxdistort.data.views import at_viewing_scale
from jaxdistort.distortions import DISTORTIONS, Step, distort_in_turn, forget_programs
from jaxdistort.errors import BrokenPicture, InputError
from jaxdistort.inference import Recogniser, locate
from jaxdistort.inference.predicting import looks_at
from jaxdistort.inference.tiling import TiledPicture
from jaxdistort.inference.verdicts import advice_of, group_probabilities, record_of
from jaxdistort.serving.batching import Batcher
from jaxdistort.serving.metrics import Metrics
from jaxdistort.serving.schemas import Places, Sweep, Verdict
from jaxdistort.serving.settings import Limits
from jaxdistort.tasks import Answer, Recognition

T = TypeVar("T")

_SEVERITIES = [step / 10 for step in range(11)]
_MOST_PROGRAMS = 256  # of a kind and a shape each, until all are let go


@asynccontextmanager
async def together() -> AsyncGenerator[asyncio.TaskGroup]:
  """Tasks of which the first error ends all, and comes out as it is: errors are answered by their class."""
  try:
    async with asyncio.TaskGroup() as group:
      yield group
  except ExceptionGroup as errors:
    raise errors.exceptions[0] from errors


class TooLarge(InputError):
  """A picture with more pixels than the work that is asked for takes."""


class _Seen(NamedTuple):
  """A file that was read.

  Attributes:
    looks: at the picture.
    picture: at the scale at which it is looked at, for its maps; None where there are to be none.
    error: why it cannot be; "" where it can.
    remarks: on what of it could not be had.
  """

  looks: list[TiledPicture]
  picture: Image.Image | None
  error: str
  remarks: str


class Service:
  """Pictures to answers, and to distorted pictures; many at once, decoded by threads, judged together.

  Args:
    recogniser: the network, on one device.
    limits: how much it takes.
    metrics: what it counts.
  """

  def __init__(self, recogniser: Recogniser, limits: Limits, metrics: Metrics):
    self.recogniser, self._limits, self._metrics = recogniser, limits, metrics
    self._eyes = ThreadPoolExecutor(os.cpu_count(), "decoding")
    self._studio = ThreadPoolExecutor(1, "distorting")  # where a new shape compiles for seconds, judging goes on
    self._guides = ThreadPoolExecutor(1, "locating")
    self._programs: set[tuple[str, tuple[int, ...]]] = set()
    self._batcher = Batcher(recogniser, company=limits.company, observe=metrics.together.observe)

  def warm_up(self) -> None:
    """Compiles the network's program, for a second or two, before anyone waits for it."""
    levels = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)
    self._batcher.submit(looks_at(self.recogniser, Image.fromarray(levels))).result()

  def close(self) -> None:
    """Ends the threads; of what is under way nobody waits for an answer any more."""
    for pool in (self._eyes, self._studio, self._guides):
      pool.shutdown(wait=False, cancel_futures=True)
    self._batcher.close(patience=0.5)

  async def verdict(self, name: str, content: bytes, *, maps: bool = False) -> Verdict:
    """What is said of a file's content; one that cannot be read has an `error`. Only a recognition has maps."""
    seen = await self._in(self._eyes, self._look, content, maps and isinstance(self.recogniser.task, Recognition))
    if seen.error:
      self._metrics.pictures.labels("unreadable").inc()
      return Verdict(path=name, error=seen.error)
    answer = await self._answer(seen.looks)
    self._count(answer)
    places = await self._in(self._guides, _places_in, self.recogniser, seen.picture) if seen.picture else None
    return Verdict(
      path=name,
      advice=advice_of(answer),
      groups=group_probabilities(answer),
      remarks=seen.remarks,
      map=places,
      **record_of(answer),
    )

  async def distorted(self, content: bytes, steps: Sequence[Step], *, seed: int, size: int | None) -> bytes:
    """A PNG of the picture after the steps.

    Args:
      content: of a file.
      steps: see `distort_in_turn`; none: the picture as it is.
      seed: of what is random.
      size: of the central square of the picture it is taken, shrunk to at most this many pixels a side.

    Raises:
      BrokenPicture: the file cannot be read.
      InputError: an unknown kind, or values outside its bounds; `TooLarge`.
    """
    image = await self._pixels(content, size)
    made = await self._in(self._studio, self._distort, image, steps, seed) if steps else image
    return await self._in(self._eyes, _png, made)

  async def sweep(self, content: bytes, kind: str, *, seed: int, size: int | None) -> Sweep:
    """What the network says of the picture as a distortion grows; arguments and errors as of `distorted`."""
    found = DISTORTIONS.find(kind)
    image = await self._pixels(content, size)
    answers = []
    async with together() as group:
      for severity in _SEVERITIES:
        made = await self._in(self._studio, self._distort, image, [Step(kind, severity)], seed)
        answers.append(group.create_task(self._judge(Image.fromarray(made))))
    said = [own.result() for own in answers]
    own = [next((f for f in answer.findings if f.kind == kind), None) for answer in said]
    groups = [next((g.probability for g in answer.groups if g.group == found.group), None) for answer in said]
    return Sweep(
      kind=kind,
      group=found.group,
      recognised=own[0] is not None,
      severities=_SEVERITIES,
      probabilities=None if own[0] is None else [round(f.probability, 4) for f in own if f],
      group_probabilities=None if groups[0] is None else [round(p, 4) for p in groups if p is not None],
      estimated=[None if f is None or f.severity is None else round(f.severity, 4) for f in own],
    )

  def _look(self, content: bytes, maps: bool) -> _Seen:
    """In one go, so that of many pictures of a request no more are held whole than threads decode."""
    picture, error, remarks = _read(content, self._limits.pixels)
    if picture is None:
      return _Seen([], None, error, "")
    return _Seen(looks_at(self.recogniser, picture), at_viewing_scale(picture) if maps else None, "", remarks)

  async def _judge(self, picture: Image.Image) -> Answer:
    return await self._answer(await self._in(self._eyes, looks_at, self.recogniser, picture))

  async def _answer(self, looks: list[TiledPicture]) -> Answer:
    return await asyncio.wrap_future(self._batcher.submit(looks))

  async def _pixels(self, content: bytes, size: int | None) -> np.ndarray:
    return await self._in(self._eyes, _canvas, content, size, self._limits)

  def _distort(self, image: np.ndarray, steps: Sequence[Step], seed: int) -> np.ndarray:
    self._programs |= {(step.distortion, image.shape) for step in steps}
    if len(self._programs) > _MOST_PROGRAMS:
      forget_programs()
      self._programs = set()
    return distort_in_turn(image, steps, key=jax.random.key(seed))

  async def _in(self, pool: ThreadPoolExecutor, work: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(pool, work, *arguments)

  def _count(self, answer: Answer) -> None:
    self._metrics.pictures.labels("unclear" if answer.unclear else "clean" if answer.clean else "spoiled").inc()
    for group in answer.groups:
      if group.found:
        self._metrics.found.labels(group.group).inc()


def _read(content: bytes, pixels: int) -> tuple[Image.Image | None, str, str]:
  """As `read_noting`; of more pixels nothing is read."""
  with at_most(pixels):
    return read_noting(None, read_picture, content)


def _canvas(content: bytes, size: int | None, limits: Limits) -> np.ndarray:
  """uint8 [H, W, 3]."""
  picture, error, _ = _read(content, limits.pixels)
  if picture is None:
    raise BrokenPicture(error)
  if size is not None:
    side = min(size, *picture.size)
    picture = ImageOps.fit(picture, (side, side), Image.Resampling.BICUBIC)
  if picture.width * picture.height > limits.distorted_pixels or max(picture.size) > limits.distorted_side:
    most = f"{limits.distorted_pixels:,} pixels, and a side {limits.distorted_side:,}"
    raise TooLarge(f"to be distorted, a picture may have {most}; ask for a size")
  return np.asarray(picture)


def _png(image: np.ndarray) -> bytes:
  stream = io.BytesIO()
  Image.fromarray(image).save(stream, "PNG", compress_level=1)  # it is looked at once, and waited for
  return stream.getvalue()


def _places_in(recogniser: Recogniser, picture: Image.Image) -> Places:
  maps = locate(recogniser, picture)

  def rows_of(own: np.ndarray) -> list[list[float | None]]:
    return [[None if np.isnan(p) else round(float(p), 4) for p in row] for row in own]

  return Places(
    rows=maps.centres.shape[0],
    columns=maps.centres.shape[1],
    row_centres=maps.centres[:, 0, 0].tolist(),
    column_centres=maps.centres[0, :, 1].tolist(),
    probabilities={group: rows_of(maps.of(group)) for group in maps.groups},
  )
