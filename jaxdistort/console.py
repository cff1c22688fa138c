"""How the scripts end: what a person can mend becomes one line, not a traceback."""

import sys
from collections.abc import Callable

from jaxdistort.errors import CheckpointFailed, InputError, TrainingDiverged


def run(main: Callable[[], int | None]) -> None:
  """Runs a script's main function and ends the process.

  Exit status: what `main` returns, 0 for None; 1 for an error, told in one line on stderr; 130 after
  Ctrl-C. Anything unforeseen keeps its traceback: it is a bug.
  """
  try:
    status = main() or 0
  except (InputError, TrainingDiverged, CheckpointFailed) as error:
    status = _tell(error)
  except OSError as error:
    where = f" ({error.filename})" if error.filename else ""
    status = _tell(f"{error.strerror or error}{where}")
  except KeyboardInterrupt:
    status = 130
    print("\nstopped", file=sys.stderr)
  sys.stdout.flush()
  sys.exit(status)


def _tell(message: object) -> int:
  print(f"error: {message}", file=sys.stderr)
  return 1
