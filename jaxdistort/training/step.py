"""The training step: clean pictures in, one update out, all in one `jax.jit`; and many steps in one."""

import dataclasses
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


@dataclasses.dataclass(frozen=True)
class Update:
  """One step, to be compiled: `(state, frozen variables, clean images) -> (state, metrics)`.

  Nothing is differentiated by the frozen variables, so what a frozen layer computes is not kept for a
  backward pass.

  Attributes:
    structure: of the network.
    task: gives loss and rightness.
    optimizer: makes an update of a gradient.
    sample: makes the batch that is trained on.
    mesh: over whose devices the batch and, in its fsdp groups, large arrays are split.
    seed: of everything random.
    accumulate: parts of the batch that go through the network one after the other, for less memory; the update is that
      of the whole batch (but batch normalisation takes each part for a batch).
  """

  structure: nnx.GraphDef
  task: Task
  optimizer: optax.GradientTransformation
  sample: Sampler
  mesh: Mesh
  seed: int
  accumulate: int = 1

  def __call__(self, state: TrainState, frozen: Any, images: jax.Array) -> tuple[TrainState, StepMetrics]:
    if self.accumulate == 1:
      (distorted, targets), key = self.sample(state.step, images), self._key(state)
      return self.apply(state, *self._gradient(state, state.statistics, frozen, distorted, targets, key))
    parts = self.parts(state, images)

    def add(carried: tuple[Any, Any], part: tuple[Any, ...]) -> tuple[tuple[Any, Any], None]:
      return self.add(state, frozen, carried, part), None

    return self.apply(state, *lax.scan(add, self.nothing(state), parts)[0])

  def parts(self, state: TrainState, images: jax.Array) -> tuple[Any, ...]:
    """The batch of a step in its parts: their numbers int32 [n], images and targets [n, B / n, ...]."""
    parts = (_parts(each, self.accumulate, self.mesh) for each in self.sample(state.step, images))
    return jnp.arange(self.accumulate), *parts

  def nothing(self, state: TrainState) -> tuple[Any, Any]:
    """Sums of no part, and the statistics before the first."""
    return (jnp.float32(0), jnp.float32(0), jax.tree.map(jnp.zeros_like, state.parameters)), state.statistics

  def add(self, state: TrainState, frozen: Any, carried: tuple[Any, Any], part: tuple[Any, ...]) -> tuple[Any, Any]:
    """The sums with one more part."""
    (sums, statistics), (index, images, targets) = carried, part
    key = jax.random.fold_in(self._key(state), index)
    own, statistics = self._gradient(state, statistics, frozen, images, targets, key)
    return jax.tree.map(lambda total, each: total + each / self.accumulate, sums, own), statistics

  def apply(self, state: TrainState, sums: Any, statistics: Any) -> tuple[TrainState, StepMetrics]:
    """The state after a step with these means of loss, rightness and gradient."""
    loss, accuracy, gradients = sums
    gradients = lax.with_sharding_constraint(gradients, split_large(gradients, self.mesh))
    updates, optimizer_state = self.optimizer.update(gradients, state.optimizer, state.parameters)
    parameters = optax.apply_updates(state.parameters, updates)
    metrics = StepMetrics(loss, accuracy, optax.tree.norm(gradients), optax.tree.norm(parameters))
    after = TrainState(state.step + 1, parameters, statistics, optimizer_state), metrics
    return lax.with_sharding_constraint(after, split_large(after, self.mesh))

  def _key(self, state: TrainState) -> jax.Array:
    """Of the network's own draws in a step."""
    return step_keys(self.seed, state.step)[2]

  def _gradient(
    self, state: TrainState, statistics: Any, frozen: Any, images: jax.Array, targets: Any, key: jax.Array
  ) -> tuple[Any, Any]:
    """Loss, rightness and gradient of some pictures, and the statistics after them."""

    def loss_of(parameters: Any) -> tuple[jax.Array, tuple[jax.Array, Any]]:
      # Gathered here, split weights are whole where they are used, and their gradient is summed into its parts.
      whole, fixed = lax.with_sharding_constraint((parameters, frozen), replicated(self.mesh))
      outputs, after = run_network(self.structure, Variables(whole, statistics, fixed), images, train_key=key)
      right = self.task.right(outputs, targets)
      return jnp.mean(self.task.losses(outputs, targets)), (jnp.mean(right), after)

    (loss, (accuracy, after)), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.parameters)
    return (loss, accuracy, gradients), after


