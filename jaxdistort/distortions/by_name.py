"""Distorted pictures by the name of a distortion, and a severity or parameters: one call."""

import functools
from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np

from jaxdistort.distortions.checks import concrete_numbers
from jaxdistort.distortions.distributions import Constant, Distribution, distribution_of
from jaxdistort.distortions.registry import DISTORTIONS, Distortion, Parameter
from jaxdistort.distortions.severities import SEVERITY_TABLES, Entry
from jaxdistort.distortions.severities.perceptual import graded_parameters
from jaxdistort.errors import InputError

Images = TypeVar("Images", np.ndarray, jax.Array)

_OF_PARAMETERS = 1000  # draws of a picture for its parameters begin here; the op's own are before


def names(source: str | None = None) -> tuple[str, ...]:
  """The distortions that `distort` knows; with a source, those of its severity table, by the source's own names.

  Raises:
    InputError: there is no such table.
  """
  return tuple(DISTORTIONS if source is None else SEVERITY_TABLES.find(source, "source").entries)


def distort(
  images: Images,
  distortion: str,
  *,
  severity: Any = None,
  source: str | None = None,
  key: jax.Array | None = None,
  **parameters: Any,
) -> Images:
  """Distorts a picture, or each picture of a batch with its own strength.

  The strength is a severity of a source's table, a perceptual severity, or given by parameters:

    distort(images, "defocus_blur", severity=3, source="imagenet_c")
    distort(images, "defocus_blur", severity=0.4)
    distort(images, "defocus_blur", radius=[1.5, 4.5])

  Compiled once for each distortion and shape of the batch; the pictures are distorted on the default device (or where
  they are, if they are JAX arrays), and NumPy arrays come back, which waits for the device. May be called under
  `jax.jit`.

  Args:
    images: uint8 [H, W, 3] or [B, H, W, 3].
    distortion: a name among `names(source)`; with a source also the name in `DISTORTIONS`.
    severity: one, or one for each picture. With a source: a whole number from 1 on. Without: 0 (nothing changes; of
      `jpeg`, the best quality) to 1, equal for about equal loss (`severities.perceptual`).
    source: a severity table: one of `SEVERITY_TABLES`.
    key: of `jax.random.key`; needed where something is random. Picture i draws from `fold_in(key, i)`, a picture alone
      like picture 0.
    **parameters: one value, or one for each picture; they come before those of the severity. Without a severity, those
      that are left out have their defaults.

  Returns:
    Pictures of the same shape, NumPy if NumPy was given.

  Raises:
    InputError: an unknown name, a severity that the source does not have, a parameter outside its bounds, no key where
      one is needed, or images of another kind. Traced values cannot be looked at: they count as the nearest bound.
  """
  batch = _as_batch(images)
  entry = None if source is None else SEVERITY_TABLES.find(source, "source").entry(distortion)
  found = DISTORTIONS.find(entry.distortion if entry else distortion)
  count = batch.shape[0]
  own = {name: _one_each(name, value, count) for name, value in parameters.items()}
  for name, value in own.items():
    found.parameter(name)
    for number in concrete_numbers(value):
      found.check(name, number, number)
  if severity is not None:
    severity = _one_each("severity", severity, count)
  _check_severity(distortion, entry, severity)
  keys = None if key is None else jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(count))
  if keys is None and (found.random or _varies(found, entry, severity, own)):
    raise InputError(f"{distortion} is random: give it a key, such as key=jax.random.key(0)")
  keys = jax.random.split(jax.random.key(0), count) if keys is None else keys  # nothing draws from the former
  distorted = _compiled(found)(keys, batch, _settings(found, entry, severity, keys) | own)
  distorted = distorted if batch is images else distorted.reshape(np.shape(images))
  return cast("Images", distorted if isinstance(images, jax.Array) else np.asarray(distorted))


class Step(NamedTuple):
  """One of several distortions that follow each other; see `distort` for what they mean.

  Attributes:
    distortion: a name.
    severity: None where the parameters say how strong.
    source: a severity table; of no use without a severity.
    parameters: name -> value.
  """

  distortion: str
  severity: float | None = None
  source: str | None = None
  parameters: Mapping[str, float] = MappingProxyType({})


