"""What a run saves, and says, when something around it fails: a disk, or a process that decodes."""

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

import jax

from jaxdistort.errors import CheckpointFailed, InputError, TrainingDiverged, WorkFailed, what_failed
from jaxdistort.training.checkpoints import Checkpoints

_FORESEEN = (OSError, InputError, WorkFailed)  # all others are bugs, and keep their traceback


@contextmanager
def saved_on_failure(checkpoints: Checkpoints, save: Callable[[], None]) -> Generator[None]:
  """Around training.

  Args:
    checkpoints: of the run.
    save: saves the present state and waits for it; raises what it likes.

  Raises:
    WorkFailed: something failed; says what, and from which checkpoint the run goes on.
  """
  try:
    yield
  except (TrainingDiverged, CheckpointFailed):  # which say all that, and after which nothing can be saved
    raise
  except Exception as error:
    if jax.process_count() == 1:  # several save together or not at all
      with suppress(OSError, RuntimeError):  # a disk that is full, a device whose memory is: then an older one counts
        save()
    kept = f"{checkpoints.describe_latest()}; the same command goes on from there"
    if not isinstance(error, _FORESEEN):
      error.add_note(kept)
      raise
    raise WorkFailed(f"{what_failed(error)}; {kept}") from error


@contextmanager
def reports_repeatable(checkpoints: Checkpoints) -> Generator[None]:
  """Around the reports of a finished training.

  Raises:
    WorkFailed: they cannot be written; says why, and that nothing is lost.
  """
  try:
    yield
  except _FORESEEN as error:
    raise WorkFailed(
      f"{what_failed(error)}: no report; the training is finished, and its best checkpoint is "
      f"{checkpoints.place(checkpoints.best_step or 0)}: the same command judges it again"
    ) from error
