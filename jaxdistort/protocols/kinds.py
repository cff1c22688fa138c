"""A kind: a distortion in a stage of a protocol, and how its parameters are drawn."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxdistort.distortions import DISTORTIONS, Distortion
from jaxdistort.distortions.distributions import Distribution, distribution_of
from jaxdistort.distortions.severities import Setting
from jaxdistort.distortions.severities.perceptual import graded_parameters, severity_of
from jaxdistort.errors import InputError

_OF_SEVERITY = 200  # the draw that decides a severity or a level; those before are the parameters' own


@dataclasses.dataclass(frozen=True)
class Kind:
  """One thing that a stage may do to a picture.

  Parameters are drawn one by one, each on its own; or by a perceptual severity that is drawn; or one of some levels is.
  One that nothing is said of has its default, by severity what the registry says.

  Attributes:
    name: of the distortion, in `DISTORTIONS`.
    distributions: parameter name -> distribution; they come before those of a severity.
    share: how many of the stage's period of pictures get it.
    severity: distribution of the perceptual severity, within 0..1.
    levels: settings of all parameters, as a severity table has them, in equal parts.
    severities: of the levels, within 0..1; the perceptual ones if none are given.
  """

  name: str
  distributions: Mapping[str, Distribution] = dataclasses.field(default_factory=dict)
  share: int = 1
  severity: Distribution | None = None
  levels: tuple[Setting, ...] = ()
  severities: tuple[float, ...] = ()

  @property
  def distortion(self) -> Distortion:
    return DISTORTIONS[self.name]

  def check(self, protocol: str) -> None:
    """Refuses what the op would not take.

    Raises:
      InputError: an unknown name, or a distribution that may leave the bounds; names the protocol.
    """
    distortion, where = DISTORTIONS.find(self.name, f"protocol {protocol}: kind"), f"protocol {protocol}"
    settings = [self.distributions, *self.levels]
    for setting in settings:
      for name, value in setting.items():
        distribution = distribution_of(value)
        distortion.check(name, *distribution.support, where, whole=distribution.whole)
    if self.severity is not None and not 0 <= self.severity.support[0] <= self.severity.support[1] <= 1:
      low, high = self.severity.support
      raise InputError(f"{where}: severity of {self.name}: expected values within 0..1, got {low:g}..{high:g}")
    if self.severity is not None and self.levels:
      raise InputError(f"{where}: {self.name}: expected a severity or levels, got both")
    if self.severities and (len(self.severities) != len(self.levels) or not all(0 <= s <= 1 for s in self.severities)):
      found = f"{len(self.severities)} for {len(self.levels)} levels: {self.severities}"
      raise InputError(f"{where}: severities of {self.name}: expected one within 0..1 for every level, got {found}")

  def draw(self, key: jax.Array, offset: int) -> tuple[dict[str, jax.Array], jax.Array]:
    """What a picture would get: every parameter, and the severity, float32 [], perceptual unless its levels have own.

    Args:
      key: of the picture.
      offset: of the stage's draws; the same for all its kinds, which exclude each other.
    """

    def drawn(value: float | Distribution, place: int) -> jax.Array:
      return distribution_of(value).draw(jax.random.fold_in(key, offset + place))

    own, strength = {}, None
    if self.severity is not None:
      strength = drawn(self.severity, _OF_SEVERITY)
      own = graded_parameters(self.name, strength)
    if self.levels:
      turn = jax.random.randint(jax.random.fold_in(key, offset + _OF_SEVERITY), (), 0, len(self.levels))
    for place, parameter in enumerate(self.distortion.parameters, 1):
      name = parameter.name
      if name in self.distributions:
        own[name] = drawn(self.distributions[name], place)
      elif self.levels:
        own[name] = jnp.stack([drawn(level[name], place) for level in self.levels])[turn]
      elif name not in own:
        by_severity = strength is not None and parameter.drawn is not None
        own[name] = drawn(parameter.drawn if by_severity else parameter.default, place)
    if self.severities:
      return own, jnp.asarray(self.severities, jnp.float32)[turn]
    return own, severity_of(self.name, own)

  def describe(self) -> dict[str, Any]:
    """Ready for JSON."""
    shown = {n: d.describe() for n, d in self.distributions.items()}
    described: dict[str, Any] = {"name": self.name, "share": self.share, "parameters": shown}
    if self.severity is not None:
      described["severity"] = self.severity.describe()
    if self.levels:
      described["levels"] = [{n: distribution_of(v).describe() for n, v in level.items()} for level in self.levels]
    if self.severities:
      described["severities"] = list(self.severities)
    return described
