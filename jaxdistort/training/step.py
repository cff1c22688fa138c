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
from jaxdistort.models import Variables, run_network
from jaxdistort.runtime.mesh import DATA_AXES, replicated, split_large
from jaxdistort.tasks import Task
from jaxdistort.training.sampling import Sampler, step_keys
from jaxdistort.training.state import TrainState


class StepMetrics(NamedTuple):
  """float32 [] each: means of loss and rightness of the batch, norm of its gradient, norm of the updated parameters.

  The rightness (see `Task.right`) is called accuracy, which it is where one class is asked for.
  """

  loss: jax.Array
  accuracy: jax.Array
  gradient_norm: jax.Array
  parameter_norm: jax.Array


Update = Callable[[TrainState, Any, jax.Array], tuple[TrainState, StepMetrics]]


def make_update(
  structure: nnx.GraphDef,
  task: Task,
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
    task: gives targets, loss and rightness.
    optimizer: makes an update of a gradient.
    sample: makes the batch that is trained on.
    mesh: over whose devices the batch and, in its fsdp groups, large arrays are split.
    seed: of everything random.
    accumulate: parts of the batch that go through the network one after the other, for less memory; the update is that
      of the whole batch (but batch normalisation takes each part for a batch).
  """

  def gradient(state: TrainState, frozen: Any, images: jax.Array, targets: Any, key: jax.Array) -> Any:
    def loss_of(parameters: Any) -> tuple[jax.Array, tuple[jax.Array, Any]]:
      # Gathered here, split weights are whole where they are used, and their gradient is summed into its parts.
      whole, fixed = lax.with_sharding_constraint((parameters, frozen), replicated(mesh))
      outputs, statistics = run_network(structure, Variables(whole, state.statistics, fixed), images, train_key=key)
      right = task.right(outputs, targets)
      return jnp.mean(task.losses(outputs, targets)), (jnp.mean(right), statistics)

    (loss, (accuracy, statistics)), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.parameters)
    return (loss, accuracy, gradients), statistics

  def accumulated(state: TrainState, frozen: Any, images: jax.Array, targets: Any, key: jax.Array) -> Any:
    def add(carried: Any, part: Any) -> tuple[Any, None]:
      sums, statistics = carried
      index, images, targets = part
      each, statistics = gradient(
        state._replace(statistics=statistics), frozen, _after(sums, images), targets, jax.random.fold_in(key, index)
      )
      return (jax.tree.map(lambda total, own: total + own / accumulate, sums, each), statistics), None

    parts = jnp.arange(accumulate), *(_parts(each, accumulate, mesh) for each in (images, targets))
    zeros = (jnp.float32(0), jnp.float32(0), jax.tree.map(jnp.zeros_like, state.parameters))
    # On CPU a convolution inside a loop is many times slower.
    unroll = accumulate if jax.default_backend() == "cpu" else 1
    return lax.scan(add, (zeros, state.statistics), parts, unroll=unroll)[0]

  def update(state: TrainState, frozen: Any, images: jax.Array) -> tuple[TrainState, StepMetrics]:
    distorted, targets = sample(state.step, images)
    *_, key = step_keys(seed, state.step)
    compute = gradient if accumulate == 1 else accumulated
    (loss, accuracy, gradients), statistics = compute(state, frozen, distorted, targets, key)
    gradients = lax.with_sharding_constraint(gradients, split_large(gradients, mesh))
    updates, optimizer_state = optimizer.update(gradients, state.optimizer, state.parameters)
    parameters = optax.apply_updates(state.parameters, updates)
    metrics = StepMetrics(loss, accuracy, optax.tree.norm(gradients), optax.tree.norm(parameters))
    return TrainState(state.step + 1, parameters, statistics, optimizer_state), metrics

  return update


def _after(gradients: Any, images: jax.Array) -> jax.Array:
  """The images as they are, but not before the gradients are there.

  Parts of a batch that are unrolled would all be in memory at once; XLA removes barriers before it plans the memory, so
  the images depend on a zero that it cannot know.
  """
  zero = sum((leaf.ravel()[0] * 0 for leaf in jax.tree.leaves(gradients)), jnp.float32(0))
  return images + zero.astype(images.dtype)


def _parts(batch: Any, count: int, mesh: Mesh) -> Any:
  """A tree of [B, ...] -> of [count, B / count, ...]: in each part as many rows of every device, so that none moves."""

  def divide(rows: jax.Array) -> jax.Array:
    devices, rest = mesh.devices.size, rows.shape[1:]
    parts = rows.reshape(devices, count, -1, *rest).swapaxes(0, 1).reshape(count, -1, *rest)
    return lax.with_sharding_constraint(parts, NamedSharding(mesh, P(None, DATA_AXES)))

  return jax.tree.map(divide, batch)


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
