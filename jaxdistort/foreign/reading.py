"""Files of others, read in a process of its own: a damaged one may crash its library, hang it or fill the memory."""

import importlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import numpy as np

from jaxdistort.foreign.process import answer_of

_START = 120.0  # seconds for the process to start, and to import its libraries
_PATIENCE = 60.0  # seconds for an answer
_MEMORY = 4 << 30  # bytes for reading, beside the program and its libraries
_LONGEST = 64 << 20  # bytes of an answer that is no array


class Damaged(Exception):
  """A foreign file is not what it should be; the message, for "FILE: ...", says how."""


class Reader(Protocol):
  """A file that is open elsewhere."""

  def call(self, function: str, *arguments: Any) -> Any:
    """What a function of the reader gives: plain values as JSON has them, or an array.

    Raises:
      Damaged: the reader cannot read that, crashed, or took too long.
    """


@contextmanager
def reading(reader: str, path: Path, *, patience: float = _PATIENCE, memory: int = _MEMORY) -> Generator[Reader]:
  """Opens a file in a process of its own, which ends with the context.

  Nothing is unpickled: answers are JSON and bytes of arrays. The process needs nothing of the program's main module,
  so that it starts from a notebook, a text given to the interpreter or an installed package alike. A frozen program
  has no interpreter to start: it reads by itself.

  Args:
    reader: a module beside this one: hdf5, matlab or workbook.
    path: of the file.
    patience: seconds that an answer may take.
    memory: bytes that the process may need for the file.

  Raises:
    Damaged: the file cannot be opened.
  """
  if getattr(sys, "frozen", False) or not sys.executable:
    yield _Here(reader, path)
    return
  with tempfile.TemporaryFile() as said:
    # The program's path, but not the folder that it happens to stand in: its files may bear names of modules.
    command = [sys.executable, "-P", "-W", "ignore", "-m", "jaxdistort.foreign.process"]
    process = subprocess.Popen(
      [*command, reader, os.path.abspath(path), str(memory)],
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      stderr=said,
      env=os.environ
      | {"PYTHONPATH": os.pathsep.join(map(str, sys.path)), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
      start_new_session=True,  # Ctrl-C is the caller's alone
    )
    try:
      yield _Elsewhere(process, patience, said)
    finally:
      process.kill()
      process.communicate()


class _Here:
  def __init__(self, reader: str, path: Path):
    module = importlib.import_module(f"jaxdistort.foreign.{reader}")
    self._file = _value(answer_of(module.File, path))

  def call(self, function: str, *arguments: Any) -> Any:
    return _value(answer_of(getattr(self._file, function), *arguments))


class _Elsewhere:
  def __init__(self, process: subprocess.Popen[bytes], patience: float, said: BinaryIO):
    self._process, self._late = process, threading.Event()
    self._patience = _START
    try:
      self._answer()
    except Damaged as error:  # it has not seen the file yet
      said.seek(0)
      words = said.read().decode(errors="replace").strip().splitlines()
      raise RuntimeError(f"no reader could be started: {words[-1] if words else error}") from error
    self._patience = patience
    self._answer()

  def call(self, function: str, *arguments: Any) -> Any:
    assert self._process.stdin
    try:
      self._process.stdin.write(json.dumps([function, *arguments]).encode() + b"\n")
      self._process.stdin.flush()
    except BrokenPipeError:
      pass  # the answer will be missing
    return self._answer()

  def _answer(self) -> Any:
    watch = threading.Timer(self._patience, self._give_up)
    watch.daemon = True
    watch.start()
    try:
      answer = _receive(cast(io.BufferedReader, self._process.stdout))
    except (ValueError, TypeError, KeyError, RecursionError, MemoryError) as error:  # a damaged process says anything
      raise Damaged(self._end()) from error
    finally:
      watch.cancel()
    return _value(answer)

  def _give_up(self) -> None:
    self._late.set()
    self._process.kill()

  def _end(self) -> str:
    """How the process ended."""
    try:
      code = self._process.wait(1)
    except subprocess.TimeoutExpired:
      return "its reader gives no answer that can be understood"
    if self._late.is_set():
      return f"its reader took longer than {self._patience:g} seconds"
    return f"its reader crashed ({signal.Signals(-code).name if code < 0 else f'status {code}'})"


def _receive(answers: io.BufferedReader) -> dict[str, Any]:
  """One answer; raises ValueError, TypeError or KeyError where it is not whole."""
  answer = json.loads(answers.readline(_LONGEST))
  if not isinstance(answer, dict):
    raise TypeError(answer)
  if "value" in answer or "error" in answer:
    return answer
  array = np.empty(answer["shape"], np.dtype(answer["dtype"]))
  content = array.reshape(-1).view(np.uint8).data
  while content:
    count = answers.readinto(content)
    if not count:
      raise ValueError("cut short")
    content = content[count:]
  return {"value": array}


def _value(answer: dict[str, Any]) -> Any:
  if "error" in answer:
    raise Damaged(answer["error"])
  return answer["value"]
