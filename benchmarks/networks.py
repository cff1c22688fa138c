"""The same network here, in PyTorch and in ONNX Runtime, on CPU in one run: its answers and its training step."""

import importlib.util
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from benchmarks.timing import Stopwatch, Turn, calling, photographs, rates
from benchmarks.torch_networks import answers_turn, build_network, layers_of, onnx_turn, scaled_planes, step_turn
from jaxdistort.models import Variables, create_model, run_network, split_network
from jaxdistort.runtime.compilation import jit_inference, jit_training
from jaxdistort.training.optimizers import adam, rmsprop

NETWORKS = {"compact": "adam", "vgg_scratch": "rmsprop"}
"""The networks that are there in all, and the optimiser of their training step."""

_OUTPUTS, _RATE = 7, 1e-4


def time_networks(
  watch: Stopwatch, name: str, *, size: int = 224, batch_size: int = 32
) -> tuple[list[dict[str, Any]], list[str]]:
  """Answers and training steps on one batch of pictures, without distortion.

  Args:
    watch: measures.
    name: one of `NETWORKS`.
    size: side of the pictures, px.
    batch_size: pictures a call.

  Returns:
    Rows, ours first of each kind, with our multiple of the other's speed; and a line on each library that is missing.
  """
  images = photographs(batch_size, size)
  missing = [
    f"{library} is left out: it wants the packages {' and '.join(packages)}"
    for library, packages in {"PyTorch": ("torch",), "ONNX Runtime": ("torch", "onnx", "onnxruntime")}.items()
    if not all(map(importlib.util.find_spec, packages))
  ]
  rows: list[dict[str, Any]] = []
  for kind, ours in (("answers", _answers), ("training step", _steps)):
    turns = {"jaxdistort": ours(name, images)} | _others(name, kind, images)
    timings = watch.time(turns)
    common = {"op": f"{kind} of {name}, {size} px", "model": name, "batch_size": batch_size, "size": size}
    found: list[dict[str, Any]] = [
      common | {"library": library} | rates(timing, batch_size) for library, timing in timings.items()
    ]
    for other in found[1:]:
      found[0][f"of_{other['library']}"] = found[0]["pictures_per_second"] / other["pictures_per_second"]
    rows += found
  return rows, missing


def _others(name: str, kind: str, images: jax.Array) -> dict[str, Turn]:
  if importlib.util.find_spec("torch") is None:
    return {}
  network = build_network(layers_of(name, images.shape[1], _OUTPUTS))
  scaled = scaled_planes(images)
  if kind != "answers":
    return {"PyTorch": step_turn(network, scaled, _OUTPUTS, NETWORKS[name], _RATE)}
  turns = {"PyTorch": answers_turn(network, scaled)}
  if all(map(importlib.util.find_spec, ("onnx", "onnxruntime"))):
    turns["ONNX Runtime"] = onnx_turn(network, scaled)
  return turns


def _answers(name: str, images: jax.Array) -> Turn:
  structure, variables = _network(name, images.shape[1])
  answer = jit_inference(lambda variables, images: run_network(structure, variables, images)[0])
  return calling(lambda: answer(variables, images))


def _steps(name: str, images: jax.Array) -> Turn:
  structure, variables = _network(name, images.shape[1])
  optimizer = {"adam": adam, "rmsprop": rmsprop}[NETWORKS[name]](lambda _: jnp.float32(_RATE))
  labels = jnp.arange(len(images)) % _OUTPUTS

  def update(state: Any, images: jax.Array) -> tuple[Any, jax.Array]:
    parameters, statistics, moments = state

    def loss_of(parameters: Any) -> tuple[jax.Array, Any]:
      whole = Variables(parameters, statistics, {})
      outputs, after = run_network(structure, whole, images, train_key=jax.random.key(0))
      return optax.softmax_cross_entropy_with_integer_labels(outputs, labels).mean(), after

    (loss, after), gradient = jax.value_and_grad(loss_of, has_aux=True)(parameters)
    updates, moments = optimizer.update(gradient, moments, parameters)
    return (optax.apply_updates(parameters, updates), after, moments), loss

  step: Callable[..., Any] = jit_training(update, donate_argnums=0)
  state = variables.parameters, variables.statistics, jax.jit(optimizer.init)(variables.parameters)

  def train() -> jax.Array:
    nonlocal state
    state, loss = step(state, images)
    return loss

  return calling(train)


def _network(name: str, size: int) -> tuple[nnx.GraphDef, Variables]:
  """A network with arbitrary weights, quickly."""
  structure, like = split_network(
    nnx.eval_shape(lambda: create_model(name, _OUTPUTS, image_size=size, rngs=nnx.Rngs(0)))
  )
  numbers = np.random.default_rng(0).standard_normal(2**16, np.float32)

  def drawn(leaf: Any) -> jax.Array:
    if leaf.ndim < 2 or leaf.dtype != jnp.float32:
      return jnp.ones(leaf.shape, leaf.dtype)
    return jnp.asarray(np.resize(numbers, leaf.shape) * np.float32((2 / np.prod(leaf.shape[:-1])) ** 0.5))

  return structure, jax.tree.map(drawn, like)
