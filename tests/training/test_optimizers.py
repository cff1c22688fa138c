"""Optimisers against Keras' formulas, written out."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxdistort import config as configs
from jaxdistort.config import OptimizerConfig
from jaxdistort.training.optimizers import create_optimizer, create_schedule


def _run(config, gradients, steps=100):
  optimizer = create_optimizer(config, steps)
  update = jax.jit(optimizer.update)
  parameters = jnp.zeros(gradients.shape[1])
  state = optimizer.init(parameters)
  path = []
  for gradient in gradients:
    updates, state = update(jnp.asarray(gradient), state, parameters)
    parameters = optax.apply_updates(parameters, updates)
    path.append(parameters)
  return np.array(path)


_GRADIENTS = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)


def test_rmsprop_with_keras_decay():
  config = OptimizerConfig(name="rmsprop", learning_rate=0.01, schedule="keras", decay=0.1)
  parameters, mean_square, expected = np.zeros(5), np.zeros(5), []
  for step, gradient in enumerate(_GRADIENTS.astype(np.float64)):
    mean_square = 0.9 * mean_square + 0.1 * gradient**2
    parameters = parameters - 0.01 / (1 + 0.1 * step) * gradient / (np.sqrt(mean_square) + 1e-7)
    expected.append(parameters)
  np.testing.assert_allclose(_run(config, _GRADIENTS), expected, rtol=1e-5, atol=1e-7)


@pytest.fixture
def mixed_precision():
  """Optax's Adam mixes its int32 step with floats."""
  with jax.numpy_dtype_promotion("standard"):
    yield


@pytest.mark.usefixtures("mixed_precision")
def test_adam_with_keras_decay():
  config = OptimizerConfig(name="adam", learning_rate=0.01, schedule="keras", decay=0.1)
  parameters, mean, square, expected = np.zeros(5), np.zeros(5), np.zeros(5), []
  for step, gradient in enumerate(_GRADIENTS.astype(np.float64)):
    mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
    corrected = mean / (1 - 0.9 ** (step + 1)), square / (1 - 0.999 ** (step + 1))
    parameters = parameters - 0.01 / (1 + 0.1 * step) * corrected[0] / (np.sqrt(corrected[1]) + 1e-7)
    expected.append(parameters)
  np.testing.assert_allclose(_run(config, _GRADIENTS), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("mixed_precision")
def test_clipping_bounds_the_whole_gradient():
  config = OptimizerConfig(name="adam", learning_rate=0.01, clip_norm=0.5)
  np.testing.assert_allclose(_run(config, _GRADIENTS * 1e6), _run(config, _GRADIENTS * 2e6), rtol=1e-4)


@pytest.mark.parametrize("name", ["keras", "cosine"])
def test_schedules_warm_up_and_fall(name):
  config = OptimizerConfig(learning_rate=0.2, schedule=name, decay=0.01, warmup_steps=10)
  rates = np.asarray(jax.jit(jax.vmap(create_schedule(config, 100)))(jnp.arange(100.0)))
  assert np.all(np.diff(rates[:11]) > 0)
  np.testing.assert_allclose(rates[10], 0.2, rtol=1e-6)
  assert np.all(np.diff(rates[11:]) < 0)
  if name == "keras":
    np.testing.assert_allclose(rates[40], 0.2 / (1 + 0.01 * 30), rtol=1e-5)
  else:
    assert rates[-1] < 1e-3


def test_every_optimizer_and_schedule_of_the_config_exists():
  for optimizer in configs.OPTIMIZERS:
    for schedule in configs.SCHEDULES:
      create_optimizer(OptimizerConfig(name=optimizer, schedule=schedule), 10)
