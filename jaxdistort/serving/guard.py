"""Who may ask, and how much: what is refused before the application sees it."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response

from jaxdistort.serving.metrics import Metrics
from jaxdistort.serving.settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = "/health"
"""The path that asks for no token."""
_COOKIE = "jaxdistort_token"
_SAFE = ("GET", "HEAD", "OPTIONS")
_POLICY = (
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
  "Content-Security-Policy": _POLICY,
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
}


class Refusal(NamedTuple):
  """A status, and in one line why."""

  status: int
  reason: str


class Guard:
  """ASGI application around another: names, origins, the token; whole bodies in time, and no more than there is room.

  A body is read before the application begins, so that a slow sender holds none of its workers, and is kept in memory.

  Args:
    app: what is guarded.
    settings: whom and how much.
    metrics: where refusals are counted.
  """

  def __init__(self, app: Application, settings: Settings, metrics: Metrics):
    self._app, self._settings, self._limits, self._metrics = app, settings, settings.limits, metrics
    self._under_way = 0  # bytes
    self._waiting = 0  # requests

  async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
      if scope["type"] == "lifespan":
        await self._app(scope, receive, send)
      return
    send, refusal = _decorating(send), self._refused(scope, Headers(scope=scope))
    if refusal is not None:
      await self._refuse(refusal, scope, receive, send)
    elif (response := self._entrance(scope)) is not None:
      await response(scope, receive, send)
    else:
      await self._admit(scope, receive, send)

  def _refused(self, scope: Scope, headers: Headers) -> Refusal | None:
    host = headers.get("host", "")
    if self._settings.hosts and _name_of(host) not in self._settings.hosts:
      return Refusal(421, "this server does not answer to that name; see its setting of hosts")
    if scope["method"] not in _SAFE and _is_foreign(headers, host):
      return Refusal(403, "requests of other sites' pages are not answered")
    if self._settings.token and scope["path"] != OPEN and not self._is_known(scope, headers):
      return Refusal(401, "a token is needed: Authorization: Bearer TOKEN, or ?token=TOKEN once in a browser")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > self._limits.request_bytes:
      return Refusal(413, f"a request may have {self._limits.request_bytes:,} bytes")
    return None

  def _is_known(self, scope: Scope, headers: Headers) -> bool:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    tokens = [given if scheme.lower() == "bearer" else "", _cookie(headers), _asked(scope)]
    return any(map(self._is_token, tokens))

  def _is_token(self, text: str) -> bool:
    return hmac.compare_digest(text.encode(), self._settings.token.encode())

  def _entrance(self, scope: Scope) -> Response | None:
    """For a browser that brings the token in the address: the address without it, and the token as a cookie."""
    if not self._settings.token or scope["method"] != "GET" or not self._is_token(_asked(scope)):
      return None
    response = RedirectResponse(scope["path"] if not scope["path"].startswith("//") else "/", 303)
    response.set_cookie(_COOKIE, self._settings.token, httponly=True, samesite="strict", secure=_is_secure(scope))
    return response

  async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["method"] in _SAFE:
      await self._unless_gone(scope, b"", receive, send)
      return
    chunks: list[bytes] = []
    body = b""
    try:
      refusal = await self._read(receive, chunks)
      if refusal is None and self._waiting >= self._limits.queue:
        refusal = Refusal(503, f"{self._limits.queue} requests wait already; try again")
      if refusal is not None:
        await self._refuse(refusal, scope, receive, send)
        return
      body = b"".join(chunks)
      chunks.clear()
      self._waiting += 1
      try:
        await self._unless_gone(scope, body, receive, send)
      finally:
        self._waiting -= 1
    finally:
      self._under_way -= len(body) + sum(map(len, chunks))

  async def _unless_gone(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
    """Runs the application on a body that was read; gives it up when whoever asked is gone, or the server ends."""
    gone, began = asyncio.Event(), asyncio.Event()
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replay() -> MutableMapping[str, Any]:
      if (message := next(messages, None)) is None:
        await gone.wait()
      return message or {"type": "http.disconnect"}

    async def noting(message: MutableMapping[str, Any]) -> None:
      began.set()
      await send(message)

    async def run() -> None:
      await self._app(scope, replay, noting)

    async def watch() -> None:
      while (await receive())["type"] != "http.disconnect":
        pass
      gone.set()
      work.cancel()  # nobody would read the answer

    work, watching = asyncio.create_task(run()), asyncio.create_task(watch())
    try:
      await work
    except asyncio.CancelledError:
      work.cancel()
      if not gone.is_set() and not began.is_set():
        await self._refuse(Refusal(503, "the server ends; try again"), scope, replay, send)
    finally:
      watching.cancel()

  async def _read(self, receive: Receive, chunks: list[bytes]) -> Refusal | None:
    """Fills the chunks of the body; why not."""
    size = 0
    try:
      async with asyncio.timeout(self._limits.sending):
        while True:
          message = await receive()
          if message["type"] == "http.disconnect":
            return Refusal(400, "the request broke off")
          chunks.append(message.get("body", b""))
          size += len(chunks[-1])
          self._under_way += len(chunks[-1])
          if size > self._limits.request_bytes:
            return Refusal(413, f"a request may have {self._limits.request_bytes:,} bytes")
          if self._under_way > self._limits.bytes_under_way:
            return Refusal(503, "too much is under way already; try again")
          if not message.get("more_body"):
            return None
    except TimeoutError:
      return Refusal(408, f"a request must arrive within {self._limits.sending:g} s")

  async def _refuse(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    self._metrics.requests.labels("refused", str(refusal.status)).inc()
    headers = {"Connection": "close"}  # what is left of the body is not read
    if refusal.status == 503:
      headers["Retry-After"] = "1"
    if refusal.status == 401:
      headers["WWW-Authenticate"] = "Bearer"
    await JSONResponse({"detail": refusal.reason}, refusal.status, headers)(scope, receive, send)


def _name_of(host: str) -> str:
  """Without the port, in lower case."""
  try:
    return (urlsplit(f"//{host}").hostname or "").lower()
  except ValueError:
    return ""


def _is_foreign(headers: Headers, host: str) -> bool:
  """Whether a page of another site sent this; programs that are no browsers send neither header."""
  origin = headers.get("origin")
  if origin is not None:
    return origin.partition("://")[2].lower() != host.lower()
  return headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def _cookie(headers: Headers) -> str:
  try:
    morsel = SimpleCookie(headers.get("cookie", "")).get(_COOKIE)
  except CookieError:
    return ""
  return morsel.value if morsel else ""


def _asked(scope: Scope) -> str:
  return parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]


def _is_secure(scope: Scope) -> bool:
  return scope.get("scheme") == "https"


def _decorating(send: Send) -> Send:
  async def decorate(message: MutableMapping[str, Any]) -> None:
    if message["type"] == "http.response.start":
      headers = MutableHeaders(scope=message)
      for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    await send(message)

  return decorate
