"""What is known of each distortion: its op, its parameters, their units and ranges, the paper's constants."""

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jax

from jaxdistort.distortions.blur import gaussian_blur, motion_blur
from jaxdistort.distortions.jpeg import jpeg
from jaxdistort.distortions.noise import gaussian_noise
from jaxdistort.distortions.warp import marble, ripple, twirl


@dataclasses.dataclass(frozen=True)
class Parameter:
  """A physical parameter of a distortion.

  Attributes:
    name: as the op's argument is called.
    unit: px, levels, rad, ... or "" for a plain number.
    low, high: the range that makes sense on pictures of a few hundred pixels.
    paper: the constant of the paper's first data set; None where the paper has none.
  """

  name: str
  unit: str
  low: float
  high: float
  paper: float | None


@dataclasses.dataclass(frozen=True)
class Distortion:
  """A distortion: a callable `(key, image, **parameters) -> image`, both uint8 [H, W, 3].

  Attributes:
    name: unique; also the name of its class in a protocol.
    op: the op itself; its signature is its own.
    parameters: in the op's order.
    random: whether the op takes a key (first).
    options: static keyword arguments that tell this distortion from others of the same op.
  """

  name: str
  op: Callable[..., jax.Array]
  parameters: tuple[Parameter, ...]
  random: bool = False
  options: tuple[tuple[str, Any], ...] = ()

  def __call__(self, key: jax.Array, image: jax.Array, **parameters: Any) -> jax.Array:
    expected = [p.name for p in self.parameters]
    if sorted(parameters) != sorted(expected):
      raise TypeError(
        f"{self.name}: expected the parameters {', '.join(expected)}, got {', '.join(parameters) or 'none'}"
      )
    arguments = [key, image] if self.random else [image]
    return self.op(*arguments, *(parameters[name] for name in expected), **dict(self.options))

  @property
  def paper_constants(self) -> dict[str, float]:
    """The paper's value of every parameter.

    Raises:
      ValueError: the paper does not give this distortion constants.
    """
    constants = {p.name: p.paper for p in self.parameters if p.paper is not None}
    if len(constants) != len(self.parameters):
      raise ValueError(f"the paper gives no constants for {self.name}")
    return constants


def _noise_parameters() -> tuple[Parameter, ...]:
  return (Parameter("amount", "levels", 0, 100, 25), Parameter("density", "", 0, 1, 1))


_ALL = (
  Distortion("gaussian_blur", gaussian_blur, (Parameter("radius", "px", 0, 11, 10),)),
  Distortion(
    "motion_blur",
    motion_blur,
    (Parameter("distance", "px", 0, 64, 50), Parameter("angle", "rad", 0, 100, 90)),  # 90 rad: meant as degrees
  ),
  Distortion("gaussian_noise", gaussian_noise, _noise_parameters(), random=True),
  Distortion(
    "monochrome_noise",
    gaussian_noise,
    _noise_parameters(),
    random=True,
    options=(("monochrome", True),),
  ),
  Distortion(
    "marble",
    marble,
    (
      Parameter("x_scale", "px", 1, 64, 20),
      Parameter("y_scale", "px", 0, 64, 20),
      Parameter("turbulence", "", 0, 10, 5),
    ),
    random=True,
  ),
  Distortion("twirl", twirl, (Parameter("angle", "rad", -6.2832, 6.2832, 3), Parameter("radius", "px", 0, 512, 250))),
  Distortion(
    "ripple",
    ripple,
    (
      Parameter("x_amplitude", "px", 0, 32, 10),
      Parameter("x_wavelength", "px/rad", 1, 64, 10),
      Parameter("y_amplitude", "px", 0, 32, 10),
      Parameter("y_wavelength", "px/rad", 1, 64, 10),
    ),
  ),
  Distortion("jpeg", jpeg, (Parameter("quality", "", 1, 100, 75),)),
)

DISTORTIONS: Mapping[str, Distortion] = MappingProxyType({distortion.name: distortion for distortion in _ALL})
"""Every distortion by name."""
