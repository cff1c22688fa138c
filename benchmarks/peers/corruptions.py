"""imagecorruptions: processes of another Python that distort the same pictures when they are told to."""

import contextlib
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.work import Work
from benchmarks.timing import Turn, calling, count_processors
from jaxdistort.errors import InputError

_PROGRAM = Path(__file__).with_name("corruptions_worker.py")
_LONGEST = 1.0  # s, about, of a call
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Corruptions:
  """imagecorruptions' corruptions over a batch, a process for each processor with its share of it; a context manager.

  Some take seconds for a picture. Where a call over the batch would take long, fewer pictures are distorted, and its
  time is scaled up to the batch.

  Args:
    interpreter: a Python that has imagecorruptions (1.1.2), which needs older versions of NumPy and scikit-image.
    images: uint8 [B, S, S, 3].
    processes: how many; None: as many as processors, but no more than pictures.

  Raises:
    InputError: there is no such program, or it ended: it is no Python, or does not have imagecorruptions.
  """

  name = "imagecorruptions"

  def __init__(self, interpreter: Path, images: np.ndarray, *, processes: int | None = None):
    self._interpreter, self._count = interpreter, len(images)
    processes = min(processes or count_processors(), len(images))
    self.device = f"cpu, {processes} processes"
    self._folder = tempfile.TemporaryDirectory(prefix="corruptions")
    pictures = Path(self._folder.name, "pictures")
    pictures.write_bytes(images.tobytes())
    shares = [part.tolist() for part in np.array_split(np.arange(len(images)), processes)]
    self._most = max(map(len, shares))
    self._processes: list[subprocess.Popen[str]] = []
    try:
      for number, share in enumerate(shares):
        self._start(number, [pictures, *images.shape[1:3], share[0], len(share)])
      corruptions = [json.loads(self._answer(number)) for number in range(processes)]
    except BaseException:
      self.__exit__()
      raise
    self._corruptions = set(corruptions[0])

  def _start(self, number: int, options: list[Any]) -> None:
    try:
      with self._errors(number).open("w") as errors:
        process = subprocess.Popen(
          [self._interpreter, "-W", "ignore", _PROGRAM, *map(str, options)],
          stdin=subprocess.PIPE,
          stdout=subprocess.PIPE,
          stderr=errors,
          text=True,
          env=os.environ | _ONE_THREAD,
        )
    except OSError as error:
      raise InputError(f"--imagecorruptions {self._interpreter}: cannot be run ({error.strerror})") from error
    self._processes.append(process)

  def _errors(self, number: int) -> Path:
    return Path(self._folder.name, f"errors{number}")

  def __enter__(self) -> "Corruptions":
    return self

  def __exit__(self, *error: object) -> None:
    for process in self._processes:
      process.kill()
      process.communicate()
    self._folder.cleanup()

  def note(self, work: Work) -> str:
    del work
    return ""

  def turn(self, work: Work) -> Turn | None:
    if work.corruption is None or work.corruption[0] not in self._corruptions:
      return None
    name, severity = work.corruption
    each = 0  # pictures of a process; a call over one of them tells how many

    def turn(seconds: float) -> list[float]:
      nonlocal each
      if not each:
        start = time.perf_counter()
        self._distort(name, severity, 1)
        each = max(1, min(self._most, int(_LONGEST / (time.perf_counter() - start))))
      # Of all pictures, or of as many from each process.
      scale = 1.0 if each == self._most else self._count / (each * len(self._processes))
      return [scale * own for own in calling(lambda: self._distort(name, severity, each))(seconds)]

    return turn

  def _distort(self, name: str, severity: int, each: int) -> None:
    """Has every process distort the first `each` of its pictures, and waits for all."""
    for process in self._processes:
      with contextlib.suppress(BrokenPipeError):  # it has ended, which the answer tells
        print(name, severity, each, file=process.stdin, flush=True)
    for number in range(len(self._processes)):
      self._answer(number)

  def _answer(self, number: int) -> str:
    stdout = self._processes[number].stdout
    assert stdout
    answer = stdout.readline()
    if not answer:
      said = self._errors(number).read_text().strip().splitlines() or ["it said nothing"]
      need = "it must be a Python with imagecorruptions 1.1.2, NumPy below 2 and scikit-image 0.20"
      raise InputError(f"--imagecorruptions {self._interpreter}: ended ({said[-1]}); {need}")
    return answer
