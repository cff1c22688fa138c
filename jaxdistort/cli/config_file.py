"""Files of configs/, without the packages that parse their flags."""

import runpy
from pathlib import Path
from typing import Any

from jaxdistort.cli.extras import missing_devices
from jaxdistort.errors import InputError, reason_of


def load_config(path: str | Path) -> Any:
  """Runs a config file and returns what its `get_config()` does.

  Raises:
    InputError: no such file, or it cannot be used as a config.
  """
  if not Path(path).is_file():
    raise InputError(f"--config {path}: no such file")
  try:
    get_config = runpy.run_path(str(path)).get("get_config")
    if get_config is None:
      raise InputError(f"--config {path}: has no function get_config(); see configs/compact.py for one")
    return get_config()
  except InputError:
    raise
  except (Exception, SystemExit) as error:  # a foreign script raises anything
    if message := missing_devices(error):
      raise InputError(message) from error
    raise InputError(
      f"--config {path}: cannot be used as a config ({type(error).__name__}: {reason_of(error)})"
    ) from error
