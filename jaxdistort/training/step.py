"""The training step: clean pictures in, one update out, all in one `jax.jit`."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import dm_pix as pix
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax.sharding import Mesh

from jaxdistort.models import run_network
from jaxdistort.protocols import Protocol, Samples, distort_sharded
from jaxdistort.sharding import replicated


class TrainState(NamedTuple):
  """All that a step changes.

  Attributes:
    step: int32 [], updates made so far.
    parameters: trainable variables of the network, float32.
    statistics: its other variables (running means of batch normalisation).
    optimizer: state of the optimiser.
  """

  step: jax.Array
  parameters: Any
  statistics: Any
  optimizer: Any


class StepMetrics(NamedTuple):
  """float32 [] each: mean loss and accuracy of the batch, norm of its gradient, norm of the updated parameters."""

  loss: jax.Array
  accuracy: jax.Array
  gradient_norm: jax.Array
  parameter_norm: jax.Array


def create_state(
  build: Callable[[nnx.Rngs], nnx.Module], optimizer: optax.GradientTransformation, seed: int, mesh: Mesh
) -> tuple[nnx.GraphDef, TrainState]:
  """A network's structure, and its state with fresh weights on the devices of `mesh`."""

  def initial() -> TrainState:
    _, parameters, statistics = nnx.split(build(nnx.Rngs(seed)), nnx.Param, ...)
    parameters, statistics = nnx.to_pure_dict(parameters), nnx.to_pure_dict(statistics)
    return TrainState(jnp.zeros((), jnp.int32), parameters, statistics, optimizer.init(parameters))

  structure = nnx.split(nnx.eval_shape(lambda: build(nnx.Rngs(seed))))[0]
  return structure, jax.jit(initial, out_shardings=replicated(mesh))()


Sampler = Callable[[jax.Array, jax.Array], Samples]


def make_sampler(protocol: Protocol, mesh: Mesh, *, seed: int, flip: bool) -> Sampler:
  """A function `(step, clean images uint8 [B, S, S, 3]) -> Samples`: what step number `step` trains on.

  Everything random in a step comes from `fold_in(seed, step)`, so a resumed run equals an unbroken one.
  """
  distort = distort_sharded(protocol, mesh)

  def sample(step: jax.Array, images: jax.Array) -> Samples:
    distortion_key, flip_key = jax.random.split(jax.random.fold_in(jax.random.key(seed), step))
    if flip:
      flip_keys = jax.random.split(flip_key, images.shape[0])
      images = jnp.asarray(jax.vmap(pix.random_flip_left_right)(flip_keys, images))
    return distort(distortion_key, images, step.astype(jnp.uint32) * np.uint32(images.shape[0]))

  return sample


def make_train_step(
  structure: nnx.GraphDef, optimizer: optax.GradientTransformation, sample: Sampler, mesh: Mesh
) -> Callable[[TrainState, jax.Array], tuple[TrainState, StepMetrics]]:
  """Compiles the step `(state, clean images) -> (state, metrics)`; the state that goes in is donated (gone)."""

  @functools.partial(jax.jit, donate_argnums=0, out_shardings=(replicated(mesh), replicated(mesh)))
  def train_step(state: TrainState, images: jax.Array) -> tuple[TrainState, StepMetrics]:
    samples = sample(state.step, images)

    def loss_of(parameters: Any) -> tuple[jax.Array, tuple[jax.Array, Any]]:
      logits, statistics = run_network(structure, parameters, state.statistics, samples.images, train=True)
      losses = optax.softmax_cross_entropy_with_integer_labels(logits, samples.labels)
      return jnp.mean(losses), (jnp.mean(jnp.argmax(logits, -1) == samples.labels), statistics)

    (loss, (accuracy, statistics)), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.parameters)
    updates, optimizer_state = optimizer.update(gradients, state.optimizer, state.parameters)
    parameters = optax.apply_updates(state.parameters, updates)
    metrics = StepMetrics(loss, accuracy, optax.tree.norm(gradients), optax.tree.norm(parameters))
    return TrainState(state.step + 1, parameters, statistics, optimizer_state), metrics

  return train_step
