"""Optimisers and learning rates, by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import jax
import jax.numpy as jnp
import optax


def rmsprop(learning_rate: optax.Schedule) -> optax.GradientTransformation:
  """RMSProp as Keras has it: rho 0.9, p -= lr g / (sqrt(v) + 1e-7), v from 0."""
  return optax.rmsprop(learning_rate, decay=0.9, eps=1e-7, eps_in_sqrt=False, initial_scale=0.0)


def adam(learning_rate: optax.Schedule) -> optax.GradientTransformation:
  """Adam (Kingma and Ba 2015) with Keras' epsilon."""
  return optax.adam(learning_rate, b1=0.9, b2=0.999, eps=1e-7)


def keras_decay(learning_rate: float, decay: float) -> optax.Schedule:
  """lr / (1 + decay * step): the `decay` argument of Keras 2's optimisers."""
  return lambda step: learning_rate / (1 + decay * jnp.asarray(step, jnp.float32))


OPTIMIZERS: Mapping[str, Callable[[optax.Schedule], optax.GradientTransformation]] = MappingProxyType(
  {"rmsprop": rmsprop, "adam": adam}
)
SCHEDULES = ("keras", "cosine")


def create_schedule(name: str, learning_rate: float, *, decay: float, warmup_steps: int, steps: int) -> optax.Schedule:
  """A learning rate by step: `name` after a linear warm-up from 0.

  Args:
    name: one of `SCHEDULES`.
    learning_rate: the highest.
    decay: of the keras schedule, per step.
    warmup_steps: 0 for none.
    steps: length of the run; where the cosine ends.
  """
  if name == "keras":
    main = keras_decay(learning_rate, decay)
  else:
    main = optax.cosine_decay_schedule(learning_rate, max(1, steps - warmup_steps))
  if not warmup_steps:
    return main

  def warmed_up(step: jax.typing.ArrayLike) -> jax.Array:
    step = jnp.asarray(step, jnp.float32)
    ramp = learning_rate * (step + 1) / (warmup_steps + 1)
    return jnp.where(step < warmup_steps, ramp, main(jnp.maximum(step - warmup_steps, 0)))

  return warmed_up


def create_optimizer(name: str, schedule: optax.Schedule, *, clip_norm: float = 0.0) -> optax.GradientTransformation:
  """One of `OPTIMIZERS`, behind a clip of the gradient's global norm where `clip_norm` is above 0."""
  optimizer = OPTIMIZERS[name](schedule)
  return optax.chain(optax.clip_by_global_norm(clip_norm), optimizer) if clip_norm else optimizer
