"""A server with small limits, in a thread of the tests, and pictures to send."""

import io
import socket
import threading
from collections.abc import Callable, Generator

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image

import jaxdistort
from jaxdistort.serving import Limits, Settings, create_app

LIMITS = Limits(request_bytes=2**20, pictures=4, pixels=1_000_000, distorted_pixels=100_000, queue=8)


@pytest.fixture(scope="session")
def recogniser() -> jaxdistort.inference.Recogniser:
  return jaxdistort.load()


@pytest.fixture(scope="session")
def serve(recogniser) -> Generator[Callable[[Settings], str]]:
  """Starts a server with settings; its address."""
  running: list[tuple[uvicorn.Server, threading.Thread]] = []

  def start(settings: Settings) -> str:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(recogniser, settings), log_level="warning", timeout_graceful_shutdown=4)
    server = _Announcing(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    running.append((server, thread))
    assert server.is_up.wait(300)
    return f"http://127.0.0.1:{listener.getsockname()[1]}"

  yield start
  for server, thread in running:
    server.should_exit = True
    thread.join()


class _Announcing(uvicorn.Server):
  def __init__(self, config: uvicorn.Config):
    super().__init__(config)
    self.is_up = threading.Event()

  async def startup(self, sockets: list[socket.socket] | None = None) -> None:
    await super().startup(sockets)
    self.is_up.set()


@pytest.fixture(scope="session")
def address(serve) -> str:
  return serve(Settings(hosts=("127.0.0.1", "localhost"), limits=LIMITS))


@pytest.fixture
def client(address) -> Generator[httpx.Client]:
  with httpx.Client(base_url=address, timeout=120) as client:
    yield client


@pytest.fixture(scope="session")
def picture(photographs) -> bytes:
  """A PNG of 64 x 64."""
  return as_png(photographs[0])


def as_png(image: np.ndarray) -> bytes:
  stream = io.BytesIO()
  Image.fromarray(image).save(stream, "PNG")
  return stream.getvalue()
