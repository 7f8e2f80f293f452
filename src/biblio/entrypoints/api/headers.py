"""What browsers are told not to do with our answers."""

import re
from functools import cached_property
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from biblio.ports.storage import Storage

DOCUMENTATION = "/api/docs"
"""Swagger's page starts itself with an inline script, so it goes without the policy."""
HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?")


class SafeHeaders:
    """No type guessing, no frames, no referrer; and pages that load from here and from storage only."""

    def __init__(self, app: ASGIApp, storage: Storage) -> None:
        self._app = app
        self._storage = storage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), scope["path"], Headers(scope=scope).get("host", ""))
            await send(message)

        await self._app(scope, receive, safe if scope["type"] == "http" else send)

    def _add(self, headers: MutableHeaders, path: str, host: str) -> None:
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "no-referrer"
        if headers.get("content-type", "").startswith("text/html") and not path.startswith(DOCUMENTATION):
            headers["Content-Security-Policy"] = self._policy(host)
        # The page is asked for again each time (its ETag makes that cheap): old and new parts never mix.
        headers.setdefault("Cache-Control", "no-store" if path.startswith("/api/") else "no-cache")

    def _policy(self, host: str) -> str:
        place = self._storage_origin
        # To some browsers, a socket of the same host is not 'self'.
        sockets = f" ws://{host} wss://{host}" if HOST.fullmatch(host) else ""
        return (
            f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: {place}; "
            f"media-src blob: {place}; connect-src 'self' {place}{sockets}; font-src 'self'; manifest-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

    @cached_property
    def _storage_origin(self) -> str:
        """Where signed addresses lead to, whatever the storage: asked of one that is never used."""
        signed = self._storage.sign_download("videos/none", file_name="none", content_type="video/mp4", seconds=1)
        parts = urlsplit(signed.url)
        return f"{parts.scheme}://{parts.netloc}"
