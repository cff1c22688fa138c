"""The process that reads damaged pictures, and may die of it."""

import logging
import resource
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from tests.fuzz.files import mutated, small_files
from tests.fuzz.judge import agreement, read

MOST_BYTES = 2 * 2**30
_TURNS = ("JPEG", "PNG", "WEBP", ("BMP", "DIB"), "TIFF", "TIFF")


def damaged(files: dict[str, bytes], seed: int, number: int) -> tuple[str, bytes]:
  """Damaged picture `number`, and the name of what it was."""
  rng = np.random.default_rng((seed, number))
  name = named(files, number)
  return name, mutated(files[name], rng)


def _memory(kind: str) -> int:
  """Bytes of this process: VmRSS now, VmHWM at the most."""
  status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
  return int(status[kind].split()[0]) * 1024


def named(files: dict[str, bytes], number: int) -> str:
  """Which file is damaged: each format in its turn, TIFF twice, and each file of a format in its turn."""
  turn, kind = divmod(number, len(_TURNS))
  those = [name for name in files if name.startswith(_TURNS[kind])]
  return those[(2 * turn + kind // 5 if _TURNS[kind] == "TIFF" else turn) % len(those)]


def work(pipe: Connection, seed: int) -> None:
  """Reads what numbers come; says of each that it was read, and then with what it agrees."""
  logging.disable()
  files = small_files()
  for content in files.values():  # so that everything is imported before the limit counts
    read(content)
  used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
  resource.setrlimit(resource.RLIMIT_AS, (used + MOST_BYTES, used + MOST_BYTES))
  while True:
    try:
      number = pipe.recv()
    except EOFError:
      return
    _, content = damaged(files, seed, number)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, begin = _memory("VmRSS"), time.perf_counter()
    try:
      reading, failure = read(content), ""
    except Exception as error:  # an error of ours
      reading, failure = None, f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - begin
    peak = _memory("VmHWM") - before
    pipe.send((seconds, peak, failure))
    said = ""
    if reading is not None and reading.levels is not None:
      said = agreement(content, reading.levels)
      failure = "" if said else "agrees with nothing that Pillow reads"
    elif reading is not None and reading.starved:
      failure = "more memory than 2 GB"
    pipe.send((reading is not None and reading.levels is not None, said, reading.reason if reading else "", failure))