def distort_in_turn(images: Images, steps: Sequence[Step], *, key: jax.Array) -> Images:
  """Distorts a picture, or a batch, by one distortion after the other; step i draws from `fold_in(key, i)`.

  Raises:
    InputError: as `distort`.
  """
  for turn, (name, severity, source, parameters) in enumerate(steps):
    table = source if severity is not None else None
    own = jax.random.fold_in(key, turn)
    images = distort(images, name, severity=severity, source=table, key=own, **parameters)
  return images


def forget_programs() -> None:
  """Lets go of what `distort` compiled: in a process that lives long, programs of ever new shapes fill the memory."""
  for found in DISTORTIONS.values():
    _compiled(found).clear_cache()


def _candidates(parameter: Parameter, entry: Entry | None, severity: jax.Array | None) -> list[float | Distribution]:
  """What a parameter may be: a value or a distribution for each level of a table, else one."""
  if entry is not None:
    return [level[parameter.name] for level in entry.levels]
  return [parameter.default if severity is None or parameter.drawn is None else parameter.drawn]


def _varies(found: Distortion, entry: Entry | None, severity: jax.Array | None, given: Container[str]) -> bool:
  """Whether a parameter that is not given is drawn."""
  candidates = [_candidates(p, entry, severity) for p in found.parameters if p.name not in given]
  return any(isinstance(candidate, Distribution) for own in candidates for candidate in own)


def _settings(
  found: Distortion, entry: Entry | None, severity: jax.Array | None, keys: jax.Array
) -> dict[str, jax.Array]:
  """Every parameter float32 [B], at severities float32 [B] of a table's entry or of the perceptual scale."""
  levels = 1 if entry is None else len(entry.levels)
  places = jnp.zeros(len(keys), jnp.int32)
  if entry is not None and severity is not None:
    places = jnp.clip(severity.astype(jnp.int32) - 1, 0, levels - 1)
  settings = {}
  for position, parameter in enumerate(found.parameters):
    own = jax.vmap(jax.random.fold_in, (0, None))(keys, _OF_PARAMETERS + position)
    candidates = [distribution_of(value) for value in _candidates(parameter, entry, severity)]
    if all(isinstance(candidate, Constant) for candidate in candidates):
      values = np.array([candidate.support[0] for candidate in candidates], np.float32)
      settings[parameter.name] = jnp.asarray(values)[places]
    else:
      rows = jnp.stack([jax.vmap(candidate.draw)(own) for candidate in candidates])
      settings[parameter.name] = rows[places, jnp.arange(len(keys))]
  if entry is None and severity is not None:
    settings |= graded_parameters(found.name, severity)
  return settings


def _check_severity(name: str, entry: Entry | None, severity: jax.Array | None) -> None:
  if entry is not None and severity is None:
    raise InputError(f"{name}: expected a severity within 1..{len(entry.levels)}, since a source is given")
  for number in concrete_numbers(severity) if severity is not None else ():
    if entry is not None and number not in range(1, len(entry.levels) + 1):
      message = f"expected whole numbers within 1..{len(entry.levels)}, got {number:,.7g}"
      raise InputError(f"severity of {name}: {message}")
    if entry is None and not 0 <= number <= 1:
      message = f"expected values within 0..1 (levels of a table need its source), got {number:,.7g}"
      raise InputError(f"severity of {name}: {message}")


def _as_batch(images: Any) -> jax.Array:
  """uint8 [B, H, W, 3]."""
  batch = images if isinstance(images, jax.Array) else np.asarray(images)
  if batch.dtype != np.uint8 or batch.ndim not in (3, 4) or batch.shape[-1] != 3 or 0 in batch.shape:
    got = f"{batch.dtype} {list(batch.shape)}"
    raise InputError(f"images: expected uint8 [H, W, 3] or [B, H, W, 3], got {got}")
  return jnp.asarray(batch if batch.ndim == 4 else batch[None])


def _one_each(name: str, value: Any, count: int) -> jax.Array:
  """float32 [B]."""
  values = jnp.asarray(value, jnp.float32)
  if values.shape not in ((), (count,)):
    raise InputError(f"{name}: expected one number or {count}, one for each picture, got shape {list(values.shape)}")
  return jnp.broadcast_to(values, (count,))


@functools.cache
def _compiled(found: Distortion) -> Any:
  return jax.jit(jax.vmap(lambda key, image, own: found(key, image, **own)))
