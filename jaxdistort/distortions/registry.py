"""What is known of each distortion: its op, its parameters with units, bounds and defaults; the table of all of them.

A distortion joins by one call of `register`, beside its op.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax

from jaxdistort.distortions.checks import in_words, is_within
from jaxdistort.distortions.distributions import Distribution
from jaxdistort.errors import InputError, choose
from jaxdistort.registry import Registry

GROUPS = ("blur", "noise", "coding", "light", "colour", "resolution", "processing", "warp")
"""The families of distortions, by what they do to a picture."""


@dataclasses.dataclass(frozen=True)
class Parameter:
  """A physical parameter of a distortion.

  Attributes:
    name: as the op's argument is called.
    unit: px, levels, rad, ... or "" for a plain number.
    low, high: its bounds, both included: between them the op is right with its default static maxima.
    default: the value that it has where none is given.
    weakest: the value within the bounds at which it changes nothing, or least.
    whole: the op takes whole numbers only.
    drawn: how it is drawn where only a severity is asked for; None: it has its default there. Of no use to a parameter
      that grows with the severity.

  Raises:
    ValueError: bounds that are not finite or in the wrong order; a default or weakest value outside them.
  """

  name: str
  unit: str
  low: float
  high: float
  default: float
  weakest: float
  whole: bool = False
  drawn: Distribution | None = None

  def __post_init__(self) -> None:
    if not -math.inf < self.low < self.high < math.inf:
      raise ValueError(f"parameter {self.name}: expected low < high, both finite, got {self.low} and {self.high}")
    for what in ("default", "weakest"):
      if not self.low <= getattr(self, what) <= self.high:
        raise ValueError(f"parameter {self.name}: {what} {getattr(self, what)} is not within {self.bounds}")

  @property
  def strongest(self) -> float:
    """The bound that is farther from `weakest`."""
    return self.high if self.high - self.weakest >= self.weakest - self.low else self.low

  @property
  def bounds(self) -> str:
    """The bounds in words: "0..11 px"."""
    return in_words(self.low, self.high, self.unit)


@dataclasses.dataclass(frozen=True)
class Distortion:
  """A distortion: a callable `(key, image, **parameters) -> image`, both uint8 [H, W, 3].

  Attributes:
    name: unique; also the name of its kind in a protocol.
    op: the op itself; its signature is its own.
    parameters: in the op's order.
    group: one of `GROUPS`.
    random: whether the op takes a key (first).
    options: static keyword arguments that tell this distortion from others of the same op.
    graded: the parameters that grow together, each from its weakest to its strongest value, with the severity; the
      first one if none is named.

  Raises:
    ValueError: an unknown group, two parameters of one name, or a graded one that is not among them.
  """

  name: str
  op: Callable[..., jax.Array]
  parameters: tuple[Parameter, ...]
  random: bool = False
  options: tuple[tuple[str, Any], ...] = ()
  graded: tuple[str, ...] = ()
  group: str = dataclasses.field(kw_only=True)

  def __post_init__(self) -> None:
    if self.group not in GROUPS:
      raise ValueError(f"{self.name}: expected one of the groups {', '.join(GROUPS)}, got {self.group!r}")
    if len(self.defaults) != len(self.parameters):
      raise ValueError(f"{self.name}: two parameters have the same name")
    if not self.graded:
      object.__setattr__(self, "graded", tuple(self.defaults)[:1])
    if not set(self.graded) <= set(self.defaults):
      raise ValueError(f"{self.name}: expected graded parameters among {', '.join(self.defaults)}, got {self.graded}")

  def __call__(self, key: jax.Array, image: jax.Array, **parameters: Any) -> jax.Array:
    """Distorts one picture.

    Args:
      key: a PRNG key; unused where the distortion is not random.
      image: uint8 [H, W, 3].
      **parameters: scalars, traced or not; one that is left out has its default.

    Returns:
      uint8 [H, W, 3].

    Raises:
      TypeError: a parameter that the distortion does not have.
      ValueError: a concrete value that the op refuses. A traced value cannot be refused: see `check`.
    """
    values = self.defaults | parameters
    if len(values) != len(self.parameters):
      raise TypeError(f"{self.name}: expected the parameters {', '.join(self.defaults)}, got {', '.join(parameters)}")
    arguments = [key, image] if self.random else [image]
    return self.op(*arguments, *values.values(), **dict(self.options))

  @property
  def defaults(self) -> dict[str, float]:
    """The default of every parameter, in the op's order."""
    return {p.name: p.default for p in self.parameters}

  def parameter(self, name: str) -> Parameter:
    """The parameter of a name that a person gave.

    Raises:
      InputError: there is none; names those that there are.
    """
    by_name = {p.name: p for p in self.parameters}
    return by_name[choose(f"parameter of {self.name}", name, by_name)]

  def check(self, parameter: str, low: float, high: float, what: str = "", *, whole: bool = False) -> None:
    """Refuses values that the op would not take as they are.

    An op cannot look at a traced value: it gives the picture of the nearest value that it takes, while the level
    that is recorded stays what was asked for. Whoever lets parameters be drawn or swept calls this first, once.

    Args:
      parameter: its name.
      low, high: the least and the greatest value that will be given (the ends of a distribution's support).
      what: where the values come from, for the message: "protocol six".
      whole: only whole numbers will be given.

    Raises:
      InputError: an unknown parameter, values outside its bounds, not finite, or fractions where it takes none.
    """
    known = self.parameter(parameter)
    name = f"{what}: {self.name}.{parameter}" if what else f"{self.name}.{parameter}"
    given = f"{low:,.7g}" if low == high else in_words(low, high)
    inside = is_within(known.low, low, known.high) and is_within(low, high, known.high)
    if not inside:  # NaN is not
      raise InputError(f"{name}: expected values within {known.bounds}, got {given}")
    if known.whole and not ((whole or low == high) and float(low).is_integer() and float(high).is_integer()):
      any_of = "" if low == high else "any within "
      raise InputError(f"{name}: expected whole numbers within {known.bounds}, got {any_of}{given}")


DISTORTIONS: Registry[Distortion] = Registry("distortion")
"""Every distortion by name."""


def register(distortion: Distortion) -> Distortion:
  """Adds a distortion to `DISTORTIONS`, and returns it.

  Raises:
    ValueError: the name is taken.
  """
  return DISTORTIONS.register(distortion.name, distortion)


def check_parameters(distortion: str, ranges: Mapping[str, tuple[float, float]], what: str = "") -> None:
  """`Distortion.check` for several parameters, by names that a person gave.

  Args:
    distortion: a name in `DISTORTIONS`.
    ranges: the least and the greatest value that will be given for each parameter; those left out have their default.
    what: where the values come from, for the message.

  Raises:
    InputError: an unknown distortion or parameter, or values outside the bounds; names both.
  """
  found = DISTORTIONS.find(distortion, f"{what}: distortion" if what else None)
  for parameter, (low, high) in ranges.items():
    found.check(parameter, low, high, what)
