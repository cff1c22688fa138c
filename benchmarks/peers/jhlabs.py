"""JH Labs' Java filters, for comparison: a Java process that distorts the same pictures when it is told to."""

import contextlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.work import Work
from benchmarks.timing import Turn, count_processors
from jaxdistort.errors import InputError

_PROGRAM = Path(__file__).with_name("JHLabs.java")
_OPS = ("gaussian_blur", "motion_blur", "gaussian_noise", "monochrome_noise", "marble", "twirl", "ripple")


class JHLabs:
  """JH Labs' filters over a batch, a thread for each processor, into given pictures; a context manager.

  Args:
    jar: of the filters (com.jhlabs:filters 2.0.235).
    images: uint8 [B, S, S, 3].
    warm_up: seconds of calls of each op before the first that counts, in which Java compiles it.

  Raises:
    InputError: there is no such jar or no Java, or the program ended.
  """

  name = "JH Labs"

  def __init__(self, jar: Path, images: np.ndarray, *, warm_up: float):
    if not jar.is_file():
      raise InputError(f"--jhlabs {jar}: no such file; it is the jar of com.jhlabs:filters 2.0.235")
    java = shutil.which("java")
    if java is None:
      raise InputError(f"--jhlabs {jar}: there is no java to run it with; install a JDK, 11 or newer")
    threads = count_processors()
    self.device = f"cpu, {threads} threads"
    self._folder = tempfile.TemporaryDirectory(prefix="jhlabs")
    pictures, errors = (Path(self._folder.name, name) for name in ("pictures", "errors"))
    pictures.write_bytes(images.tobytes())
    count, height, width, _ = images.shape
    options = [pictures, count, width, height, threads, warm_up]
    self._errors = errors
    with errors.open("w") as stderr:
      self._process = subprocess.Popen(
        [java, "-Djava.awt.headless=true", "-cp", jar, _PROGRAM, *map(str, options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
      )

  def __enter__(self) -> "JHLabs":
    return self

  def __exit__(self, *error: object) -> None:
    self._process.kill()
    self._process.communicate()
    self._folder.cleanup()

  def note(self, work: Work) -> str:
    del work
    return ""

  def turn(self, work: Work) -> Turn | None:
    if work.distortion not in _OPS:
      return None
    given = " ".join(f"{name}={','.join(map(str, v.tolist()))}" for name, v in work.parameters.items())
    return lambda seconds: self._ask(f"{work.distortion} {seconds} {given}")

  def _ask(self, line: str) -> Any:
    with contextlib.suppress(BrokenPipeError):  # it has ended, which the answer tells
      print(line, file=self._process.stdin, flush=True)
    assert self._process.stdout
    answer = self._process.stdout.readline()
    if not answer:
      said = self._errors.read_text().strip().splitlines() or ["it said nothing"]
      raise InputError(f"JH Labs' filters ended: {said[0]}")
    return json.loads(answer)
