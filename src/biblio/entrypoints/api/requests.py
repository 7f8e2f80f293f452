"""Every request gets an id, a line in the log, and its time is measured. What was asked for stands nowhere: a query
string may hold a question, or a key that somebody put there by mistake."""

import logging
import re
import time
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from biblio.domain.measures import REQUEST_SECONDS
from biblio.log_context import about, note
from biblio.ports.meter import Meter

HEADER = "X-Request-Id"
ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
QUIET = {"/healthz", "/readyz", "/metrics"}
"""Asked every few seconds by machines; measured, but no news."""
NOWHERE = "none"

log = logging.getLogger(__name__)


class RequestLog:
    """The outermost of all, so that nothing escapes it."""

    def __init__(self, app: ASGIApp, meter: Meter) -> None:
        self._app, self._meter = app, meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        request_id = _request_id(scope)
        began, status = time.monotonic(), 500

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            if "headers" in message or message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with about(request=request_id):
            try:
                await self._app(scope, receive, seen)
            finally:
                self._tell(scope, status, time.monotonic() - began)
        return None

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = _known(scope.get("method", "WEBSOCKET")), _route(scope)
        if scope["type"] == "http":
            self._meter.observe(REQUEST_SECONDS, seconds, method=method, route=route, status=str(status))
        if video_id := scope.get("path_params", {}).get("video_id"):
            note(video=str(video_id)[:64])
        if scope["path"] not in QUIET:
            fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
            log.info("%s %s: %d", method, route, status, extra={"fields": fields})


def _request_id(scope: Scope) -> str:
    """The caller's, where it is one, so that it may be found in both logs."""
    given = Headers(scope=scope).get(HEADER, "")
    return given if ID.fullmatch(given) else uuid4().hex


def _route(scope: Scope) -> str:
    """Its template: `/api/videos/{video_id}`, the same for all videos. Files of the page are all one."""
    route = scope.get("route")
    if path := getattr(route, "path", None):
        return str(path)
    return "page" if "path_params" in scope and not scope["path"].startswith("/api") else NOWHERE


def _known(method: str) -> str:
    """Anybody may make methods up."""
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"
