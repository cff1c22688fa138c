"""How many floating-point operations a training step takes, and how many a second the device can do."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from benchmarks.timing import Stopwatch, calling
from jaxdistort.models import NetworkSpec, Variables, merge_network, run_network, split_network
from jaxdistort.models.layers import scale_levels

# Dense bfloat16 arithmetic, from NVIDIA's data sheets.
_DATA_SHEET_TERAFLOPS = {
  "NVIDIA H200": 989.0,
  "NVIDIA H100 80GB HBM3": 989.0,
  "NVIDIA H100 PCIe": 756.0,
  "NVIDIA A100-SXM4-80GB": 312.0,
  "NVIDIA A100-SXM4-40GB": 312.0,
  "NVIDIA L4": 121.0,
}


def data_sheet_ceiling() -> float | None:
  """Floating-point operations a second of one device, as its maker says; None where that is not known here."""
  teraflops = _DATA_SHEET_TERAFLOPS.get(jax.devices()[0].device_kind)
  return teraflops * 1e12 if teraflops else None


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


def step_flops(network: NetworkSpec, batch_size: int) -> float:
  """Floating-point operations of a training step: a pass forward, and two backward where layers are trained.

  Counted of the network's program before any compiler has touched it, on CPU and in bfloat16, so that they are the
  same for every device, whichever form its convolutions take there (and the plug-ins of accelerators cannot count).
  """
  network, size = dataclasses.replace(network, dtype="bfloat16"), network.image_size
  structure, variables = split_network(nnx.eval_shape(lambda: network.draw(0)))
  images = jax.ShapeDtypeStruct((batch_size, size, size, 3), jnp.uint8)

  def forward(variables: Variables, images: jax.Array) -> Any:
    return run_network(structure, variables, images, train_key=jax.random.key(0))

  def frozen_forward(variables: Variables, images: jax.Array) -> Any:
    whole = merge_network(structure, variables)
    return whole.backbone(scale_levels(images, whole.input_scaling, whole.dtype))

  def count(function: Callable[..., Any]) -> float:
    try:
      cpu = jax.devices("cpu")[0]
    except RuntimeError:  # JAX was told to leave it alone
      return math.nan
    with jax.default_device(cpu), jax.numpy_dtype_promotion("standard"):  # Flax' batch normalisation asks for it
      return (jax.jit(function).lower(variables, images).cost_analysis() or {"flops": math.nan})["flops"]

  return 3 * count(forward) - (2 * count(frozen_forward) if variables.frozen else 0)


def memory_of(analysis: Any) -> int:
  """Bytes that a compiled program holds at once: its arguments, results and intermediate values."""
  parts = (analysis.argument_size_in_bytes, analysis.output_size_in_bytes, analysis.temp_size_in_bytes)
  return sum(parts) - analysis.alias_size_in_bytes  # results that take the place of arguments count once
