"""What an op accepts, checked where it costs nothing: shapes while tracing, values only if concrete."""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer


def check_image(op: str, image: jax.Array) -> None:
  """Raises unless `image` is uint8 [H, W, 3] with at least one pixel."""
  shape, dtype = jnp.shape(image), jnp.result_type(image)
  if len(shape) != 3 or shape[2] != 3 or min(shape) < 1:
    hint = " (for a batch, use jax.vmap)" if len(shape) == 4 else ""
    raise ValueError(f"{op}: expected one picture, uint8 [H, W, 3], got shape {list(shape)}{hint}")
  if dtype != jnp.uint8:
    raise TypeError(f"{op}: expected uint8 levels 0..255, got {dtype}")


def bounded(
  op: str, name: str, value: Any, low: float, high: float, unit: str = "", *, whole: bool = False, hint: str = ""
) -> jax.Array:
  """Returns `value` as float32 within [low, high], both finite.

  A concrete value outside (or not finite, or a fraction where only whole numbers will do) raises
  ValueError, and so does one of many that `jax.vmap` maps over outside jit. A traced one, which cannot be looked at, is
  clipped, and stays NaN if it is NaN (see `known`). Looking at a concrete array waits for it (a sync point, outside jit
  only).
  """
  if jnp.ndim(value) != 0:
    raise ValueError(f"{op}: {name} must be one number, got shape {list(jnp.shape(value))} (for a batch, use jax.vmap)")
  for number in concrete_numbers(value):
    if not is_within(low, number, high) or (whole and number % 1):
      kind = "a whole number within" if whole else "within"
      raise ValueError(f"{op}: {name} must be {kind} {in_words(low, high, unit)}, got {number:,.7g}{hint}")
  return jnp.clip(jnp.asarray(value, jnp.float32), low, high)


def is_within(low: float, number: float, high: float) -> bool:
  """Whether a number lies within bounds in float32, as ops compute: what is nearest to a bound is the bound."""
  with np.errstate(over="ignore"):  # becomes infinite, and lies outside
    least, given, most = np.array([low, number, high], np.float64).astype(np.float32)
  return bool(least <= given <= most)


def concrete_numbers(value: Any) -> list[float]:
  """The extreme numbers, and a fraction if there is one, of all that a parameter stands for; none if it is traced."""
  while isinstance(value, Tracer):
    value = getattr(value, "val", None)  # of one that is mapped over: what over
    if not isinstance(value, jax.Array | np.ndarray):
      return []
  if isinstance(value, jax.Array) and not value.is_fully_addressable:  # parts lie with other processes
    return []
  try:
    numbers = np.ravel(np.asarray(value, np.float64))
  except OverflowError:  # a whole number of hundreds of digits
    numbers = np.array([math.inf if value > 0 else -math.inf])
  fractions = numbers[numbers != np.trunc(numbers)][:1]  # NaN too
  return [*fractions.tolist(), float(numbers.min()), float(numbers.max())] if numbers.size else []


def check_maximum(op: str, name: str, value: float, largest: int) -> int:
  """Returns the whole number of pixels that holds a static maximum; raises unless it lies within 0..largest."""
  if not 0 <= value <= largest:
    raise ValueError(f"{op}: {name} must be within {in_words(0, largest, 'px')}, got {value:,.7g}")
  return math.ceil(value)


def known(*parameters: jax.Array) -> tuple[jax.Array, ...]:
  """What an op computes with where a traced parameter may be NaN.

  A NaN must not look like a picture of some strength, and what it becomes as a whole number or an index
  is not defined. So the picture is black: the op limits its levels to the last value returned.

  Returns:
    The parameters, 1 (which every parameter may be) for those that are NaN; then float32 255, 0 if any is NaN.
  """
  unknown = [jnp.isnan(parameter) for parameter in parameters]
  values = [jnp.where(nan, 1.0, parameter) for nan, parameter in zip(unknown, parameters, strict=True)]
  return *values, jnp.where(functools.reduce(jnp.logical_or, unknown), 0.0, 255.0)


def in_words(low: float, high: float, unit: str = "") -> str:
  """A range for messages: "0..11 px"."""
  return f"{low:,.7g}..{high:,.7g} {unit}".strip()
