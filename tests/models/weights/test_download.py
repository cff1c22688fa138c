"""Downloads, from a server on this machine: whole, resumed, refused, checked."""

import hashlib
import http.server
import re
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

from jaxdistort.errors import InputError
from jaxdistort.models.weights import KINDS, Published, download
from jaxdistort.progress import Bar, Progress

CONTENT = np.random.default_rng(0).bytes(3_000_000)


@pytest.fixture
def server():
  """Serves CONTENT at any path. `asked` are the ranges wanted, `cut_at` ends an answer early, `ranges` obeys them."""
  state = SimpleNamespace(asked=[], cut_at=None, ranges=True)

  class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
      wanted = self.headers.get("Range")
      state.asked.append(wanted)
      if self.path == "/gone":
        self.send_error(404)
        return
      asked = re.fullmatch(r"bytes=(\d+)-", wanted or "") if state.ranges else None
      start = int(asked[1]) if asked else 0
      if start >= len(CONTENT):
        self.send_error(416)
        return
      self.send_response(206 if start else 200)
      self.send_header("Content-Length", str(len(CONTENT) - start))
      self.end_headers()
      self.wfile.write(CONTENT[start : state.cut_at])

    def log_message(self, format, *args):
      pass

  with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{running.server_port}"
    yield state
    running.shutdown()
    thread.join()


def _published(server, path="/weights.h5", algorithm="sha256", content=CONTENT):
  checksum = (algorithm, hashlib.new(algorithm, content).hexdigest())
  return Published("weights.h5", "https://example.org", server.url + path, checksum)


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_a_file_is_fetched_once(server, tmp_path, algorithm, capfd):
  target = tmp_path / "new" / "weights.h5"
  download(_published(server, algorithm=algorithm), target)
  assert target.read_bytes() == CONTENT
  download(_published(server, algorithm=algorithm), target)
  assert server.asked == [None]
  assert [path.name for path in target.parent.iterdir()] == ["weights.h5"]
  assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on(server, tmp_path, ranges):
  target, server.cut_at = tmp_path / "weights.h5", 1_000_000
  with pytest.raises(InputError, match=r"cannot be fetched .*1,000,000 bytes are kept in .*run this again"):
    download(_published(server), target)
  assert not target.exists()
  server.cut_at, server.ranges = None, ranges
  download(_published(server), target)
  assert target.read_bytes() == CONTENT
  assert server.asked == [None, "bytes=1000000-"]


class _Counted(Bar):
  def __init__(self, pieces):
    self.pieces = pieces

  def advance(self, count=1):
    self.pieces.append(count)


class _Watched(Progress):
  """Remembers what it hears; asks to stop after a number of pieces."""

  def __init__(self, stop_after=None):
    self.bars, self.pieces, self.stop_after = [], [], stop_after

  @contextmanager
  def bar(self, total, *, unit, title, done=0):
    self.bars.append((total, unit, title, done))
    yield _Counted(self.pieces)

  def stop_asked(self):
    return len(self.pieces) == self.stop_after


def test_a_download_is_watched_and_stopped_and_goes_on(server, tmp_path):
  target, watched = tmp_path / "weights.h5", _Watched(stop_after=2)
  with pytest.raises(KeyboardInterrupt):
    download(_published(server), target, progress=watched)
  kept = sum(watched.pieces)
  assert 0 < kept < len(CONTENT)
  assert not target.exists()
  again = _Watched()
  download(_published(server), target, progress=again)
  assert target.read_bytes() == CONTENT
  assert sum(again.pieces) == len(CONTENT) - kept
  assert watched.bars + again.bars == [
    (len(CONTENT), "B", "weights.h5", 0),
    (len(CONTENT), "B", "weights.h5", kept),
  ]


def test_an_error_of_the_disk_is_not_one_of_the_network(server, tmp_path):
  (tmp_path / "weights.h5.partial").mkdir()
  with pytest.raises(IsADirectoryError):
    download(_published(server), tmp_path / "weights.h5")


def test_a_download_stopped_after_its_last_byte_is_only_checked(server, tmp_path):
  target = tmp_path / "weights.h5"
  (tmp_path / "weights.h5.partial").write_bytes(CONTENT)
  download(_published(server), target)
  assert target.read_bytes() == CONTENT


def test_another_file_than_the_published_one_is_refused(server, tmp_path):
  target, published = tmp_path / "weights.h5", _published(server, content=b"what was published")
  with pytest.raises(InputError, match=r"sha256 [0-9a-f]{64}, expected [0-9a-f]{64}: not the published file"):
    download(published, target)
  assert list(tmp_path.iterdir()) == []
  target.write_bytes(b"put there by hand")
  with pytest.raises(InputError, match="not the published file"):
    download(published, target)
  assert target.read_bytes() == b"put there by hand"


def test_without_a_network_it_says_where_to_get_the_file_and_where_to_put_it(server, tmp_path):
  target = tmp_path / "weights.h5"
  nowhere = _published(server)._replace(url="http://127.0.0.1:1/weights.h5")
  with pytest.raises(InputError) as reported:
    download(nowhere, target)
  for word in (nowhere.url, nowhere.page, f"put it at {target}", "cannot be fetched"):
    assert word in str(reported.value)
  with pytest.raises(InputError, match=r"404|Not Found"):
    download(_published(server, "/gone"), target)
  with pytest.raises(InputError, match=r"sgdnet.pkl cannot be fetched by a program: .*ysyscool/SGDNet.*put it at"):
    download(KINDS["sgdnet"].published, target)
  assert list(tmp_path.iterdir()) == []
