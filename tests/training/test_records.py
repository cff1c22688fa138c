"""metrics.jsonl and TensorBoard's events where a disk does not take them."""

import errno
import json
import os
import resource
import threading

import pytest
from tensorboardX import RecordWriter

from jaxdistort.progress import Progress
from jaxdistort.training.records import Metrics

_FAULTS = [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS]


class _Heard(Progress):
  def __init__(self):
    self.said = []

  def tell(self, text):
    self.said.append(text)


def _rows(folder):
  return [json.loads(row) for row in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("fault", _FAULTS, ids=errno.errorcode.get)
@pytest.mark.parametrize("method", ["__init__", "write", "flush", "close"])
def test_events_that_cannot_be_written_are_told_once_and_stop_nothing(tmp_path, monkeypatch, method, fault):
  real = getattr(RecordWriter, method)

  def fail(*given):
    if method == "close":  # as files do
      real(*given)
    raise OSError(fault, os.strerror(fault))

  heard, threads = _Heard(), threading.active_count()
  with monkeypatch.context() as patch:
    patch.setattr(RecordWriter, method, fail)
    patch.setattr("jaxdistort.training.records._FLUSH_EVERY", 0)
    with Metrics(tmp_path, 0, progress=heard) as metrics:
      assert threading.active_count() == threads  # whose end nobody would see
      for step in range(1, 40):
        metrics.write(step, {"loss": 1.0, "accuracy": 0.5})
  assert heard.said == [f"{tmp_path}/tensorboard gets no more events: {os.strerror(fault)}; the run goes on"]
  assert [row["step"] for row in _rows(tmp_path)] == list(range(1, 40))
  assert metrics.failure is None


@pytest.fixture
def small_files():
  """A function that bounds the size of files in bytes: like a full disk, a row may be written in part."""
  before = resource.getrlimit(resource.RLIMIT_FSIZE)

  def limit(size=before[0]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

  yield limit
  limit()


def test_rows_that_the_disk_does_not_take_go_with_the_checkpoint(tmp_path, small_files):
  heard = _Heard()
  with Metrics(tmp_path, 0, progress=heard) as metrics:
    metrics.write(2, {"loss": 1.0})
    small_files((tmp_path / "metrics.jsonl").stat().st_size + 7)
    metrics.write(4, {"loss": 0.5})
    small_files()  # there is room again, for rows that would leave a hole
    metrics.write(6, {"loss": 0.25})
  assert metrics.failure.errno == errno.EFBIG
  assert metrics.unwritten == [{"step": 4, "loss": 0.5}, {"step": 6, "loss": 0.25}]
  assert len((tmp_path / "metrics.jsonl").read_bytes()) == len(b'{"step": 2, "loss": 1.0}\n{"step"')
  with Metrics(tmp_path, 6, metrics.unwritten, heard) as resumed:
    resumed.write(8, {"loss": 0.125})
  assert _rows(tmp_path) == [{"step": step, "loss": 2 / 2 ** (step / 2)} for step in (2, 4, 6, 8)]
