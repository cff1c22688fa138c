"""How programs are compiled, and where they are kept between runs."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from jaxdistort.files import cache_folder
from jaxdistort.runtime.programs import keep_programs_whole

if TYPE_CHECKING:  # keep_compiled comes before JAX
  import jax

_MOST = 4 * 2**30  # bytes; beyond, those that were not used for longest go


def keep_compiled() -> None:
  """Has JAX keep what takes a second or longer to compile; call it before JAX is imported.

  The folder is JAX_COMPILATION_CACHE_DIR or, unless that is set (empty: nothing is kept), jaxdistort below the user's
  cache folder, with one folder a kind of processor: a program that was compiled for another may not run on this one.
  """
  keep_programs_whole()
  if "JAX_COMPILATION_CACHE_DIR" in os.environ:
    return
  folder = cache_folder("programs")
  if folder:  # a user without a home compiles anew
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder / _processor())
    os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", str(_MOST))


def _processor() -> str:
  """A name for what the processor can do."""
  try:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
  except OSError:
    lines = []
  abilities = sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))})
  return f"{platform.machine()}-{hashlib.blake2b(''.join(abilities).encode(), digest_size=6).hexdigest()}"


# XLA's CPU backend gives single products, and convolutions with them, to another library. Experimental: a later version
# may not know the name.
_FAST = MappingProxyType({"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT"})


def fast_options(kind: Literal["inference", "training"]) -> dict[str, Any] | None:
  """Options of the compiler with which programs of this kind are faster here, for `jax.jit`; None where there are none.

  On CPU, a pass forward takes 0.4 to 0.9 of the time, with answers that are equal but for rounding; gradients are
  slower, so that training has none.
  """
  return dict(_FAST) if kind == "inference" and _knows_fast() else None


@functools.cache
def _knows_fast() -> bool:
  """Whether this backend is the CPU's, and compiles a small program with the options."""
  import jax
  import jax.numpy as jnp

  if jax.default_backend() != "cpu":
    return False
  square = jax.ShapeDtypeStruct((8, 8), jnp.float32)
  try:
    jax.jit(jnp.matmul, compiler_options=dict(_FAST)).lower(square, square).compile()
  except Exception:  # whatever it says of an option that it does not know: without it all is as it was
    return False
  return True


def jit_inference(function: Callable[..., Any], **options: Any) -> jax.stages.Wrapped:
  """`jax.jit` of a pass forward, with `fast_options`; not to be called inside another program. `options` are jit's."""
  import jax

  return jax.jit(function, compiler_options=fast_options("inference"), **options)


def jit_training(function: Callable[..., Any], **options: Any) -> jax.stages.Wrapped:
  """`jax.jit` of a training step, with `fast_options`; not to be called inside another program. `options` are jit's."""
  import jax

  return jax.jit(function, compiler_options=fast_options("training"), **options)
