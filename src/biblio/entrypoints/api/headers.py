"""What browsers are told not to do with our answers."""

from functools import cached_property
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from biblio.ports.storage import Storage

DOCUMENTATION = "/api/docs"
"""Swagger's page starts itself with an inline script, so it goes without the policy."""


class SafeHeaders:
    """No type guessing, no frames, no referrer; and pages that load from here and from storage only."""

    def __init__(self, app: ASGIApp, storage: Storage) -> None:
        self._app = app
        self._storage = storage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await self._app(scope, receive, safe if scope["type"] == "http" else send)

    def _add(self, headers: MutableHeaders, path: str) -> None:
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "no-referrer"
        if headers.get("content-type", "").startswith("text/html") and not path.startswith(DOCUMENTATION):
            headers["Content-Security-Policy"] = self._policy
        # The page's parts are asked for again each time (their ETag makes that cheap): old and new ones never mix.
        headers.setdefault("Cache-Control", "no-store" if path.startswith("/api/") else "no-cache")

    @cached_property
    def _policy(self) -> str:
        place = self._storage_origin()
        return (
            f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src {place}; "
            f"connect-src 'self' {place}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

    def _storage_origin(self) -> str:
        """Where signed addresses lead to, whatever the storage: asked of one that is never used."""
        signed = self._storage.sign_download("videos/none", file_name="none", content_type="video/mp4", seconds=1)
        parts = urlsplit(signed.url)
        return f"{parts.scheme}://{parts.netloc}"
