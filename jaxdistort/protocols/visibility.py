"""How much of a distortion can still be seen, under what came after it.

The loss of a distortion at severity s is `LOSS_AT_ONE` s^2 (`distortions.severities.perceptual`). A later one leaves a
share of it: the loss between the picture with both and the picture with the later one alone, by the loss of the first
alone. The shares depend on the groups of both and on both severities; they are measured by `benchmarks/severity.py`,
the figures are in `masking.json`. What is left is visible by loss / (loss + least), where `least` is the loss at which
the distortion begins to be seen.
"""

import functools
import itertools
import json
from collections.abc import Sequence
from importlib import resources

import jax
import jax.numpy as jnp
import numpy as np

from jaxdistort.distortions import DISTORTIONS, GROUPS
from jaxdistort.distortions.severities.perceptual import LOSS_AT_ONE, visible_from


@functools.cache
def masking() -> np.ndarray:
  """The share that is left, float32 [G, G, N, N]: of a group, under a group, at N severities even in 0..1 of each."""
  text = resources.files("jaxdistort.protocols").joinpath("masking.json").read_text(encoding="utf-8")
  shares: dict[str, dict[str, list[list[float]]]] = json.loads(text)
  return np.array([[shares[first][later] for later in GROUPS] for first in GROUPS], np.float32)


def loss_of(severity: jax.Array) -> jax.Array:
  """The loss of a distortion that nothing hides, float32 of the shape of its severity."""
  return LOSS_AT_ONE * jnp.square(severity)


def share_left(kinds: Sequence[str], severity: jax.Array, later: jax.Array, strength: jax.Array) -> jax.Array:
  """The share of the loss of each kind that a later distortion of the same picture leaves.

  Args:
    kinds: K names.
    severity: float32 [K] of the kinds.
    later: int32 [], place in `GROUPS` of the later distortion's group.
    strength: float32 [], its severity; 0 where there is none.

  Returns:
    float32 [K], 0..1.
  """
  table = jnp.asarray(masking())
  own = jnp.asarray([GROUPS.index(DISTORTIONS[kind].group) for kind in kinds])
  steps = table.shape[-1] - 1
  row, column = severity * steps, jnp.broadcast_to(strength * steps, severity.shape)
  below = [jnp.clip(jnp.floor(x), 0, steps - 1) for x in (row, column)]
  total = jnp.zeros_like(severity)
  for corner in itertools.product((0, 1), (0, 1)):
    places = [low + step for low, step in zip(below, corner, strict=True)]
    weight = (1 - jnp.abs(row - places[0])) * (1 - jnp.abs(column - places[1]))
    total += weight * table[own, later, *(place.astype(jnp.int32) for place in places)]
  return jnp.where(strength > 0, jnp.clip(total, 0, 1), 1)


def visibility_of(kinds: Sequence[str], loss: jax.Array) -> jax.Array:
  """float32 [K], 0..1, of kinds whose losses float32 [K] are left: a half where one begins to be seen."""
  return loss / (loss + jnp.asarray([LOSS_AT_ONE * visible_from(kind) ** 2 for kind in kinds], jnp.float32))