def _parts(batch: Any, count: int, mesh: Mesh) -> Any:
  """A tree of [B, ...] -> of [count, B / count, ...]: in each part as many rows of every device, so that none moves."""

  def divide(rows: jax.Array) -> jax.Array:
    devices, rest = mesh.devices.size, rows.shape[1:]
    parts = rows.reshape(devices, count, -1, *rest).swapaxes(0, 1).reshape(count, -1, *rest)
    return lax.with_sharding_constraint(parts, NamedSharding(mesh, P(None, DATA_AXES)))

  return jax.tree.map(divide, batch)


Step = Callable[..., tuple[TrainState, StepMetrics]]


def make_train_step(update: Update) -> Step:
  """Compiles a step `(state, frozen variables, clean images) -> (state, metrics)`; the state that goes in is gone."""
  if _in_programs(update):
    return _make_step_in_parts(update)
  return jax.jit(update, donate_argnums=0)


def _in_programs(update: Update) -> bool:
  """Whether the parts of a batch are programs of their own; see `_make_step_in_parts`."""
  return update.accumulate > 1 and update.mesh.devices.flat[0].platform == "cpu"


def _make_step_in_parts(update: Update) -> Step:
  """The same step as several programs.

  On CPU a convolution inside a loop is many times slower, and a loop that is unrolled keeps all of its parts in memory.
  """
  divide = jax.jit(update.parts)
  begin = jax.jit(update.nothing)
  add = jax.jit(update.add, donate_argnums=2)
  apply = jax.jit(update.apply, donate_argnums=0)

  def step(state: TrainState, frozen: Any, images: jax.Array) -> tuple[TrainState, StepMetrics]:
    parts, carried = divide(state, images), begin(state)
    for index in range(update.accumulate):
      carried = add(state, frozen, carried, jax.tree.map(lambda part, index=index: part[index], parts))
    return apply(state, *carried)

  return step


def make_train_steps(update: Update, order: Order, *, batch_size: int, most: int) -> Step:
  """Compiles `(state, frozen variables, resident images, count) -> (state, metrics)`: `count` steps in one dispatch.

  The pictures of step k are those at positions k B to (k + 1) B of the order, as on the host. The state that goes in is
  gone. One compilation serves every `count` up to `most`; the metrics are float32 [most], zero beyond `count` (of a
  single step float32 []).
  """
  take = make_take(update.mesh)

  def numbers(step: jax.Array) -> jax.Array:
    return order.numbers(step.astype(jnp.uint32) * np.uint32(batch_size) + jnp.arange(batch_size, dtype=jnp.uint32))

  if most == 1:  # a loop would slow the convolutions down on CPU
    # Programs of their own: in one, XLA's CPU backend computes the order anew for every byte that is looked up.
    step, look_up, numbers_of = make_train_step(update), jax.jit(take), jax.jit(numbers)
    return lambda state, frozen, images, count: step(state, frozen, look_up(images, numbers_of(state.step)))

  @functools.partial(jax.jit, donate_argnums=0)
  def train_steps(state: TrainState, frozen: Any, images: jax.Array, count: jax.Array) -> tuple[TrainState, Any]:
    def step(turn: jax.Array, carried: Any) -> Any:
      state, rows = carried
      # Accelerators heed a barrier instead.
      batch = take(images, lax.optimization_barrier(numbers(state.step)))
      state, metrics = update(state, frozen, batch)
      return state, jax.tree.map(lambda column, value: column.at[turn].set(value), rows, metrics)

    empty = StepMetrics(*(jnp.zeros(most, jnp.float32) for _ in StepMetrics._fields))
    return lax.fori_loop(0, count, step, (state, empty))

  return train_steps
