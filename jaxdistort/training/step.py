"""The training step: clean pictures in, one update out, all in one `jax.jit`; and many steps in one."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import lax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from jaxdistort.data import Order, make_take
from jaxdistort.models import Variables, run_network, split_network
from jaxdistort.runtime.mesh import DATA_AXES, replicated, split_large
from jaxdistort.training.sampling import Sampler, step_keys
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

  Weights are drawn from `seed`, but for those of the network's base if there is a file of them. Large arrays are
  split within the mesh's fsdp groups.

  Raises:
    InputError: an array is missing in the file, or has another shape.
  """
  structure, like = split_network(nnx.eval_shape(lambda: build(nnx.Rngs(seed))))
  loaded = load_base(base, like, replicated(mesh)) if base else Variables({}, {}, {})

  def initial(loaded: Variables) -> tuple[TrainState, Any]:
    fresh = split_network(build(nnx.Rngs(seed)))[1]
    parameters, statistics, frozen = (drawn | given for drawn, given in zip(fresh, loaded, strict=True))
    return TrainState(jnp.zeros((), jnp.int32), parameters, statistics, optimizer.init(parameters)), frozen

  shardings = split_large(jax.eval_shape(initial, loaded), mesh)
  return structure, *jax.jit(initial, out_shardings=shardings, donate_argnums=0)(loaded)


Update = Callable[[TrainState, Any, jax.Array], tuple[TrainState, StepMetrics]]


def make_update(
  structure: nnx.GraphDef,
  optimizer: optax.GradientTransformation,
  sample: Sampler,
  mesh: Mesh,
  *,
  seed: int,
  accumulate: int = 1,
) -> Update:
  """One step, to be compiled: `(state, frozen variables, clean images) -> (state, metrics)`.

  Nothing is differentiated by the frozen variables, so what a frozen layer computes is not kept for a
  backward pass.

  Args:
    structure: of the network.
    optimizer: makes an update of a gradient.
    sample: makes the batch that is trained on.
    mesh: over whose devices the batch and, in its fsdp groups, large arrays are split.
    seed: of everything random.
    accumulate: parts of the batch that go through the network one after the other, for less memory; the update is that
      of the whole batch (but batch normalisation takes each part for a batch).
  """

  def gradient(state: TrainState, frozen: Any, images: jax.Array, labels: jax.Array, key: jax.Array) -> Any:
    def loss_of(parameters: Any) -> tuple[jax.Array, tuple[jax.Array, Any]]:
      # Gathered here, split weights are whole where they are used, and their gradient is summed into its parts.
      whole, fixed = lax.with_sharding_constraint((parameters, frozen), replicated(mesh))
      logits, statistics = run_network(structure, Variables(whole, state.statistics, fixed), images, train_key=key)
      losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
      return jnp.mean(losses), (jnp.mean(jnp.argmax(logits, -1) == labels), statistics)

    (loss, (accuracy, statistics)), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.parameters)
    return (loss, accuracy, gradients), statistics

  def accumulated(state: TrainState, frozen: Any, images: jax.Array, labels: jax.Array, key: jax.Array) -> Any:
    def add(carried: Any, part: Any) -> tuple[Any, None]:
      sums, statistics = carried
      index, images, labels = part
      each, statistics = gradient(
        state._replace(statistics=statistics), frozen, images, labels, jax.random.fold_in(key, index)
      )
      return (jax.tree.map(lambda total, own: total + own / accumulate, sums, each), statistics), None

    parts = jnp.arange(accumulate), _parts(images, accumulate, mesh), _parts(labels, accumulate, mesh)
    zeros = (jnp.float32(0), jnp.float32(0), jax.tree.map(jnp.zeros_like, state.parameters))
    # On CPU a convolution inside a loop is many times slower.
    unroll = accumulate if jax.default_backend() == "cpu" else 1
    return lax.scan(add, (zeros, state.statistics), parts, unroll=unroll)[0]

  def update(state: TrainState, frozen: Any, images: jax.Array) -> tuple[TrainState, StepMetrics]:
    samples = sample(state.step, images)
    *_, key = step_keys(seed, state.step)
    compute = gradient if accumulate == 1 else accumulated
    (loss, accuracy, gradients), statistics = compute(state, frozen, samples.images, samples.labels, key)
    gradients = lax.with_sharding_constraint(gradients, split_large(gradients, mesh))
    updates, optimizer_state = optimizer.update(gradients, state.optimizer, state.parameters)
    parameters = optax.apply_updates(state.parameters, updates)
    metrics = StepMetrics(loss, accuracy, optax.tree.norm(gradients), optax.tree.norm(parameters))
    return TrainState(state.step + 1, parameters, statistics, optimizer_state), metrics

  return update


def _parts(rows: jax.Array, count: int, mesh: Mesh) -> jax.Array:
  """[B, ...] -> [count, B / count, ...]: of every device's rows the same number in each part, so that none moves."""
  devices, rest = mesh.devices.size, rows.shape[1:]
  parts = rows.reshape(devices, count, -1, *rest).swapaxes(0, 1).reshape(count, -1, *rest)
  return lax.with_sharding_constraint(parts, NamedSharding(mesh, P(None, DATA_AXES)))


def make_train_step(update: Update, mesh: Mesh) -> jax.stages.Wrapped:
  """Compiles a step `(state, frozen variables, clean images) -> (state, metrics)`; the state that goes in is gone."""

  @functools.partial(jax.jit, donate_argnums=0)
  def train_step(state: TrainState, frozen: Any, images: jax.Array) -> tuple[TrainState, StepMetrics]:
    after, metrics = update(state, frozen, images)
    return lax.with_sharding_constraint((after, metrics), split_large((after, metrics), mesh))

  return train_step


def make_train_steps(update: Update, order: Order, mesh: Mesh, *, batch_size: int, most: int) -> jax.stages.Wrapped:
  """Compiles `(state, frozen variables, resident images, count) -> (state, metrics)`: `count` steps in one dispatch.

  The pictures of step k are those at positions k B to (k + 1) B of the order, as on the host. The state that goes in is
  gone. One compilation serves every `count` up to `most`; the metrics are float32 [most], zero beyond `count`.
  """
  take = make_take(mesh)

  @functools.partial(jax.jit, donate_argnums=0)
  def train_steps(state: TrainState, frozen: Any, images: jax.Array, count: jax.Array) -> tuple[TrainState, Any]:
    def step(turn: jax.Array, carried: Any) -> Any:
      state, rows = carried
      positions = state.step.astype(jnp.uint32) * np.uint32(batch_size) + jnp.arange(batch_size, dtype=jnp.uint32)
      state, metrics = update(state, frozen, take(images, order.numbers(positions)))
      state = lax.with_sharding_constraint(state, split_large(state, mesh))
      return state, jax.tree.map(lambda column, value: column.at[turn].set(value), rows, metrics)

    empty = StepMetrics(*(jnp.zeros(most, jnp.float32) for _ in StepMetrics._fields))
    if most == 1:
      return step(jnp.int32(0), (state, empty))  # a loop would slow the convolutions down on CPU
    return lax.fori_loop(0, count, step, (state, empty))

  return train_steps
