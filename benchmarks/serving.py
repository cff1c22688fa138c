"""The server under load: many clients at once, pictures of mixed sizes, beside `predict` on the same pictures.

python -m benchmarks.serving PHOTOS --clients 50 --seconds 120

Clients, server and network share the processors of this machine, as they do not in use.
"""

import argparse
import http.client
import io
import itertools
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from benchmarks.memory import memory_of

_SIDES = [(500, 375)] * 14 + [(1600, 1200)] * 4 + [(4000, 3000)] * 2  # of twenty pictures
_TYPE = "multipart/form-data; boundary=boundary"


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("photos", type=Path, help="a folder of photographs")
  parser.add_argument("--clients", type=int, default=50)
  parser.add_argument("--seconds", type=float, default=120)
  arguments = parser.parse_args()
  pictures = list(_pictures(arguments.photos))
  print(f"{len(pictures)} pictures of {', '.join(f'{w} x {h}' for w, h in dict.fromkeys(_SIDES))}, as JPEG")
  alone = _alone(pictures, arguments.seconds / 4)
  print(f"predict: {alone:.1f} pictures/s")
  load = _loaded(pictures, arguments.clients, arguments.seconds)
  print(f"served to {arguments.clients} clients: {load.rate:.1f} pictures/s, {load.rate / alone:.2f} of predict")
  p50, p95, p99 = np.percentile(load.seconds, (50, 95, 99))
  print(f"seconds to the answer: p50 {p50:.2f}, p95 {p95:.2f}, p99 {p99:.2f}")
  statuses = ", ".join(f"{status}: {count}" for status, count in sorted(load.statuses.items()))
  print(f"answers by status: {statuses}; lost {load.lost}")
  print(f"server's memory: at most {load.memory / 2**30:.2f} GiB")


def _pictures(folder: Path) -> Iterator[bytes]:
  files = sorted(file for file in folder.iterdir() if file.suffix == ".jpg")[:: max(1, 3000 // len(_SIDES))]
  for file, (width, height) in zip(itertools.cycle(files), _SIDES, strict=False):
    with Image.open(file) as picture:
      stream = io.BytesIO()
      picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=90)
    yield stream.getvalue()


def _alone(pictures: list[bytes], seconds: float) -> float:
  """Pictures a second of the library, decoded by two threads, on the same mix."""
  import jaxdistort
  from jaxdistort.data.pictures import read_picture
  from jaxdistort.inference.files import judge_files

  recogniser = jaxdistort.load()
  by_name = {str(number): content for number, content in enumerate(pictures)}

  def read(name: str) -> Image.Image:
    return read_picture(by_name[name])

  list(judge_files(recogniser, list(by_name), read=read, workers=2))
  began = time.perf_counter()
  for done, _ in enumerate(judge_files(recogniser, itertools.cycle(by_name), read=read, workers=2), 1):
    if time.perf_counter() - began > seconds:
      return done / (time.perf_counter() - began)
  raise AssertionError("an endless stream ended")


class _Load(NamedTuple):
  """What came of it: pictures a second, seconds of each answer, counts by status, requests lost, bytes of memory."""

  rate: float
  seconds: list[float]
  statuses: Counter[int]
  lost: int
  memory: int


def _loaded(pictures: list[bytes], clients: int, seconds: float) -> _Load:
  command = [sys.executable, "-m", "jaxdistort", "serve", "--port", "0"]
  with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
    assert server.stdout is not None
    there = urlsplit(server.stdout.readline().strip())
    host, port = there.hostname or "", there.port or 0
    bodies = [_body(content) for content in pictures]
    _ask(host, port, bodies[:1], time.perf_counter() + 1, _Load(0, [], Counter(), 0, 0))
    parts = [_Load(0, [], Counter(), 0, 0) for _ in range(clients)]
    began = time.perf_counter()
    threads = [
      threading.Thread(target=_ask, args=(host, port, bodies[place:] + bodies[:place], began + seconds, parts[number]))
      for number in range(clients)
      for place in [number * 7 % len(bodies)]
    ]
    for thread in threads:
      thread.start()
    for thread in threads:
      thread.join()
    took = time.perf_counter() - began
    memory = memory_of(server.pid, "VmHWM")
    server.terminate()
  statuses = sum((part.statuses for part in parts), Counter())
  times = [own for part in parts for own in part.seconds]
  return _Load(statuses[200] / took, times, statuses, statuses.pop(0, 0), memory)


def _body(content: bytes) -> bytes:
  head = b'--boundary\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
  return head + content + b"\r\n--boundary--\r\n"


def _ask(host: str, port: int, bodies: list[bytes], until: float, load: _Load) -> None:
  """One client: the next picture as soon as the last one is answered; waits where it is told to. Status 0: lost."""
  line: http.client.HTTPConnection | None = None
  for body in itertools.cycle(bodies):
    if time.perf_counter() > until:
      break
    line = line or _patient_connection(host, port)
    began = time.perf_counter()
    try:
      line.request("POST", "/v1/predict", body, {"Content-Type": _TYPE})
      response = line.getresponse()
      response.read()
      status = response.status
    except OSError:
      status, line = 0, None
    load.statuses[status] += 1
    if status == 200:
      load.seconds.append(time.perf_counter() - began)
    elif status in (429, 503):
      time.sleep(1)
  if line:
    line.close()


def _patient_connection(host: str, port: int) -> http.client.HTTPConnection:
  return http.client.HTTPConnection(host, port, timeout=120)


if __name__ == "__main__":
  main()
