"""The process that reads: one reader, one file, and answers to what the program asks of it (see `reading`).

It imports the reader and nothing else of the package that takes time. A question is a line of JSON: function, and its
arguments. An answer is a line of JSON, an array's with its bytes behind it.
"""

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from jaxdistort.errors import reason_of

_SECONDS = 600  # of a processor: far more than any file takes


def main() -> None:
  reader, path, memory = sys.argv[1:]
  answers = os.fdopen(os.dup(1), "wb")
  os.dup2(2, 1)  # whatever a library says is no answer
  module = importlib.import_module(f"jaxdistort.foreign.{reader}")
  _limit(int(memory))
  _send(answers, {"value": None})  # what fails before is no fault of the file
  file: Any = None

  def opened() -> None:
    nonlocal file
    file = module.File(Path(path))

  _send(answers, answer_of(opened))
  for line in sys.stdin.buffer:
    function, *arguments = json.loads(line)
    _send(answers, answer_of(getattr(file, function), *arguments))


def answer_of(function: Any, *arguments: Any) -> dict[str, Any]:
  """What a reader gives, or the reason why it cannot. Whatever it raises is the file's fault: it does no more than call
  the library."""
  try:
    return {"value": function(*arguments)}
  except Exception as error:
    return {"error": reason_of(error)}


def _send(answers: BinaryIO, answer: dict[str, Any]) -> None:
  value = answer.get("value")
  if isinstance(value, np.ndarray):
    answers.write(json.dumps({"dtype": value.dtype.str, "shape": value.shape}).encode() + b"\n")
    answers.write(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
  else:
    answers.write(json.dumps(answer).encode() + b"\n")
  answers.flush()


def _limit(memory: int) -> None:
  """Lets the process have so many bytes more than it has now, where the system can tell, and its time.

  The program ends it when it takes too long; a program that is killed cannot.
  """
  try:
    import resource

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
  except (ImportError, OSError, ValueError):
    return


if __name__ == "__main__":
  main()
