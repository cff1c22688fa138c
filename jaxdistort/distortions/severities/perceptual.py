"""Perceptual severity: 0 (nothing changes, or as little as may be) to 1, such that equal severities lose about alike.

The loss of a picture is 1 - SSIM (1 - D / 50), with SSIM on its colour channels and D the mean difference in CIELAB
after smoothing by 2 px: what it loses in structure and in colour. At severity s the mean loss over photographs is
`LOSS_AT_ONE` s^2, until a distortion is at its strongest: its highest severity may be below 1. Measured by
`python -m benchmarks.severity`; the figures are in `perceptual.json`.
"""

import json
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxdistort.distortions.registry import DISTORTIONS

LOSS_AT_ONE = 0.6


class Scale(NamedTuple):
  """The severities of a distortion.

  Attributes:
    severities: rising from 0 to its highest.
    parameters: the graded ones, by name, at each of the severities.
    visible: the severity at which it begins to be seen: a mean SSIM loss of .01 between the distorted picture and the
      clean one, both coded as JPEG of quality 90.
    ssim: the mean SSIM at each of the severities.
    difference: the mean difference in CIELAB at each of the severities.
  """

  severities: tuple[float, ...]
  parameters: Mapping[str, tuple[float, ...]]
  visible: float
  ssim: tuple[float, ...]
  difference: tuple[float, ...]


def _read() -> dict[str, Scale]:
  text = resources.files("jaxdistort.distortions.severities").joinpath("perceptual.json").read_text(encoding="utf-8")
  return {name: Scale(**scale) for name, scale in json.loads(text).items()}


SCALES: Mapping[str, Scale] = MappingProxyType(_read())
"""The scales that are measured, by the name of the distortion."""


def graded_parameters(distortion: str, severity: jax.Array) -> dict[str, jax.Array]:
  """The parameters that grow with severity.

  Args:
    distortion: a name in `DISTORTIONS`. One whose scale is not measured grows linearly.
    severity: float32 of any shape, 0..1; traced. Above the highest of the distortion it counts as that.

  Returns:
    Parameter name -> float32, of the shape of `severity`.
  """
  own = DISTORTIONS[distortion]
  values = {}
  for name in own.graded:
    parameter = own.parameter(name)
    severities, knots = _knots(distortion, name)
    value = jnp.interp(severity, jnp.asarray(severities), jnp.asarray(knots))
    values[name] = jnp.round(value) if parameter.whole else value
  return values


def severity_of(distortion: str, parameters: Mapping[str, jax.Array]) -> jax.Array:
  """The severity, float32, at which the first graded parameter has the value that it has in `parameters`.

  A value on the other side of what changes nothing (a shift down, where shifts up are measured) counts as one as far
  from it on the measured side.
  """
  name = DISTORTIONS[distortion].graded[0]
  severities, knots = _knots(distortion, name)
  distance = jnp.abs(parameters[name] - knots[0])
  values = knots[0] + jnp.where(knots[-1] > knots[0], distance, -distance)
  if knots[0] > knots[-1]:
    knots, severities = knots[::-1], severities[::-1]
  return jnp.interp(values, jnp.asarray(knots), jnp.asarray(severities))


def visible_from(distortion: str) -> float:
  """The severity at which a distortion begins to be seen; at a loss of .01 where its scale is not measured."""
  return SCALES[distortion].visible if distortion in SCALES else (0.01 / LOSS_AT_ONE) ** 0.5


def _knots(distortion: str, name: str) -> tuple[np.ndarray, np.ndarray]:
  """Severities, rising, and the values of a parameter at them."""
  parameter = DISTORTIONS[distortion].parameter(name)
  if distortion not in SCALES:
    return np.array([0, 1], np.float32), np.array([parameter.weakest, parameter.strongest], np.float32)
  scale = SCALES[distortion]
  return np.array(scale.severities, np.float32), np.array(scale.parameters[name], np.float32)
