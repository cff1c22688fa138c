"""How fast things are: median of synchronised calls, with what it ran on."""

import dataclasses
import math
import platform
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxdistort.checkpoints import TrainedModel, load_trained
from jaxdistort.config import TrainConfig
from jaxdistort.data import default_workers, open_pictures
from jaxdistort.data.folder import SamplePhotographs
from jaxdistort.distortions import DISTORTIONS, jpeg
from jaxdistort.errors import InputError
from jaxdistort.evaluation.quality import measure_sharded
from jaxdistort.evaluation.sweeping import Sweep, run_sweeps
from jaxdistort.models import MODELS, Variables, merge_network, run_network
from jaxdistort.models.layers import scale_levels
from jaxdistort.protocols import PROTOCOLS
from jaxdistort.sharding import create_mesh, data_sharding, replicated
from jaxdistort.training import create_state, make_sampler, make_train_step, make_update
from jaxdistort.training.optimizers import create_optimizer
from jaxdistort.weights.base import RANDOM

# Dense bfloat16 arithmetic, from NVIDIA's data sheets. Devices that are not listed get no MFU.
_PEAK_TERAFLOPS = {
  "NVIDIA H200": 989.0,
  "NVIDIA H100 80GB HBM3": 989.0,
  "NVIDIA H100 PCIe": 756.0,
  "NVIDIA A100-SXM4-80GB": 312.0,
  "NVIDIA A100-SXM4-40GB": 312.0,
  "NVIDIA L4": 121.0,
}


class Timing(NamedTuple):
  """Seconds a call: median and quartiles; and the first call, compilation included."""

  median: float
  lower: float
  upper: float
  first: float


def time_calls(call: Callable[[], Any], *, seconds: float = 3.0, at_least: int = 5) -> Timing:
  """Times calls, each until its result is there, for about `seconds` after one that is not counted."""
  start = time.perf_counter()
  jax.block_until_ready(call())
  first = time.perf_counter() - start
  spent: list[float] = []
  while len(spent) < at_least or sum(spent) < seconds:
    start = time.perf_counter()
    jax.block_until_ready(call())
    spent.append(time.perf_counter() - start)
  lower, median, upper = np.percentile(spent, [25, 50, 75])
  return Timing(float(median), float(lower), float(upper), first)


def describe_machine() -> dict[str, Any]:
  """What a figure belongs to."""
  device = jax.devices()[0]
  return {
    "device": f"{jax.device_count()} x {device.device_kind}",
    "processor": platform.processor() or platform.machine(),
    "jax": jax.__version__,
    "python": platform.python_version(),
  }


def photographs(count: int, size: int) -> jax.Array:
  """Sample photographs uint8 [count, size, size, 3]."""
  samples = SamplePhotographs()
  return jnp.asarray(np.stack([samples.load(i * 67 % len(samples), size) for i in range(count)]))


def time_distortions(*, batch_size: int, size: int, seconds: float) -> list[dict[str, Any]]:
  """Each op with a parameter for every picture (the paper's constants), then each protocol: rows."""
  images, keys = photographs(batch_size, size), jax.random.split(jax.random.key(0), batch_size)
  calls: dict[str, Callable[[], Any]] = {}
  for name, distortion in DISTORTIONS.items():
    levels = {p: jnp.full(batch_size, v, jnp.float32) for p, v in distortion.paper_constants.items()}
    op = jax.jit(jax.vmap(lambda key, image, own, op=distortion: op(key, image, **own)))
    calls[name] = lambda op=op, levels=levels: op(keys, images, levels)
    if name == "gaussian_blur":
      varied = {"radius": jnp.linspace(1, 11, batch_size, endpoint=False, dtype=jnp.float32)}
      calls["gaussian_blur, radius 1 to 11"] = lambda op=op, levels=varied: op(keys, images, levels)
  for name, protocol in PROTOCOLS.items():
    distort = jax.jit(protocol().distort)
    calls[f"protocol {name}"] = lambda distort=distort: distort(jax.random.key(0), images)
  rows = []
  for name, call in calls.items():
    timing = time_calls(call, seconds=seconds)
    rows.append({
      "op": name,
      "library": "jaxdistort",
      "pictures_per_second": batch_size / timing.median,
      "quartiles": [batch_size / timing.upper, batch_size / timing.lower],
      "compile_seconds": timing.first - timing.median,
      "batch_size": batch_size,
      "size": size,
    })  # fmt: skip
  return rows


