"""Requests that mean harm, or know no better: each gets its status in time, and the server goes on."""

import gzip
import json
import socket
import struct
import zlib
from urllib.parse import urlsplit

import numpy as np
import pytest

from jaxdistort.serving import Limits, Settings
from tests.serving.conftest import LIMITS, as_png

_KIND = {"steps": '[{"kind": "jpeg"}]'}


def _png_of(width: int, height: int) -> bytes:
  """A PNG that says that it has these sides, with hardly a byte of pixels."""

  def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

  header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
  pixels = zlib.compress(bytes(1000))
  return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _exif_bomb() -> bytes:
  size = 65533
  return b"\xff\xd8" + (b"\xff\xe1" + struct.pack(">H", size + 2) + b"Exif\0\0" + b"M" * (size - 6)) * 5 + b"\xff\xd9"


_NO_PICTURES = {
  "text": b"hello",
  "page": b"<html><script>alert(1)</script></html>",
  "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
  "archive": b"PK\x03\x04" + bytes(100),
  "compressed": gzip.compress(bytes(100_000)),
  "zeros": bytes(5000),
  "end of JPEG": b"\xff\xd8\xff\xd9",
  "EXIF alone": _exif_bomb(),
  "wide bomb": _png_of(40_000, 40_000),
  "long bomb": _png_of(2**31 - 1, 1),
  "over the limit": _png_of(1001, 1000),
  "no pixels": _png_of(0, 10),
  "truncated": as_png(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))[:4000],
  "TIFF to itself": b"II*\0\x08\0\0\0\x01\0\x00\x01\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0",
  "program": b"\x7fELF" + bytes(200),
  "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file",
}


@pytest.mark.parametrize("name", _NO_PICTURES)
def test_no_pictures(client, name):
  for path, more in (("predict", {}), ("distort", _KIND)):
    response = client.post(f"/v1/{path}", files={"file": (name, _NO_PICTURES[name])}, data=more)
    assert response.status_code == 422
    assert "\n" not in response.json()["detail"]


_VALUES = {
  "no JSON": {"steps": "{"},
  "no list": {"steps": '{"kind": "jpeg"}'},
  "unknown kind": {"steps": '[{"kind": "blurr", "severity": 0.5}]'},
  "too strong": {"steps": '[{"kind": "jpeg", "severity": 1.5}]'},
  "not a number": {"steps": '[{"kind": "jpeg", "severity": NaN}]'},
  "beyond bounds": {"steps": '[{"kind": "jpeg", "parameters": {"quality": 1e9}}]'},
  "infinite": {"steps": '[{"kind": "jpeg", "parameters": {"quality": 1e999}}]'},
  "unknown parameter": {"steps": '[{"kind": "jpeg", "parameters": {"__class__": 1}}]'},
  "arguments of ours": {"steps": '[{"kind": "jpeg", "parameters": {"severity": 0.5, "key": 1}}]'},
  "further keys": {"steps": '[{"kind": "jpeg", "severity": 0.5, "source": "live"}]'},
  "too many": {"steps": json.dumps([{"kind": "jpeg", "severity": 0.1}] * 17)},
  "deep": {"steps": "[" * 100_000},
  "negative seed": _KIND | {"seed": "-1"},
  "word as seed": _KIND | {"seed": "one"},
  "small size": _KIND | {"size": "1"},
  "huge size": _KIND | {"size": "1000000"},
}


@pytest.mark.parametrize("name", _VALUES)
def test_values_that_cannot_be_used(client, picture, name):
  response = client.post("/v1/distort", files={"file": ("a", picture)}, data=_VALUES[name])
  assert response.status_code == 422
  assert "\n" not in response.json()["detail"]


def test_more_than_a_request_may_have(client, picture):
  files = [("file", ("a", picture))] * (LIMITS.pictures + 1)
  assert client.post("/v1/predict", files=files).status_code == 413
  large = as_png(np.zeros((400, 400, 3), np.uint8))
  thin = as_png(np.zeros((2, LIMITS.distorted_side + 1, 3), np.uint8))
  for file in (large, thin):
    assert client.post("/v1/distort", files={"file": ("a", file)}, data=_KIND).status_code == 413
  assert client.post("/v1/predict", files={"file": ("a", bytes(LIMITS.request_bytes + 1))}).status_code == 413
  parts = [("other", ("a", b"x"))] * 1500
  assert client.post("/v1/predict", files=parts).status_code == 400


