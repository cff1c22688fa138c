"""Trains a network as a config says; the same command resumes a run that was stopped.

    python scripts/train.py --config configs/vgg_scratch.py
    python scripts/train.py --config configs/vgg_scratch.py --config.data.source=folder:photos --workdir runs/photos
"""

import difflib
import sys
from pathlib import Path

from absl import flags
from ml_collections import config_flags

from jaxdistort import console
from jaxdistort.errors import InputError

CONFIG = config_flags.DEFINE_config_file("config", None, "A file of configs/; single values: --config.batch_size=64.")
WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run; runs/ and the name of the config unless given.")


def parse_flags(argv: list[str]) -> None:
  """Parses the command line; raises InputError with the flag or value at fault."""
  try:
    rest = flags.FLAGS(argv)
  except flags.UnrecognizedFlagError as error:
    near = difflib.get_close_matches(error.flagname, list(flags.FLAGS), 1)
    raise InputError(f"unknown flag --{error.flagname}" + (f"; did you mean --{near[0]}?" if near else "")) from error
  except (flags.Error, AttributeError, KeyError, TypeError, ValueError, OSError, SyntaxError) as error:
    raise InputError(" ".join(str(error).split())) from error
  if rest[1:]:
    raise InputError(f"{rest[1]!r} is not a flag; see --help")
  if CONFIG.value is None:
    configs = ", ".join(sorted(str(p) for p in Path("configs").glob("*.py"))) or "a file of configs/"
    raise InputError(f"--config is missing: give {configs}")


def main() -> int:
  parse_flags(sys.argv)
  from jaxdistort.training import train  # after the flags: a typo is told at once

  name = Path(flags.FLAGS["config"].config_filename).stem  # ty: ignore[unresolved-attribute]
  workdir = Path(WORKDIR.value or Path("runs") / name)
  return 0 if train(CONFIG.value, workdir) else 130


if __name__ == "__main__":
  console.run(main)
