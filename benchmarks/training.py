"""The training step: how fast, how near to what the device can do, and what distortion and data take of it."""

import dataclasses
import importlib.util
import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from benchmarks.timing import Stopwatch, calling, photographs, rates
from benchmarks.torch_vgg import NOTE, training_turn
from jaxdistort.config import TrainConfig
from jaxdistort.data import default_workers, open_pictures, training_batches
from jaxdistort.errors import InputError
from jaxdistort.models import MODELS, Variables, merge_network, run_network
from jaxdistort.models.layers import scale_levels
from jaxdistort.runtime.mesh import create_mesh, data_sharding
from jaxdistort.training import create_state, make_sampler, make_train_step, make_update
from jaxdistort.training.optimizers import create_optimizer
from jaxdistort.models.weights import RANDOM

# Dense bfloat16 arithmetic, from NVIDIA's data sheets.
_DATA_SHEET_TERAFLOPS = {
  "NVIDIA H200": 989.0,
  "NVIDIA H100 80GB HBM3": 989.0,
  "NVIDIA H100 PCIe": 756.0,
  "NVIDIA A100-SXM4-80GB": 312.0,
  "NVIDIA A100-SXM4-40GB": 312.0,
  "NVIDIA L4": 121.0,
}


class _Step(NamedTuple):
  """A training step that is compiled and ready.

  Attributes:
    train: one step on a batch of clean pictures; returns its metrics.
    distort: what the step does to the batch first, alone.
    images: a batch, where the step wants it.
    flops: floating-point operations of the network in a step.
    compile_seconds, memory_bytes: of the step.
  """

  train: Callable[[jax.Array], Any]
  distort: Callable[[], Any]
  images: jax.Array
  flops: float
  compile_seconds: float
  memory_bytes: int


def time_training(
  config: TrainConfig, watch: Stopwatch, *, data: str | None = None, pytorch: bool = True
) -> tuple[list[dict[str, Any]], list[str]]:
  """The training step of a config, beside the same network's in PyTorch where there is one.

  The base of a transfer network has random weights here. `mfu` (model FLOPs utilisation) counts the
  network's arithmetic alone, against the best square matrix product measured on the same device in the
  same run, and `mfu_of_data_sheet` against what the maker says, where that is known. `memory_bytes` is
  what the compiled step holds at once: its arguments, results and intermediate values. `data_share` is
  the part of its time that training on `data` waits for pictures.

  Args:
    config: of the run.
    watch: measures.
    data: clean pictures, the config's unless given.
    pytorch: whether to look for PyTorch.

  Returns:
    Rows, ours first, and a line on PyTorch if it has none.
  """
  step = _prepare(config)
  turns = {"jaxdistort": calling(lambda: step.train(step.images)), "distortion": calling(step.distort)}
  torch_device, missing = "", _why_no_pytorch(config) if pytorch else []
  if pytorch and not missing:
    turns["PyTorch"], torch_device = training_turn(config, step.images)
  timings = watch.time(turns)
  watch.trace({name: turns[name] for name in ("jaxdistort", "distortion")})
  ceiling = measure_matmul_ceiling(watch)
  row = _row(config, step, timings["jaxdistort"].median, ceiling)
  row |= rates(timings["jaxdistort"], config.batch_size)
  row["distortion_seconds"] = timings["distortion"].median
  row["distortion_share"] = timings["distortion"].median / timings["jaxdistort"].median
  row |= _fed(config, step, data or config.data.source, watch.seconds)
  rows = [row]
  if "PyTorch" in timings:
    theirs = rates(timings["PyTorch"], config.batch_size)
    rows.append({"op": row["op"], "library": "PyTorch", "device": torch_device, **theirs, "note": NOTE})
    row["of_pytorch"] = row["pictures_per_second"] / theirs["pictures_per_second"]
  return rows, missing


def compare_with_full_training(config: TrainConfig, watch: Stopwatch, *, data: str | None = None) -> list[dict]:
  """A transfer network's step beside the step that trains all of it: two rows, the second with the ratios.

  Raises:
    InputError: the network has no base that could be frozen.
  """
  if not MODELS[config.model.name].pretrained or config.model.fine_tune:
    raise InputError(f"{config.model.name}: has no frozen base; give the config of a transfer network")
  full = dataclasses.replace(config, model=dataclasses.replace(config.model, fine_tune=True))
  whole, transfer = (time_training(each, watch, data=data, pytorch=False)[0][0] for each in (full, config))
  ratios = {f"{name}_of_full": transfer[name] / whole[name] for name in ("step_seconds", "memory_bytes")}
  return [whole, transfer | ratios]


def measure_matmul_ceiling(watch: Stopwatch) -> float:
  """Most floating-point operations a second of square matrix products on one device, over some sizes.

  In the type that networks compute in: bfloat16 on accelerators, float32 on CPU.
  """
  on_cpu = jax.default_backend() == "cpu"
  dtype, sides = (jnp.float32, (512, 1024, 2048)) if on_cpu else (jnp.bfloat16, (4096, 8192, 16384))
  product = jax.jit(jnp.matmul)
  turns = {}
  for side in sides:
    a, b = (jax.random.normal(jax.random.key(i), (side, side), dtype) for i in range(2))
    turns[str(side)] = calling(lambda a=a, b=b: product(a, b))
  timings = watch.time(turns)
  return max(2 * side**3 / timings[str(side)].median for side in sides)


