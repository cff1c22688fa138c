"""What an op accepts, checked where it costs nothing: shapes while tracing, values only if concrete."""

import math
from typing import Any

import jax
import jax.numpy as jnp
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
  op: str, name: str, value: Any, low: float = -math.inf, high: float = math.inf, hint: str = ""
) -> jax.Array:
  """Returns `value` as float32 within [low, high].

  A concrete value outside (or not a number) raises ValueError; a traced one, which cannot be looked
  at, is clipped. Looking at a concrete array waits for it (a sync point, outside jit only).
  """
  if not isinstance(value, Tracer) and jnp.ndim(value) == 0 and not low <= float(value) <= high:
    bounds = (
      "a number" if low == -math.inf else f"at least {low:g}" if high == math.inf else f"within {low:g}..{high:g}"
    )
    raise ValueError(f"{op}: {name} must be {bounds}, got {float(value):g}{hint}")
  return jnp.clip(jnp.asarray(value, jnp.float32), low, high)
