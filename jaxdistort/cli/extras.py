"""Where to get what a command needs: extras of the package, and weights from elsewhere."""

_EXTRA_OF = {
  **dict.fromkeys(("orbax", "grain", "array_record", "ml_collections", "absl", "tensorboardX"), "train"),
  **dict.fromkeys(("optax", "sklearn"), "train"),
  **dict.fromkeys(("matplotlib", "jinja2", "skimage", "openpyxl"), "report"),
  "tensorflow_datasets": "tfds",
  "h5py": "convert",
}


def missing_extra(error: ModuleNotFoundError) -> str | None:
  """What to install for a module that is missing; None if it is no business of an extra."""
  package = (error.name or "").partition(".")[0]
  extra = _EXTRA_OF.get(package)
  return f"{package} is not installed: pip install 'jaxdistort[{extra}]'" if extra else None


def how_to_get(error: Exception) -> str:
  """The command that makes the weights that a network lacks; nothing for other errors."""
  kinds, architecture = getattr(error, "kinds", ()), getattr(error, "architecture", "")
  if not kinds:
    return ""
  return f"; made by: jaxdistort convert --from {kinds[0]} --download --output weights/{architecture}.safetensors"
