"""Requests counted and timed, and those given up that take too long."""

import asyncio
import time
from collections.abc import MutableMapping
from typing import Any

from starlette.responses import JSONResponse

from jaxdistort.serving.guard import Application, Receive, Scope, Send
from jaxdistort.serving.metrics import Metrics


class Counted:
  """ASGI application around another.

  Args:
    app: what is counted.
    metrics: where.
    seconds: that an answer may take.
  """

  def __init__(self, app: Application, metrics: Metrics, seconds: float):
    self._app, self._metrics, self._seconds = app, metrics, seconds

  async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
      await self._app(scope, receive, send)
      return
    began, statuses = time.monotonic(), []

    async def noting(message: MutableMapping[str, Any]) -> None:
      if message["type"] == "http.response.start":
        statuses.append(message["status"])
      await send(message)

    self._metrics.under_way.inc()
    try:
      async with asyncio.timeout(self._seconds):
        await self._app(scope, receive, noting)
    except TimeoutError:
      if not statuses:
        late = JSONResponse({"detail": "the answer takes too long; try again"}, 503, {"Retry-After": "5"})
        await late(scope, receive, noting)
    finally:
      self._metrics.under_way.dec()
      path = getattr(scope.get("route"), "path", "other")  # not what was asked for: anyone may ask for anything
      self._metrics.requests.labels(path, str(statuses[0]) if statuses else "gone").inc()
      self._metrics.seconds.labels(path).observe(time.monotonic() - began)
