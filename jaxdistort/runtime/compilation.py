"""Where compiled programs are kept between runs."""

import hashlib
import os
import platform
from pathlib import Path

_MOST = 4 * 2**30  # bytes; beyond, those that were not used for longest go


def keep_compiled() -> None:
  """Has JAX keep what takes a second or longer to compile; call it before JAX is imported.

  The folder is JAX_COMPILATION_CACHE_DIR or, unless that is set (empty: nothing is kept), jaxdistort below the user's
  cache folder, with one folder a kind of processor: a program that was compiled for another may not run on this one.
  """
  if "JAX_COMPILATION_CACHE_DIR" in os.environ:
    return
  home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
  folder = home / "jaxdistort" / "compiled" / _processor()
  try:
    folder.mkdir(parents=True, exist_ok=True)
  except (OSError, RuntimeError):  # a machine without a place for it compiles anew
    return
  if os.access(folder, os.W_OK):
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", str(_MOST))


def _processor() -> str:
  """A name for what the processor can do."""
  try:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
  except OSError:
    lines = []
  abilities = sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))})
  return f"{platform.machine()}-{hashlib.blake2b(''.join(abilities).encode(), digest_size=6).hexdigest()}"


def jit_inference(function):
  import jax

  return jax.jit(function)


def jit_training(function, **options):
  import jax

  return jax.jit(function, **options)
