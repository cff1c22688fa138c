"""How a parameter of a distortion is drawn."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp


class _Distribution:
  """What distributions have in common; `whole`: they give whole numbers only."""

  whole = False

  def describe(self) -> dict[str, Any]:
    """Name and numbers, ready for JSON."""
    return {"distribution": type(self).__name__, **vars(self)}


@dataclasses.dataclass(frozen=True)
class Constant(_Distribution):
  """Always `value`."""

  value: float

  def draw(self, key: jax.Array) -> jax.Array:
    del key
    return jnp.float32(self.value)

  @property
  def support(self) -> tuple[float, float]:
    return self.value, self.value


@dataclasses.dataclass(frozen=True)
class Uniform(_Distribution):
  """Uniform in [low, high)."""

  low: float
  high: float

  def draw(self, key: jax.Array) -> jax.Array:
    return jax.random.uniform(key, (), jnp.float32, self.low, self.high)

  @property
  def support(self) -> tuple[float, float]:
    return self.low, self.high


@dataclasses.dataclass(frozen=True)
class UniformInteger(_Distribution):
  """Uniform over the whole numbers low..high, both included."""

  whole = True
  low: int
  high: int

  def draw(self, key: jax.Array) -> jax.Array:
    return jax.random.randint(key, (), self.low, self.high + 1).astype(jnp.float32)

  @property
  def support(self) -> tuple[float, float]:
    return self.low, self.high


@dataclasses.dataclass(frozen=True)
class Power(_Distribution):
  """low + (high - low) u^exponent, u uniform in [0, 1): above an exponent of 1 values near `low` are frequent;
  `low` may be the greater."""

  low: float
  high: float
  exponent: float

  def draw(self, key: jax.Array) -> jax.Array:
    return self.low + (self.high - self.low) * jnp.power(jax.random.uniform(key, (), jnp.float32), self.exponent)

  @property
  def support(self) -> tuple[float, float]:
    return min(self.low, self.high), max(self.low, self.high)


Distribution = Constant | Uniform | UniformInteger | Power
"""`draw(key) -> float32 []`, and `support`: the least and the greatest value that it may give."""


def distribution_of(value: float | Distribution) -> Distribution:
  """A number as a distribution."""
  return value if isinstance(value, Distribution) else Constant(value)
