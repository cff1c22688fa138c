"""Optimisers and learning rates, by name."""

import jax.numpy as jnp
import optax

from jaxdistort.config import OptimizerConfig


def rmsprop(learning_rate: optax.Schedule) -> optax.GradientTransformation:
  """RMSProp as Keras has it: rho 0.9, p -= lr g / (sqrt(v) + 1e-7), v from 0."""
  return optax.rmsprop(learning_rate, decay=0.9, eps=1e-7, eps_in_sqrt=False, initial_scale=0.0)


def adam(learning_rate: optax.Schedule) -> optax.GradientTransformation:
  """Adam (Kingma and Ba 2015) with Keras' epsilon."""
  return optax.adam(learning_rate, b1=0.9, b2=0.999, eps=1e-7)


def keras_decay(learning_rate: float, decay: float) -> optax.Schedule:
  """lr / (1 + decay * step): the `decay` argument of Keras 2's optimisers."""
  return lambda step: learning_rate / (1 + decay * jnp.asarray(step, jnp.float32))


_OPTIMIZERS = {"rmsprop": rmsprop, "adam": adam}


def create_schedule(config: OptimizerConfig, steps: int) -> optax.Schedule:
  """The learning rate by step, for a run of `steps`: `config.schedule` after a linear warm-up."""
  warmup = config.warmup_steps
  if config.schedule == "keras":
    main = keras_decay(config.learning_rate, config.decay)
  else:
    main = optax.cosine_decay_schedule(config.learning_rate, max(1, steps - warmup))
  if not warmup:
    return main
  ramp = optax.linear_schedule(config.learning_rate / (warmup + 1), config.learning_rate, warmup)
  return optax.join_schedules([ramp, main], [warmup])


def create_optimizer(config: OptimizerConfig, steps: int) -> optax.GradientTransformation:
  """The optimiser of a run of `steps`, behind a clip of the gradient's global norm where there is one."""
  optimizer = _OPTIMIZERS[config.name](create_schedule(config, steps))
  return optax.chain(optax.clip_by_global_norm(config.clip_norm), optimizer) if config.clip_norm else optimizer
