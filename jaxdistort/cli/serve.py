"""Serves the recogniser and the distortions over HTTP, with a page to look at.

jaxdistort serve
jaxdistort serve --port 9000 --human-test photos/ --human-answers answers.sqlite
JAXDISTORT_TOKEN=... jaxdistort serve --host 0.0.0.0 --workers 2

Only this machine can reach it, unless --host says otherwise; then every request must bring a token: that of the
variable JAXDISTORT_TOKEN, or one that is made and printed.
"""

import argparse
import ipaddress
import os
import secrets
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jaxdistort.cli import interrupts
from jaxdistort.cli.arguments import ArgumentParser, add_recogniser, at_least, output_file, output_folder

if TYPE_CHECKING:
  import uvicorn

  from jaxdistort.serving import Settings

_TOKEN = "JAXDISTORT_TOKEN"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ENDING = 3  # seconds for what is under way, once the server is told to stop
_CLEANING = 1.5  # and after that for its own end


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
  parser = ArgumentParser(__doc__, prog="jaxdistort serve")
  add_recogniser(parser)
  parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 127.0.0.1: this machine alone")
  parser.add_argument("--port", type=at_least(0), default=8000, help="0: any that is free; 8000")
  parser.add_argument("--workers", type=at_least(1), default=1, help="processes, each with a network of its own; 1")
  parser.add_argument(
    "--allow-host", action="append", default=[], metavar="NAME", help="a further name of this server; repeatable"
  )
  parser.add_argument("--keep", type=output_folder, default=None, metavar="DIR", help="store what is judged")
  parser.add_argument("--queue", type=at_least(1), default=64, help="requests that may wait, a worker; 64")
  parser.add_argument("--human-test", default="", metavar="DIR", help="clean pictures for a test of people")
  parser.add_argument(
    "--human-answers", type=output_file, default=None, metavar="FILE.sqlite", help="where people's answers go"
  )
  parser.add_argument(
    "--human-mode", choices=("naming", "choice"), default="naming", help="naming; or a choice of four"
  )
  parser.add_argument("--human-questions", type=at_least(1), default=60, metavar="COUNT", help="60")
  parsed = parser.parse_args(arguments)
  if bool(parsed.human_test) != bool(parsed.human_answers):
    parser.error("--human-test and --human-answers need each other")
  return parsed


def main(words: Sequence[str]) -> int:
  arguments = parse_arguments(words)
  listener = _listen(arguments.host, arguments.port)
  settings = _settings(arguments, listener.getsockname()[0])
  _announce(listener, settings)
  with interrupts.ends_within(_ENDING + _CLEANING):
    return _serve(settings, listener, arguments.workers)


def _listen(host: str, port: int) -> socket.socket:
  """Bound here, so that a port that is taken is known before the network is loaded."""
  from jaxdistort.errors import InputError

  try:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    listener = socket.create_server((host, port), family=family, backlog=1024)
  except (OSError, OverflowError) as error:
    raise InputError(f"--host {host} --port {port}: cannot listen there ({error})") from error
  listener.set_inheritable(True)
  return listener


def _settings(arguments: argparse.Namespace, address: str) -> "Settings":
  from jaxdistort.serving import Limits, Settings

  is_local = ipaddress.ip_address(address).is_loopback
  token = os.environ.get(_TOKEN, "") or ("" if is_local else secrets.token_urlsafe())
  hosts = [*_LOOPBACK, arguments.host, address, *arguments.allow_host] if is_local else arguments.allow_host
  return Settings(
    checkpoint=arguments.checkpoint,
    token=token,
    hosts=tuple(dict.fromkeys(name.lower() for name in hosts)),
    keep=str(arguments.keep or ""),
    human_data=arguments.human_test,
    human_answers=str(arguments.human_answers or ""),
    human_mode=arguments.human_mode,
    human_count=arguments.human_questions,
    limits=Limits(queue=arguments.queue),
  )


def _announce(listener: socket.socket, settings: "Settings") -> None:
  host, port = listener.getsockname()[:2]
  shown = f"[{host}]" if ":" in host else host
  more = f"?token={settings.token}" if settings.token and not os.environ.get(_TOKEN) else ""
  print(f"http://{shown}:{port}/{more}", flush=True)
  if settings.human_data:
    print(f"http://{shown}:{port}/human{more}", flush=True)


def _serve(settings: "Settings", listener: socket.socket, workers: int) -> int:
  """Until it is told to stop; several processes are started anew when they die."""
  import uvicorn
  from uvicorn.supervisors import Multiprocess

  from jaxdistort.serving.app import SETTINGS, create_app

  if workers > 1:
    create_app(None, settings)  # what is wrong with the settings is said once, and not by every worker for ever
    os.environ[SETTINGS] = settings.to_json()
    config = _config(
      "jaxdistort.serving.app:create_from_environment", factory=True, workers=workers, timeout_worker_healthcheck=30
    )
    Multiprocess(config, sockets=[listener]).run()
    return 0
  server = uvicorn.Server(_config(create_app(None, settings)))
  server.run(sockets=[listener])
  return 0 if server.started else 1


def _config(app: object, **options: object) -> "uvicorn.Config":
  import uvicorn

  return uvicorn.Config(
    app,  # ty: ignore[invalid-argument-type]
    log_level="warning",
    access_log=False,
    server_header=False,
    ws="none",
    timeout_graceful_shutdown=_ENDING,
    timeout_keep_alive=10,
    limit_concurrency=1000,
    **options,  # ty: ignore[invalid-argument-type]
  )
