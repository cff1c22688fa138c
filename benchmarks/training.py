"""The training step: how fast, how near to what the device can do, and what distortion and data take of it."""

import dataclasses
import importlib.util
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from benchmarks.arithmetic import data_sheet_ceiling, measure_matmul_ceiling, memory_of, step_flops
from benchmarks.runs import open_parts
from benchmarks.timing import Stopwatch, calling, photographs, rates
from benchmarks.torch_networks import NOTE, training_turn
from jaxdistort.config import TrainConfig
from jaxdistort.data import default_workers, training_batches
from jaxdistort.errors import InputError
from jaxdistort.models import MODELS
from jaxdistort.runtime.mesh import data_sharding
from jaxdistort.training import make_train_step
from jaxdistort.training.parts import Parts


class _Step(NamedTuple):
  """A training step that is compiled and ready.

  Attributes:
    parts: of the run that it belongs to.
    train: one step on a batch of clean pictures; returns its metrics.
    distort: what the step does to the batch first, alone: pictures as the network gets them, and targets.
    images: a batch of clean pictures, where the step wants it.
    flops: floating-point operations of the network in a step.
    compile_seconds: of the step; where it is several programs, of its first call.
    memory_bytes: of the step; None where it is several programs.
  """

  parts: Parts
  train: Callable[[jax.Array], Any]
  distort: Callable[[], Any]
  images: jax.Array
  flops: float
  compile_seconds: float
  memory_bytes: int | None


def time_training(
  config: TrainConfig, watch: Stopwatch, *, data: str | None = None, pytorch: bool = True
) -> tuple[list[dict[str, Any]], list[str]]:
  """The training step of a config, beside the same network's in PyTorch where there is one.

  The backbone of a transfer network has random weights here. `mfu` (model FLOPs utilisation) counts the
  network's arithmetic alone, against the best square matrix product measured on the same device in the
  same run, and `mfu_of_data_sheet` against what the maker says, where that is known. `memory_bytes` is
  what the compiled step holds at once: its arguments, results and intermediate values (None where the step
  is several programs, as on CPU where a batch goes in parts). `data_share` is the part of its time that
  training on `data` waits for pictures.

  Args:
    config: of the run.
    watch: measures.
    data: clean pictures, the config's unless given.
    pytorch: whether to look for PyTorch.

  Returns:
    Rows, ours first, and a line on PyTorch if it has none.

  Raises:
    InputError: something in the config cannot be used.
  """
  missing = _why_no_pytorch(config) if pytorch else []
  with open_parts(config, data) as parts:
    step = _prepare(parts)
    turns = {"jaxdistort": calling(lambda: step.train(step.images)), "distortion": calling(step.distort)}
    torch_device = ""
    if pytorch and not missing:
      turns["PyTorch"], torch_device = training_turn(parts.config, step.distort()[0])
    timings = watch.time(turns)
    watch.trace({name: turns[name] for name in ("jaxdistort", "distortion")})
    row = _row(step, timings["jaxdistort"].median, measure_matmul_ceiling(watch))
    row |= rates(timings["jaxdistort"], config.batch_size)
    row["distortion_seconds"] = timings["distortion"].median
    row["distortion_share"] = timings["distortion"].median / timings["jaxdistort"].median
    row |= _fed(step, watch.seconds)
  rows = [row]
  if "PyTorch" in timings:
    theirs = rates(timings["PyTorch"], config.batch_size)
    rows.append({"op": row["op"], "library": "PyTorch", "device": torch_device, **theirs, "note": NOTE})
    row["of_pytorch"] = row["pictures_per_second"] / theirs["pictures_per_second"]
  return rows, missing


def compare_with_full_training(config: TrainConfig, watch: Stopwatch, *, data: str | None = None) -> list[dict]:
  """A transfer network's step beside the step that trains all of it: two rows, the second with the ratios.

  Raises:
    InputError: the network has no backbone that could be frozen.
  """
  if not MODELS.find(config.model.name).pretrained or config.model.fine_tune:
    raise InputError(f"{config.model.name}: has no frozen backbone; give the config of a transfer network")
  full = dataclasses.replace(config, model=dataclasses.replace(config.model, fine_tune=True))
  whole, transfer = (time_training(each, watch, data=data, pytorch=False)[0][0] for each in (full, config))
  known = [name for name in ("step_seconds", "memory_bytes") if transfer[name] and whole[name]]
  ratios = {f"{name}_of_full": transfer[name] / whole[name] for name in known}
  return [whole, transfer | ratios]


