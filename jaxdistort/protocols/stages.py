"""A stage of a protocol: every picture gets one of its kinds of distortion, or none."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.protocols.kinds import Kind
from jaxdistort.shuffle import mix32, permute

UNTOUCHED = -1
"""The choice of a picture to which a stage does nothing."""


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
    turns: the choices of a period, where shares do not say it all: places of kinds, or `UNTOUCHED`.
    deck: stages that have the same are shuffled alike, and take their `turns` together; by default each has its own.
  """

  kinds: tuple[Kind, ...]
  untouched: int = 0
  shuffled: bool = False
  turns: tuple[int, ...] | None = None
  deck: int | None = None

  @property
  def pattern(self) -> np.ndarray:
    """The choices of one period in turn, int32 [period]: index of a kind, or `UNTOUCHED`."""
    if self.turns is not None:
      return np.array(self.turns, np.int32)
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
      own = salt if self.deck is None else ~self.deck
      deck = mix32(mix32(numbers // period) + np.uint32(own * 0x9E3779B9 % 2**32))
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
    shares = [int(np.sum(self.pattern == k)) for k in range(len(self.kinds))]
    return [
      max(min(own, head) + (count - head) // period * own + min(own, (count - head) % period) for head in heads)
      for own in shares
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
      run = _Run(kind.distortion, order, ends[k], ends[k + 1], most)
      images = lax.platform_dependent(keys, images, levels[k], cpu=run.one_by_one, default=run.at_once)
    return images

  def describe(self) -> dict[str, Any]:
    """Ready for JSON."""
    described: dict[str, Any] = {"untouched": self.untouched, "shuffled": self.shuffled}
    if self.turns is not None:
      described |= {"turns": list(self.turns), "deck": self.deck}
    return {**described, "kinds": [kind.describe() for kind in self.kinds]}


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
