"""A stage of a protocol: every picture gets one of its kinds of distortion, or none."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions import DISTORTIONS
from jaxdistort.distortions.distributions import Distribution
from jaxdistort.shuffle import mix32, permute

UNTOUCHED = -1
"""The choice of a picture to which a stage does nothing."""


@dataclasses.dataclass(frozen=True)
class Kind:
  """One thing that a stage may do to a picture.

  Attributes:
    name: of the distortion, in `DISTORTIONS`.
    distributions: parameter name -> distribution; parameters that are left out keep their default.
    share: how many of the stage's period of pictures get it.
  """

  name: str
  distributions: Mapping[str, Distribution] = dataclasses.field(default_factory=dict)
  share: int = 1


@dataclasses.dataclass(frozen=True)
class Stage:
  """Kinds that exclude each other.

  The pictures of an endless stream are numbered. In every `period` of them each kind comes exactly `share` times, in
  turn or, if `shuffled`, in an order that only the number of the period decides: any run of pictures holds the kinds
  in their shares to within one period, and picture t gets the same kind however the stream is divided.

  Attributes:
    kinds: in the order of their turn.
    untouched: share of the pictures to which nothing is done; they come before the kinds.
    shuffled: needed where a protocol has several stages, which would else take their turns together.
  """

  kinds: tuple[Kind, ...]
  untouched: int = 0
  shuffled: bool = False

  @property
  def pattern(self) -> np.ndarray:
    """The choices of one period in turn, int32 [period]: index of a kind, or `UNTOUCHED`."""
    shares = [self.untouched, *(kind.share for kind in self.kinds)]
    return np.repeat(np.arange(UNTOUCHED, len(self.kinds), dtype=np.int32), shares)

  @property
  def period(self) -> int:
    return len(self.pattern)

  def choose(self, numbers: jax.Array, salt: int) -> jax.Array:
    """What pictures number uint32 [B] get, int32 [B]; stages of other `salt` choose independently."""
    period = np.uint32(self.period)
    slots = numbers % period
    if self.shuffled:
      deck = mix32(mix32(numbers // period) + np.uint32(salt * 0x9E3779B9 % 2**32))
      slots = permute(slots, self.period, deck)
    return jnp.asarray(self.pattern)[slots]

  def most(self, count: int) -> list[int]:
    """The most pictures of each kind that any run of `count` pictures can hold."""
    period = self.period
    if not self.shuffled:
      turns = np.tile(self.pattern, -(-count // period) + 1)
      windows = [turns[start : start + count] for start in range(period)]
      return [max(int(np.sum(window == k)) for window in windows) for k in range(len(self.kinds))]
    heads = range(min(period, count))  # pictures of the run that belong to a period begun before it
    return [
      max(
        min(k.share, head) + (count - head) // period * k.share + min(k.share, (count - head) % period)
        for head in heads
      )
      for k in self.kinds
    ]

  def apply(
    self, keys: jax.Array, images: jax.Array, choices: jax.Array, levels: list[dict[str, jax.Array]]
  ) -> jax.Array:
    """Distorts every picture with the kind that it got; no op sees a picture that is not its own.

    On CPU each kind's pictures are taken one by one, as many as there are. Accelerators take them all at once, in as
    many places as a run of this length may need: exactly the pictures that there are where the period divides their
    number, at most a few places more elsewhere (which repeat a picture, and are thrown away).

    Args:
      keys: [B], of the ops.
      images: uint8 [B, H, W, 3].
      choices: int32 [B], of `choose`.
      levels: for each kind, parameter name -> float32 [B].

    Returns:
      uint8 [B, H, W, 3].
    """
    count = images.shape[0]
    order = jnp.argsort(choices)  # stable
    ends = jnp.cumsum(jnp.bincount(choices + 1, length=len(self.kinds) + 1))  # of each kind's run in the order
    for k, (kind, most) in enumerate(zip(self.kinds, self.most(count), strict=True)):
      run = _Run(DISTORTIONS[kind.name], order, ends[k], ends[k + 1], most)
      images = lax.platform_dependent(keys, images, levels[k], cpu=run.one_by_one, default=run.at_once)
    return images

  def describe(self) -> dict[str, Any]:
    """Ready for JSON."""
    kinds = [
      {"name": k.name, "share": k.share, "parameters": {n: d.describe() for n, d in k.distributions.items()}}
      for k in self.kinds
    ]
    return {"untouched": self.untouched, "shuffled": self.shuffled, "kinds": kinds}


@dataclasses.dataclass(frozen=True)
class _Run:
  """The pictures of one kind: those at places first..end - 1 of `order`, at most `most`."""

  op: Callable[..., jax.Array]
  order: jax.Array
  first: jax.Array
  end: jax.Array
  most: int

  def one_by_one(self, keys: jax.Array, images: jax.Array, levels: dict[str, jax.Array]) -> jax.Array:
    def distort(place: jax.Array, images: jax.Array) -> jax.Array:
      number = self.order[place]
      own = {name: values[number] for name, values in levels.items()}
      return images.at[number].set(self.op(keys[number], images[number], **own))

    return lax.fori_loop(self.first, self.end, distort, images)

  def at_once(self, keys: jax.Array, images: jax.Array, levels: dict[str, jax.Array]) -> jax.Array:
    places = self.first + jnp.arange(self.most)
    numbers = self.order[jnp.minimum(places, self.end - 1)]
    own = {name: values[numbers] for name, values in levels.items()}
    distorted = jax.vmap(lambda key, image, own: self.op(key, image, **own))(keys[numbers], images[numbers], own)
    return images.at[jnp.where(places < self.end, numbers, len(images))].set(distorted, mode="drop")
