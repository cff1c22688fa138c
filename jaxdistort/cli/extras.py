"""Where to get what a command needs: extras of the package, devices, and weights from elsewhere."""

import sys
from types import ModuleType

_EXTRA_OF = {
  **dict.fromkeys(("orbax", "grain", "array_record", "ml_collections", "absl", "tensorboardX"), "train"),
  **dict.fromkeys(("optax", "sklearn"), "train"),
  **dict.fromkeys(("matplotlib", "jinja2", "skimage", "openpyxl"), "report"),
  **dict.fromkeys(("fastapi", "uvicorn", "starlette", "pydantic", "prometheus_client", "python_multipart"), "serve"),
  "tensorflow_datasets": "tfds",
  "h5py": "convert",
  "jax2onnx": "onnx",
  "flatbuffers": "stablehlo",
  "fsspec": "remote",
  "pyarrow": "parquet",
  "ray": "ray",
}


def missing_extra(error: ModuleNotFoundError) -> str | None:
  """What to install for a module that is missing; None if it is no business of an extra."""
  package = (error.name or "").partition(".")[0]
  extra = _EXTRA_OF.get(package)
  return f"{package} is not installed: pip install 'jaxdistort[{extra}]'" if extra else None


def missing_devices(error: BaseException) -> str | None:
  """What to do where JAX cannot use the devices that it was told to; None for other errors."""
  jax = sys.modules.get("jax")
  if jax is None or not isinstance(error, RuntimeError | AssertionError):
    return None
  if not (str(error).startswith("Unable to initialize backend") or _lacks_devices(jax)):
    return None
  asked = jax.config.jax_platforms
  jax.config.update("jax_platforms", None)  # of a process that is about to end
  there = ["cpu"] if _lacks_devices(jax) else sorted({device.platform for device in jax.devices()})
  told = f"JAX_PLATFORMS={asked}" if asked else "JAX"
  reason = " ".join(str(error).split()).partition(" (set JAX_PLATFORMS")[0] or "none was found"
  gpu = "; NVIDIA's GPUs need their driver and jaxdistort[cuda12] or [cuda13]" if "gpu" not in there else ""
  return (
    f"{told}: its devices cannot be used here ({reason}); available: {', '.join(there)}; give one of these "
    f"as JAX_PLATFORMS{gpu}"
  )


def _lacks_devices(jax: ModuleType) -> bool:
  try:
    jax.devices()
  except (RuntimeError, AssertionError):  # which it raises where a plugin finds no device
    return True
  return False


def how_to_get(error: Exception) -> str:
  """The command that makes the weights that a network lacks; nothing for other errors."""
  kinds, architecture = getattr(error, "kinds", ()), getattr(error, "architecture", "")
  if not kinds:
    return ""
  return f"; made by: jaxdistort convert --from {kinds[0]} --download --output weights/{architecture}.safetensors"