def without_weights(config: TrainConfig) -> TrainConfig:
  """The config with random weights in place of pretrained ones, which are as fast."""
  if not MODELS[config.model.name].pretrained:
    return config
  return dataclasses.replace(config, model=dataclasses.replace(config.model, weights=RANDOM))


def _prepare(config: TrainConfig) -> _Step:
  config, size = without_weights(config), config.data.image_size
  mesh = create_mesh(config.fsdp)
  optimizer = create_optimizer(config.optimizer, config.steps)
  structure, state, frozen = create_state(config.create_network, optimizer, config.seed, mesh)
  sample = make_sampler(config.create_protocol(), mesh, seed=config.seed, size=size, augment=config.data.augment)
  step = make_train_step(
    make_update(structure, optimizer, sample, mesh, seed=config.seed, accumulate=config.accumulate), mesh
  )
  images = jax.device_put(photographs(config.batch_size, config.data.training_side), data_sharding(mesh))
  flops = _step_flops(structure, Variables(state.parameters, state.statistics, frozen), images[:, :size, :size])
  start = time.perf_counter()
  compiled = step.lower(state, frozen, images).compile()
  compiling = time.perf_counter() - start

  def train(images: jax.Array) -> Any:
    nonlocal state
    state, metrics = compiled(state, frozen, images)
    return metrics

  distortion_alone = jax.jit(sample)
  distort = lambda: distortion_alone(jnp.int32(1), images)  # noqa: E731
  return _Step(train, distort, images, flops, compiling, _memory(compiled.memory_analysis()))


def _row(config: TrainConfig, step: _Step, seconds: float, ceiling: float) -> dict[str, Any]:
  achieved, devices = step.flops / seconds, jax.device_count()
  data_sheet = _DATA_SHEET_TERAFLOPS.get(jax.devices()[0].device_kind)
  return {
    "op": f"training step of {config.model.name}",
    "library": "jaxdistort",
    "device": f"{devices} x {jax.devices()[0].device_kind}",
    "model": config.model.name,
    "fine_tune": config.model.fine_tune,
    "protocol": config.protocol.name,
    "batch_size": config.batch_size,
    "size": config.data.image_size,
    "step_seconds": seconds,
    "compile_seconds": step.compile_seconds,
    "memory_bytes": step.memory_bytes,
    "gigaflops_per_picture": step.flops / config.batch_size / 1e9,
    "teraflops_per_second": achieved / 1e12,
    "matmul_teraflops_per_second": ceiling * devices / 1e12,
    "mfu": achieved / (ceiling * devices),
    "mfu_of_data_sheet": achieved / (data_sheet * 1e12 * devices) if data_sheet else None,
  }


def _fed(config: TrainConfig, step: _Step, source: str, seconds: float) -> dict[str, Any]:
  """Steps on batches that come as in training, for about `seconds`: their speed, and the share spent waiting."""
  workers = config.data.workers if config.data.workers >= 0 else default_workers()
  waited, spent, steps = 0.0, 0.0, 0
  pictures, side, mesh = open_pictures(source, "train"), config.data.training_side, create_mesh(config.fsdp)
  order = pictures.order(config.seed)
  with training_batches(
    pictures, order, side=side, batch_size=config.batch_size, mesh=mesh, workers=workers
  ) as batches:
    # What was read ahead while the workers started would flatter.
    for _ in range(2 * workers + 3):
      jax.block_until_ready(step.train(next(batches).images))
    while steps < 3 or spent < seconds:
      start = time.perf_counter()
      images = next(batches).images
      waited += time.perf_counter() - start
      jax.block_until_ready(step.train(images))
      spent += time.perf_counter() - start
      steps += 1
  return {
    "data": source,
    "workers": workers,
    "data_share": waited / spent,
    "fed_pictures_per_second": steps * config.batch_size / spent,
  }


def _why_no_pytorch(config: TrainConfig) -> list[str]:
  if config.model.name != "vgg_scratch":
    return [f"PyTorch is left out: its step is there for vgg_scratch, not for {config.model.name}"]
  if config.optimizer.name != "rmsprop" or config.optimizer.clip_norm:
    return ["PyTorch is left out: its step is there for RMSProp without a clip"]
  if importlib.util.find_spec("torch") is None:
    return ["PyTorch is not installed: pip install 'jaxdistort[bench]'"]
  return []


def _step_flops(structure: nnx.GraphDef, variables: Variables, images: jax.Array) -> float:
  """Floating-point operations of a training step: a pass forward, and two backward where layers are trained."""

  def forward(variables: Variables) -> Any:
    return run_network(structure, variables, images, train_key=jax.random.key(0))

  def frozen_forward(variables: Variables) -> Any:
    network = merge_network(structure, variables)
    return network.backbone(scale_levels(images, network.input_scaling, network.dtype))

  def count(function: Callable[[Variables], Any]) -> float:
    return (jax.jit(function).lower(variables).cost_analysis() or {"flops": math.nan})["flops"]

  return 3 * count(forward) - (2 * count(frozen_forward) if variables.frozen else 0)


def _memory(analysis: Any) -> int:
  parts = (analysis.argument_size_in_bytes, analysis.output_size_in_bytes, analysis.temp_size_in_bytes)
  return sum(parts) - analysis.alias_size_in_bytes  # results that take the place of arguments count once