def _prepare(parts: Parts) -> _Step:
  config = parts.config
  step: Any = make_train_step(parts.update)
  images = jax.device_put(
    photographs(config.batch_size, config.data.training_side(parts.protocol)), data_sharding(parts.mesh)
  )
  flops = step_flops(parts.description.network, config.batch_size)
  program = step

  def train(images: jax.Array) -> Any:
    parts.state, metrics = program(parts.state, parts.frozen, images)
    return metrics

  start, memory = time.perf_counter(), None
  if hasattr(step, "lower"):
    program = step.lower(parts.state, parts.frozen, images).compile()
    memory = memory_of(program.memory_analysis())
  else:  # parts of a batch by programs of their own
    jax.block_until_ready(train(images))
  compiling = time.perf_counter() - start
  distortion_alone = jax.jit(parts.update.sample)
  distort = lambda: distortion_alone(jnp.int32(1), images)  # noqa: E731
  return _Step(parts, train, distort, images, flops, compiling, memory)


def _row(step: _Step, seconds: float, ceiling: float) -> dict[str, Any]:
  config, devices, data_sheet = step.parts.config, step.parts.mesh.devices.size, data_sheet_ceiling()
  achieved = step.flops / seconds
  return {
    "op": f"training step of {config.model.name}",
    "library": "jaxdistort",
    "device": f"{devices} x {jax.devices()[0].device_kind}",
    "model": config.model.name,
    "fine_tune": config.model.fine_tune,
    "protocol": config.protocol.name,
    "compute_dtype": config.compute_dtype,
    "batch_size": config.batch_size,
    "accumulate": step.parts.update.accumulate,
    "size": config.data.image_size,
    "step_seconds": seconds,
    "compile_seconds": step.compile_seconds,
    "memory_bytes": step.memory_bytes,
    "gigaflops_per_picture": step.flops / config.batch_size / 1e9,
    "teraflops_per_second": achieved / 1e12,
    "matmul_teraflops_per_second": ceiling * devices / 1e12,
    "mfu": achieved / (ceiling * devices),
    "mfu_of_data_sheet": achieved / (data_sheet * devices) if data_sheet else None,
  }


def _fed(step: _Step, seconds: float) -> dict[str, Any]:
  """Steps on batches that come as in training, for about `seconds`: their speed, and the share spent waiting."""
  parts, batches = step.parts, step.parts.batches
  waited, spent, steps = 0.0, 0.0, 0
  with training_batches(
    batches.pictures,
    batches.order,
    side=batches.side,
    batch_size=batches.size,
    mesh=parts.mesh,
    workers=parts.workers,
  ) as stream:
    # What was read ahead while the workers started would flatter.
    for _ in range(2 * (parts.workers or default_workers()) + 3):
      jax.block_until_ready(step.train(next(stream).images))
    while steps < 3 or spent < seconds:
      start = time.perf_counter()
      images = next(stream).images
      waited += time.perf_counter() - start
      jax.block_until_ready(step.train(images))
      spent += time.perf_counter() - start
      steps += 1
  return {
    "data": parts.config.data.source,
    "workers": parts.workers,
    "data_share": waited / spent,
    "fed_pictures_per_second": steps * batches.size / spent,
  }


def _why_no_pytorch(config: TrainConfig) -> list[str]:
  if config.model.name != "vgg_scratch":
    return [f"PyTorch is left out: its step is there for vgg_scratch, not for {config.model.name}"]
  if config.task.name != "classification" or config.optimizer.name != "rmsprop" or config.optimizer.clip_norm:
    return ["PyTorch is left out: its step is there for classification by RMSProp without a clip"]
  if importlib.util.find_spec("torch") is None:
    return ["PyTorch is not installed: pip install 'jaxdistort[bench]'"]
  return []
