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

from jaxdistort.models import Variables, run_network, split_network
from jaxdistort.protocols import Protocol, Samples, distort_sharded
from jaxdistort.sharding import replicated
from jaxdistort.weights import WeightsFile, load_base


class TrainState(NamedTuple):
  """All that a step changes.

  Attributes:
    step: int32 [], updates made so far.
    parameters: trainable variables of the network, float32.
    statistics: running means and variances of its batch normalisation.
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
  build: Callable[[nnx.Rngs], nnx.Module],
  optimizer: optax.GradientTransformation,
  seed: int,
  mesh: Mesh,
  base: WeightsFile | None = None,
) -> tuple[nnx.GraphDef, TrainState, Any]:
  """A network's structure, its state on the devices of `mesh`, and its frozen variables there.

  Weights are drawn from `seed`, but for those of the network's base if there is a file of them.

  Raises:
    InputError: an array is missing in the file, or has another shape.
  """
  structure, like = split_network(nnx.eval_shape(lambda: build(nnx.Rngs(seed))))
  loaded = load_base(base, like, replicated(mesh)) if base else Variables({}, {}, {})

  @functools.partial(jax.jit, out_shardings=replicated(mesh), donate_argnums=0)
  def initial(loaded: Variables) -> tuple[TrainState, Any]:
    fresh = split_network(build(nnx.Rngs(seed)))[1]
    parameters, statistics, frozen = (drawn | given for drawn, given in zip(fresh, loaded, strict=True))
    return TrainState(jnp.zeros((), jnp.int32), parameters, statistics, optimizer.init(parameters)), frozen

  return structure, *initial(loaded)


def step_keys(seed: int, step: jax.Array) -> jax.Array:
  """The keys of one step: of its distortions, its flips, its dropout."""
  return jax.random.split(jax.random.fold_in(jax.random.key(seed), step), 3)


Sampler = Callable[[jax.Array, jax.Array], Samples]


def make_sampler(protocol: Protocol, mesh: Mesh, *, seed: int, flip: bool) -> Sampler:
  """A function `(step, clean images uint8 [B, S, S, 3]) -> Samples`: what step number `step` trains on.

  Everything random in a step comes from `fold_in(seed, step)`, so a resumed run equals an unbroken one.
  """
  distort = distort_sharded(protocol, mesh)

  def sample(step: jax.Array, images: jax.Array) -> Samples:
    distortion_key, flip_key, _ = step_keys(seed, step)
    if flip:
      flip_keys = jax.random.split(flip_key, images.shape[0])
      images = jnp.asarray(jax.vmap(pix.random_flip_left_right)(flip_keys, images))
    return distort(distortion_key, images, step.astype(jnp.uint32) * np.uint32(images.shape[0]))

  return sample


def make_train_step(
  structure: nnx.GraphDef, optimizer: optax.GradientTransformation, sample: Sampler, mesh: Mesh, *, seed: int
) -> jax.stages.Wrapped:
  """Compiles the step `(state, frozen variables, clean images) -> (state, metrics)`.

  The state that goes in is donated (gone). Nothing is differentiated by the frozen variables, so what a
  frozen layer computes is not kept for a backward pass.
  """

  @functools.partial(jax.jit, donate_argnums=0, out_shardings=(replicated(mesh), replicated(mesh)))
  def train_step(state: TrainState, frozen: Any, images: jax.Array) -> tuple[TrainState, StepMetrics]:
    samples = sample(state.step, images)
    *_, dropout_key = step_keys(seed, state.step)

    def loss_of(parameters: Any) -> tuple[jax.Array, tuple[jax.Array, Any]]:
      variables = Variables(parameters, state.statistics, frozen)
      logits, statistics = run_network(structure, variables, samples.images, train_key=dropout_key)
      losses = optax.softmax_cross_entropy_with_integer_labels(logits, samples.labels)
      return jnp.mean(losses), (jnp.mean(jnp.argmax(logits, -1) == samples.labels), statistics)

    (loss, (accuracy, statistics)), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.parameters)
    updates, optimizer_state = optimizer.update(gradients, state.optimizer, state.parameters)
    parameters = optax.apply_updates(state.parameters, updates)
    metrics = StepMetrics(loss, accuracy, optax.tree.norm(gradients), optax.tree.norm(parameters))
    return TrainState(state.step + 1, parameters, statistics, optimizer_state), metrics

  return train_step