def time_training(config: TrainConfig, *, seconds: float) -> dict[str, Any]:
  """The training step of a config, the share of it that the distortions take, and its share of the device's peak.

  The base of a transfer network has random weights here. `mfu` (model FLOPs utilisation) counts the
  network's arithmetic alone; None where the peak is not known. `memory_bytes` is what the compiled step
  holds at once: its arguments, results and intermediate values.
  """
  if MODELS[config.model.name].pretrained:
    config = dataclasses.replace(config, model=dataclasses.replace(config.model, weights=RANDOM))
  mesh, size = create_mesh(config.fsdp), config.data.image_size
  optimizer = create_optimizer(config.optimizer, config.steps)
  structure, state, frozen = create_state(config.create_network, optimizer, config.seed, mesh)
  sample = make_sampler(
    config.create_protocol(), mesh, seed=config.seed, size=config.data.image_size, augment=config.data.augment
  )
  update = make_update(structure, optimizer, sample, mesh, seed=config.seed, accumulate=config.accumulate)
  step = make_train_step(update, mesh)
  images = jax.device_put(photographs(config.batch_size, config.data.training_side), data_sharding(mesh))
  flops = _step_flops(
    structure,
    Variables(state.parameters, state.statistics, frozen),
    images[:, :size, :size],
  )
  start = time.perf_counter()
  compiled = step.lower(state, frozen, images).compile()
  compiling = time.perf_counter() - start

  def train_step() -> Any:
    nonlocal state
    state, metrics = compiled(state, frozen, images)
    return metrics

  distortion_alone = jax.jit(sample)
  distorting = time_calls(lambda: distortion_alone(jnp.int32(1), images), seconds=seconds)
  training = time_calls(train_step, seconds=seconds, at_least=3)
  achieved, peak = flops / training.median, _PEAK_TERAFLOPS.get(jax.devices()[0].device_kind)
  return {
    "model": config.model.name,
    "fine_tune": config.model.fine_tune,
    "protocol": config.protocol.name,
    "batch_size": config.batch_size,
    "size": config.data.image_size,
    "pictures_per_second": config.batch_size / training.median,
    "step_seconds": training.median,
    "distortion_seconds": distorting.median,
    "distortion_share": distorting.median / training.median,
    "compile_seconds": compiling,
    "memory_bytes": _memory(compiled.memory_analysis()),
    "gigaflops_per_picture": flops / config.batch_size / 1e9,
    "teraflops_per_second": achieved / 1e12,
    "mfu": achieved / 1e12 / (peak * jax.device_count()) if peak else None,
  }


def compare_with_full_training(config: TrainConfig, *, seconds: float) -> list[dict[str, Any]]:
  """A transfer network's step beside the step that trains all of it: two rows, the second with the ratios.

  Raises:
    InputError: the network has no base that could be frozen.
  """
  if not MODELS[config.model.name].pretrained or config.model.fine_tune:
    raise InputError(f"{config.model.name}: has no frozen base; give the config of a transfer network")
  full = dataclasses.replace(config, model=dataclasses.replace(config.model, fine_tune=True))
  whole, transfer = (time_training(each, seconds=seconds) for each in (full, config))
  ratios = {f"{name}_of_full": transfer[name] / whole[name] for name in ("step_seconds", "memory_bytes")}
  return [whole, transfer | ratios]


