"""Files of configs/, without the packages that parse their flags."""

import runpy
from pathlib import Path
from typing import Any

from jaxdistort.errors import InputError


def load_config(path: str | Path) -> Any:
  """Runs a config file and returns what its `get_config()` does.

  Raises:
    InputError: no such file, or it cannot be used as a config.
  """
  if not Path(path).is_file():
    raise InputError(f"--config {path}: no such file")
  try:
    return runpy.run_path(str(path))["get_config"]()
  except Exception as error:  # a foreign script raises anything
    raise InputError(f"--config {path}: cannot be used as a config ({type(error).__name__}: {error})") from error