@pytest.mark.slow
def test_names_are_names_alone(client, picture, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  for name in ("../../x.png", "/etc/passwd", "a\nb", "C:\\x", '"; rm -rf /', "é😀" * 50):
    response = client.post("/v1/predict", files={"file": (name, picture)})
    assert response.status_code == 200
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
  ("headers", "status"),
  [
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "http://127.0.0.1:1"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Host": "evil.example"}, 421),
    ({"Host": "127.0.0.1.evil.example"}, 421),
    ({"Host": "[::1"}, 421),
  ],
)
def test_foreign_pages_and_names(client, picture, headers, status):
  assert client.post("/v1/predict", files={"file": ("a", picture)}, headers=headers).status_code == status


def test_own_pages(client, address, picture):
  for headers in ({"Origin": address}, {"Sec-Fetch-Site": "same-origin"}):
    assert client.post("/v1/predict", files={"file": ("a", picture)}, headers=headers).status_code == 200


@pytest.mark.parametrize(
  ("path", "status"),
  [
    ("/v1/predict", 405),
    ("/v1/nothing", 404),
    ("/pages/../app.py", 404),
    ("/pages//etc/passwd", 404),
    ("/pages/%00", 404),
    ("/" + "a" * 5000, 404),
    ("/v1/human/next?person=x", 404),
  ],
)
def test_paths(client, path, status):
  assert client.get(path).status_code == status


_TEXT = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--b--\r\n'


@pytest.mark.parametrize(
  ("kind", "body", "status"),
  [
    ("application/json", b'{"file": 1}', 422),
    ("multipart/form-data", b"x", 400),
    ("multipart/form-data; boundary=b", b"--b\r\nno header\r\n\r\n", 400),
    ("multipart/form-data; boundary=b", _TEXT, 422),
    ("multipart/form-data; boundary=b", b"", 422),
    ("multipart/form-data; boundary=" + "b" * 5000, b"--c", 400),
    ("application/x-www-form-urlencoded", b"file=x", 422),
    ("text/plain; charset=nonsense", b"x", 422),
  ],
)
def test_bodies(client, kind, body, status):
  response = client.post("/v1/predict", content=body, headers={"Content-Type": kind})
  assert response.status_code == status
  assert response.json()["detail"]


def _status(address: str, *parts: bytes, ends: bool = False) -> int:
  """Sends bytes as they are, and reads the status that comes back before the connection is closed."""
  there = urlsplit(address)
  with socket.create_connection((there.hostname, there.port), timeout=60) as line:
    try:
      for part in parts:
        line.sendall(part)
    except OSError:  # the server has heard enough
      pass
    if ends:
      line.shutdown(socket.SHUT_WR)
    return int(line.recv(4096).split()[1])


_HEAD = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"


@pytest.mark.slow
def test_bodies_that_never_come_whole(address, serve):
  impatient = serve(Settings(limits=Limits(sending=0.3)))
  assert _status(impatient, _HEAD + b"Content-Length: 1000\r\n\r\n", b"slow") == 408
  assert _status(impatient, _HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n") == 408
  endless = [b"10000\r\n" + bytes(2**16) + b"\r\n"] * (2 + LIMITS.request_bytes // 2**16)
  assert _status(address, _HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *endless) == 413
  assert _status(address, _HEAD + b"Content-Length: 99999999999999\r\n\r\n") == 413


@pytest.mark.parametrize(
  "request_bytes",
  [
    b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50) + b"\r\n\r\n",
    b"NONSENSE\r\n\r\n",
    _HEAD + b"Content-Length: -5\r\n\r\n",
    _HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    _HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
  ],
  ids=("huge header", "no host", "TLS", "nonsense", "negative length", "two lengths", "bad chunk"),
)
def test_what_is_no_request(address, request_bytes):
  assert 400 <= _status(address, request_bytes) < 500


def test_the_server_answers_after_all_that(client, picture):
  assert client.post("/v1/predict", files={"file": ("a", picture)}).status_code == 200