def time_sweep(checkpoint: str, data: str, sweep: Sweep, *, batch_size: int, seconds: float) -> dict[str, Any]:
  """A severity sweep, compilation and decoding included, beside the sum of its parts on the device, each timed alone.

  The parts (the distortion, the JPEG step, SSIM and PSNR, the network) are timed before the sweep and after it.
  """
  mesh = create_mesh()
  batch_size = -(-batch_size // mesh.devices.size) * mesh.devices.size
  trained = load_trained(checkpoint, replicated(mesh))
  quality, size = trained.config.protocol.jpeg_quality, trained.config.data.image_size
  pictures = open_pictures(data, "all")
  images = jax.device_put(photographs(batch_size, size), data_sharding(mesh))
  calls = _sweep_parts(trained, sweep, images, measure_sharded(mesh))
  before = {name: time_calls(call, seconds=seconds / 2).median for name, call in calls.items()}
  start = time.perf_counter()
  run_sweeps(
    [sweep],
    [trained],
    pictures,
    mesh,
    jpeg_quality=quality,
    batch_size=batch_size,
    workers=default_workers(),
    on_broken=lambda pictures, numbers: None,
  )
  whole = time.perf_counter() - start
  after = {name: time_calls(call, seconds=seconds / 2).median for name, call in calls.items()}
  parts = {name: (before[name] + after[name]) / 2 / batch_size for name in calls}
  count = len(pictures) * len(sweep.levels)
  return {
    "distortion": sweep.distortion,
    "pictures": len(pictures),
    "levels": len(sweep.levels),
    "batch_size": batch_size,
    "size": size,
    "sweep_seconds": whole,
    "pictures_per_second": count / whole,
    **{f"{name}_seconds": count * each for name, each in parts.items()},
    "sweep_of_parts": whole / (count * sum(parts.values())),
  }


def _sweep_parts(
  trained: TrainedModel, sweep: Sweep, images: jax.Array, measure: Callable[..., Any]
) -> dict[str, Callable[[], Any]]:
  """Calls of what a sweep does to a batch, levels over the whole of it."""
  distortion, keys = DISTORTIONS[sweep.distortion], jax.random.split(jax.random.key(0), len(images))
  levels = jnp.asarray(np.resize(sweep.levels, len(images)), jnp.float32)
  op = jax.jit(jax.vmap(lambda key, image, level: distortion(key, image, **{sweep.parameter: level}, **sweep.fixed)))
  encode = jax.jit(jax.vmap(lambda image: jpeg(image, float(trained.config.protocol.jpeg_quality))))
  forward = jax.jit(lambda images: jax.nn.softmax(run_network(trained.structure, trained.variables, images)[0]))
  similarity = jax.jit(measure)
  distorted = op(keys, images, levels)
  calls: dict[str, Callable[[], Any]] = {"op": lambda: op(keys, images, levels)}
  if trained.config.protocol.jpeg_quality:
    calls["jpeg"] = lambda: encode(distorted)
  return calls | {"similarity": lambda: similarity(images, distorted), "network": lambda: forward(distorted)}


def _step_flops(structure: nnx.GraphDef, variables: Variables, images: jax.Array) -> float:
  """Floating-point operations of a training step: a pass forward, and two backward where layers are trained."""

  def forward(variables: Variables) -> Any:
    return run_network(structure, variables, images, train_key=jax.random.key(0))

  def frozen_forward(variables: Variables) -> Any:
    network = merge_network(structure, variables)
    return network.base(scale_levels(images, network.input_scaling, network.dtype))

  def count(function: Callable[[Variables], Any]) -> float:
    return (jax.jit(function).lower(variables).cost_analysis() or {"flops": math.nan})["flops"]

  return 3 * count(forward) - (2 * count(frozen_forward) if variables.frozen else 0)


def _memory(analysis: Any) -> int:
  parts = (analysis.argument_size_in_bytes, analysis.output_size_in_bytes, analysis.temp_size_in_bytes)
  return sum(parts) - analysis.alias_size_in_bytes  # results that take the place of arguments count once
